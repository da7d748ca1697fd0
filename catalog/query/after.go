package query

import (
	"encoding/base64"
	"math"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// maxCount is the highest limit and offset; higher ones mean the same.
const maxCount = math.MaxInt32

// A PageToken is the after parameter of GET /entities: where the next page
// begins and how long it is; nil is not given.
type PageToken struct{ Limit, Offset *int }

// String returns the token in the form that clients are given.
func (t PageToken) String() string {
	o := jsonvalue.NewObject()
	if t.Limit != nil {
		o.Set("limit", float64(*t.Limit))
	}
	if t.Offset != nil {
		o.Set("offset", float64(*t.Offset))
	}
	return base64.StdEncoding.EncodeToString(jsonvalue.Append(nil, o))
}

// ParsePageToken reads a page token.
func ParsePageToken(text string) (PageToken, error) {
	if len(text) > maxCursorBytes {
		return PageToken{}, inputError("Malformed after cursor, could not be parsed")
	}
	o, err := jsonvalue.ParseObject(decodeBase64(text))
	if err != nil {
		return PageToken{}, inputError("Malformed after cursor, could not be parsed")
	}
	var t PageToken
	if t.Limit, err = count(o, "limit"); err != nil {
		return PageToken{}, err
	}
	t.Offset, err = count(o, "offset")
	return t, err
}

func count(o *jsonvalue.Object, key string) (*int, error) {
	v, there := o.Get(key)
	if !there {
		return nil, nil
	}
	f, ok := v.(float64)
	if !ok || math.IsNaN(f) {
		return nil, inputError("Malformed after cursor, " + key + " was not an number")
	}
	n := int(max(0, min(f, maxCount)))
	return &n, nil
}
