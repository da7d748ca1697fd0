package scaffolderapi_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/scaffolderapi"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
)

// Whatever comes is a task that is stored as it was asked for, or a fault of
// the caller in one of the two forms that clients know.
func FuzzCreateTask(f *testing.F) {
	for _, seed := range []struct{ query, body string }{
		{"", greet}, {"", slow}, {"", `{"templateRef":"hello","values":{"name":"A"}}`}, {"", `{"templateRef":"","values":{}}`}, {"x=1", slow},
		{"", `[]`}, {"", `{"templateRef":"::","values":{}}`}, {"", `{"templateRef":"plain","values":{"a":[1e400,"\ud800",null]}}`}, {"%zz", `{`},
		{"", `{"templateRef":"plain","values":{"__proto__":{},"a":"${{ secrets.key }}"},"secrets":{"":"","backstageToken":"x","__initiatorCredentials":"{}"}}`},
	} {
		f.Add(seed.query, seed.body)
	}
	s := serve(f, func(_ *scaffolderapi.Options, o *engine.Options) { o.Concurrency = -1 }) // nothing runs
	f.Fuzz(func(t *testing.T, query, body string) {
		send := func(method, path, body string) apitest.Response {
			r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+s.Token)
			if method == "POST" {
				r.URL.RawQuery = query
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			return apitest.Response{Status: w.Code, Body: w.Body.Bytes()}
		}
		r := send("POST", tasks, body)
		var got struct {
			ID     string
			Error  struct{ Name string }
			Errors []struct{ Stack string }
		}
		require.NoError(t, json.Unmarshal(r.Body, &got), r.Text())
		switch r.Status {
		case 201:
			stored := send("GET", tasks+"/"+got.ID, "")
			require.Equal(t, 200, stored.Status)
			var kept struct{ Spec struct{ Parameters any } }
			require.NoError(t, json.Unmarshal(stored.Body, &kept), "what is stored can be read: %s", stored.Text())
			var sent map[string]any
			// What is no UTF-8 or too large for a number is read otherwise here.
			if utf8.ValidString(body) && json.Unmarshal([]byte(body), &sent) == nil {
				require.Equal(t, sent["values"], kept.Spec.Parameters)
			}
		case 400:
			require.True(t, got.Error.Name == "InputError" || len(got.Errors) > 0, r.Text())
		case 404:
			require.Equal(t, "NotFoundError", got.Error.Name)
		case 503:
			require.Equal(t, "ServiceUnavailableError", got.Error.Name)
		default:
			t.Fatalf("status %d: %s", r.Status, r.Text())
		}
	})
}
