package gitlab

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	gl "github.com/xanzy/go-gitlab"

	"github.com/greenroom-idp/greenroom/ingest/budget"
	"github.com/greenroom-idp/greenroom/ingest/forge"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

// ClientOptions say how hosts are asked; the zero value of a field means what
// is said beside it.
type ClientOptions struct {
	// Next sends the requests; nil: forge.NewTransport.
	Next http.RoundTripper
	// Concurrency is how many requests to one host are under way; 0: 10.
	Concurrency int
	// Metrics and Log tell of budgets; nil: nobody is told.
	Metrics *budget.Metrics
	Log     *slog.Logger
	// Now and Sleep are the clock; nil: the real one.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
}

const (
	userAgent = "greenroom"
	// maxAnswer bounds answers in JSON.
	maxAnswer = 32 << 20
	// askTimeout bounds one request but for files and archives.
	askTimeout = time.Minute
)

var errTooSlow = errors.New("the host did not answer in time")

// Client asks one host, with the token of its integration.
type Client struct {
	host   integration.Host
	base   *url.URL // of the REST API, without a slash at the end
	http   *http.Client
	rest   *gl.Client //lint:ignore SA1019 the successor of this module has the same API and another path; the project has settled on this one
	budget *budget.Transport
}

// NewClient makes the client of a host.
func NewClient(h integration.Host, o ClientOptions) (*Client, error) {
	base, err := url.Parse(h.API())
	if h.Kind != integration.KindGitLab || err != nil {
		return nil, fmt.Errorf("%s has no API", h)
	}
	if o.Next == nil {
		o.Next = forge.NewTransport()
	}
	c := &Client{host: h, base: base}
	c.budget = budget.NewTransport(budget.Options{
		Host: h.Host, Next: o.Next, Concurrency: o.Concurrency, Log: o.Log, Metrics: o.Metrics, Now: o.Now, Sleep: o.Sleep,
		Retries: h.Retry.MaxRetries, RetryStatuses: h.Retry.StatusCodes, PerMinute: h.Retry.MaxAPIRequestsPerMinute,
	})
	c.http = &http.Client{Transport: &signer{host: h, base: base, next: c.budget}, CheckRedirect: forge.CheckRedirect}
	// Tokens, budgets and retries are the business of the transport.
	//lint:ignore SA1019 see Client.rest
	c.rest, err = gl.NewClient("", gl.WithBaseURL(h.API()), gl.WithHTTPClient(c.http), gl.WithoutRetries(), gl.WithCustomLimiter(unlimited{}))
	if err != nil {
		return nil, fmt.Errorf("%s: apiBaseUrl is not a valid URL", h)
	}
	c.rest.UserAgent = userAgent
	return c, nil
}

type unlimited struct{}

func (unlimited) Wait(context.Context) error { return nil }

// Host is the integration of the client.
func (c *Client) Host() integration.Host { return c.host }

// Budgets are what the host allows at this moment.
func (c *Client) Budgets() []budget.State { return c.budget.States() }

type tokenKey struct{}

// withToken makes requests use a token in place of the integration's.
func withToken(ctx context.Context, token string) context.Context {
	if token == "" {
		return ctx
	}
	return context.WithValue(ctx, tokenKey{}, token)
}

// A signer adds the token to requests to the API and to nothing else.
type signer struct {
	host integration.Host
	base *url.URL
	next http.RoundTripper
}

// RoundTrip signs a request to the API.
func (s *signer) RoundTrip(req *http.Request) (*http.Response, error) {
	token, credential := s.host.Token.Value(), budget.Credential{Key: "token", Name: "token"}
	if own, ok := req.Context().Value(tokenKey{}).(string); ok {
		token, credential = own, budget.Credential{Key: fmt.Sprintf("user %x", sha256.Sum256([]byte(own)))}
	}
	signed := req.Clone(req.Context())
	signed.Header.Del("Private-Token") // go-gitlab sends an empty one
	signed.Header.Del("Authorization")
	if token != "" && s.toAPI(req.URL) {
		signed = signed.WithContext(budget.WithCredential(req.Context(), credential))
		signed.Header.Set("Authorization", "Bearer "+token)
	}
	return s.next.RoundTrip(signed)
}

// toAPI tells whether a URL is of the API: a redirect may lead anywhere.
func (s *signer) toAPI(u *url.URL) bool {
	prefix := strings.TrimSuffix(s.base.Path, "/v4") // GraphQL is beside it
	return u.Scheme == s.base.Scheme && strings.EqualFold(u.Host, s.base.Host) && strings.HasPrefix(u.Path, prefix+"/")
}

