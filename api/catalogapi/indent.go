package catalogapi

import (
	"bytes"
	"encoding/json"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// indented writes a value as JavaScript does with two spaces.
func indented(v any) string {
	var out bytes.Buffer
	if err := json.Indent(&out, jsonvalue.Append(nil, v), "", "  "); err != nil {
		return err.Error()
	}
	return out.String()
}
