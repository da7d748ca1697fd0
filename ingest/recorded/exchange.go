package recorded

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// An Exchange is a request with its answer.
type Exchange struct {
	Method string
	URL    *url.URL
	// RequestBody is what the JSON in the body of the request must hold, at
	// least, or the text that it must be; nil: anything.
	RequestBody any

	Status  int
	Headers http.Header
	// Body is that of the answer: bytes as they are sent, and the value where it
	// is JSON, for whoever writes the exchange.
	Body []byte
	JSON any

	// Repeat: it answers any number of requests, also none. Others answer one.
	Repeat bool
	// Push: it is a push with Git to the repository at URL, which is empty.
	// Branch is the one that must be pushed to; "": any.
	Push   bool
	Branch string
}

// maxBody bounds the body of a request and of an answer.
const maxBody = 64 << 20

// Parse reads exchanges: a list of objects, or nil for none. An error says which
// of them is wrong.
func Parse(v any) ([]Exchange, error) {
	if v == nil {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, errors.New("exchanges are a list: - request: {method, url}, response: {status, body}")
	}
	var out []Exchange
	for i, item := range list {
		o, ok := item.(*jsonvalue.Object)
		if !ok {
			return nil, fmt.Errorf("exchange %d is no object with request and response", i+1)
		}
		e, err := parse(o)
		if err != nil {
			return nil, fmt.Errorf("exchange %d: %w", i+1, err)
		}
		out = append(out, e)
	}
	return out, nil
}

func parse(o *jsonvalue.Object) (e Exchange, err error) {
	if target, ok := o.Value("push").(string); ok {
		if err := onlyKeys(o, "push", "branch", "repeat"); err != nil {
			return e, err
		}
		e = Exchange{Push: true, Branch: o.String("branch"), Repeat: o.Value("repeat") == true}
		e.URL, err = absolute(strings.TrimSuffix(target, "/"))
		return e, err
	}
	request, response := o.Object("request"), o.Object("response")
	if request == nil || response == nil {
		return e, errors.New("request and response are needed, or push: the URL of a repository")
	}
	for _, part := range []error{onlyKeys(o, "request", "response", "repeat"), onlyKeys(request, "method", "url", "body"),
		onlyKeys(response, "status", "headers", "body", "base64")} {
		if part != nil {
			return e, part
		}
	}
	e = Exchange{Method: http.MethodGet, Status: http.StatusOK, RequestBody: request.Value("body"), Repeat: o.Value("repeat") == true, Headers: http.Header{}}
	if m := request.String("method"); m != "" {
		e.Method = strings.ToUpper(m)
	}
	if e.URL, err = absolute(request.String("url")); err != nil {
		return e, err
	}
	if v, there := response.Get("status"); there {
		n, ok := v.(float64)
		if !ok || n != float64(int(n)) || n < 200 || n > 599 {
			return e, errors.New("response.status is a number from 200 to 599")
		}
		e.Status = int(n)
	}
	for name, v := range response.Object("headers").All() {
		text, ok := v.(string)
		if !ok {
			return e, fmt.Errorf("response.headers.%s is no text", name)
		}
		e.Headers.Set(name, text)
	}
	return e, e.readBody(response)
}

func (e *Exchange) readBody(response *jsonvalue.Object) (err error) {
	if text, ok := response.Value("base64").(string); ok {
		if e.Body, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err != nil {
			return errors.New("response.base64 is no base64")
		}
		return nil
	}
	body, there := response.Get("body")
	if text, ok := body.(string); ok {
		e.Body = []byte(text)
		return nil
	}
	if there {
		e.JSON = body
		e.Body = jsonvalue.Append(nil, body)
		if e.Headers.Get("Content-Type") == "" {
			e.Headers.Set("Content-Type", "application/json")
		}
	}
	return nil
}

func onlyKeys(o *jsonvalue.Object, known ...string) error {
	for key := range o.All() {
		if !slices.Contains(known, key) {
			return fmt.Errorf("%s is not known here; there are %s", key, strings.Join(known, ", "))
		}
	}
	return nil
}

func absolute(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no http or https URL", raw)
	}
	if u.User != nil {
		return nil, errors.New("the URL of an exchange has no credentials")
	}
	return u, nil
}

// String returns the method and URL.
func (e Exchange) String() string {
	if e.Push {
		return "push to " + e.URL.String()
	}
	return e.Method + " " + e.URL.String()
}

// Object returns the exchange in the form that Parse reads.
func (e Exchange) Object() *jsonvalue.Object {
	o := jsonvalue.NewObject()
	if e.Push {
		o.Set("push", e.URL.String())
		if e.Branch != "" {
			o.Set("branch", e.Branch)
		}
		return o
	}
	request := jsonvalue.NewObject(jsonvalue.Member{Key: "method", Value: e.Method}, jsonvalue.Member{Key: "url", Value: e.URL.String()})
	if e.RequestBody != nil {
		request.Set("body", e.RequestBody)
	}
	response := jsonvalue.NewObject(jsonvalue.Member{Key: "status", Value: float64(e.Status)})
	headers := jsonvalue.NewObject()
	for _, name := range []string{"Content-Type", "Link", "Location"} {
		if v := e.Headers.Get(name); v != "" {
			headers.Set(name, v)
		}
	}
	if headers.Len() > 0 {
		response.Set("headers", headers)
	}
	switch {
	case e.JSON != nil:
		response.Set("body", e.JSON)
	case len(e.Body) > 0 && isText(e.Body):
		response.Set("body", string(e.Body))
	case len(e.Body) > 0:
		response.Set("base64", base64.StdEncoding.EncodeToString(e.Body))
	}
	o.Set("request", request)
	o.Set("response", response)
	return o
}