// send sends a request without a body. The caller closes that of the response.
// Errors are about target, which is what the user knows of.
func (c *Client) send(ctx context.Context, method, target, path string, query url.Values, header http.Header) (*http.Response, error) {
	address := c.base.String() + "/" + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", userAgent)
	for key, values := range header {
		req.Header[key] = values
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, forge.Failed(ctx, target, err)
	}
	return res, nil
}

// get decodes the JSON at a path below the API.
func (c *Client) get(ctx context.Context, path string, query url.Values, into any) (http.Header, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, askTimeout, errTooSlow)
	defer cancel()
	target := c.base.String() + "/" + path
	return forge.Whole(ctx, func() (http.Header, error) {
		res, err := c.send(ctx, http.MethodGet, target, path, query, http.Header{"Accept": {"application/json"}})
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return nil, forge.Status(target, res)
		}
		data, err := forge.ReadBounded(res.Body, "the answer to "+target, maxAnswer)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(data, into); err != nil {
			return nil, fmt.Errorf("answer of %s: %w", target, err)
		}
		return res.Header, nil
	})
}

// exists asks whether there is something at a path below the API.
func (c *Client) exists(ctx context.Context, path string, query url.Values) (bool, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, askTimeout, errTooSlow)
	defer cancel()
	target := c.base.String() + "/" + path
	res, err := c.send(ctx, http.MethodHead, target, path, query, nil)
	if err != nil {
		return false, err
	}
	switch err := res.Body.Close(); {
	case err != nil:
		return false, err
	case res.StatusCode == http.StatusNotFound:
		return false, nil
	case res.StatusCode != http.StatusOK:
		return false, forge.Status(target, res)
	}
	return true, nil
}

// graphQL sends a query. GraphQL is beside the REST API.
func (c *Client) graphQL(ctx context.Context, query string, variables map[string]any, into any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(budget.Repeatable(ctx), askTimeout, errTooSlow)
	defer cancel()
	target := strings.TrimSuffix(c.base.String(), "/v4") + "/graphql"
	data, err := forge.Whole(ctx, func() ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("User-Agent", userAgent)
		res, err := c.http.Do(req)
		if err != nil {
			return nil, forge.Failed(ctx, target, err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return nil, forge.Status(target, res)
		}
		return forge.ReadBounded(res.Body, "the answer to a query", maxAnswer)
	})
	if err != nil {
		return err
	}
	return decodeGraphQL(data, into)
}

// decodeGraphQL reads the answer to a query into a value.
func decodeGraphQL(body []byte, into any) error {
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("answer to a query: %w", err)
	}
	if len(answer.Errors) > 0 {
		return fmt.Errorf("answer to a query: %.500s", answer.Errors[0].Message)
	}
	if len(answer.Data) == 0 || string(answer.Data) == "null" {
		return errors.New("answer to a query: there is no data")
	}
	if err := json.Unmarshal(answer.Data, into); err != nil {
		return fmt.Errorf("answer to a query: %w", err)
	}
	return nil
}

// Clients are those of all hosts that the configuration names.
type Clients struct{ of map[string]*Client }

// NewClients makes a client for every GitLab of the integrations.
func NewClients(set *integration.Set, o ClientOptions) (*Clients, error) {
	all := &Clients{of: map[string]*Client{}}
	for _, h := range set.Hosts() {
		if h.Kind != integration.KindGitLab {
			continue
		}
		c, err := NewClient(h, o)
		if err != nil {
			return nil, err
		}
		all.of[h.Host] = c
	}
	return all, nil
}

var _ API = (*Clients)(nil)

// Client returns the client of a host.
func (all *Clients) Client(host string) (*Client, bool) {
	c, ok := all.of[strings.ToLower(host)]
	return c, ok
}

func (all *Clients) client(host string) (*Client, error) {
	if c, ok := all.Client(host); ok {
		return c, nil
	}
	return nil, fmt.Errorf("there is no entry in integrations.gitlab for host %s", host)
}

// Get decodes the JSON at a path and returns the header of the answer.
func (all *Clients) Get(ctx context.Context, host, path string, query url.Values, into any) (http.Header, error) {
	c, err := all.client(host)
	if err != nil {
		return nil, err
	}
	return c.get(ctx, path, query, into)
}

// Exists asks with HEAD whether there is something at a path.
func (all *Clients) Exists(ctx context.Context, host, path string, query url.Values) (bool, error) {
	c, err := all.client(host)
	if err != nil {
		return false, err
	}
	return c.exists(ctx, path, query)
}

// GraphQL sends a query and decodes the field data of its answer.
func (all *Clients) GraphQL(ctx context.Context, host, query string, variables map[string]any, into any) error {
	c, err := all.client(host)
	if err != nil {
		return err
	}
	return c.graphQL(ctx, query, variables, into)
}
