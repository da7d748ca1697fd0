package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"

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

const userAgent = "greenroom"

// Client asks one host. It signs each request with what the integration has for
// the owner of what is asked for.
type Client struct {
	host   integration.Host
	base   *url.URL     // of the REST API, with a slash at the end
	http   *http.Client // requests need no credentials: its transport adds them
	signer *signer
	budget *budget.Transport
}

// NewClient makes the client of a host with an API.
func NewClient(h integration.Host, o ClientOptions) (*Client, error) {
	if h.Kind != integration.KindGitHub || h.APIBaseURL == "" {
		return nil, fmt.Errorf("%s has no API", h)
	}
	base, err := url.Parse(h.APIBaseURL + "/")
	if err != nil {
		return nil, fmt.Errorf("%s: apiBaseUrl is not a valid URL", h)
	}
	if o.Next == nil {
		o.Next = forge.NewTransport()
	}
	c := &Client{host: h, base: base}
	c.budget = budget.NewTransport(budget.Options{
		Host: h.Host, Next: o.Next, Concurrency: o.Concurrency, Log: o.Log, Metrics: o.Metrics, Now: o.Now, Sleep: o.Sleep,
	})
	c.signer = newSigner(h, base, c.budget, o.Now)
	c.http = &http.Client{Transport: c.signer, CheckRedirect: forge.CheckRedirect}
	return c, nil
}

// rest is go-github. Each use has its own: it refuses requests for the rate
// limits it has seen and knows nothing of several credentials.
func (c *Client) rest() *gh.Client { return restClient(c.http, c.base) }

func restClient(client *http.Client, base *url.URL) *gh.Client {
	rest := gh.NewClient(client)
	rest.BaseURL, rest.UserAgent = base, userAgent
	return rest
}

// Host is the integration of the client.
func (c *Client) Host() integration.Host { return c.host }

// Budgets are what the host allows at this moment.
func (c *Client) Budgets() []budget.State { return c.budget.States() }

// get sends a GET request for what belongs to an owner. The caller closes the
// body. Errors are about target, which is what the user knows of.
func (c *Client) get(ctx context.Context, owner, target, path string, header http.Header) (*http.Response, error) {
	req, err := c.rest().NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	for key, values := range header {
		req.Header[key] = values
	}
	res, err := c.http.Do(req.WithContext(withOwner(ctx, owner)))
	if err != nil {
		return nil, forge.Failed(ctx, target, err)
	}
	return res, nil
}

// graphURL is where GraphQL is: at GitHub Enterprise Server beside the REST API.
func (c *Client) graphURL() string {
	if base, ok := strings.CutSuffix(c.host.APIBaseURL, "/api/v3"); ok {
		return base + "/api/graphql"
	}
	return c.host.APIBaseURL + "/graphql"
}

const (
	queryTimeout = time.Minute
	maxAnswer    = 32 << 20
)

// graphQL sends a query with the credentials for an owner.
func (c *Client) graphQL(ctx context.Context, owner, query string, variables map[string]any, into any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(budget.Repeatable(withOwner(ctx, owner)), queryTimeout, errTooSlow)
	defer cancel()
	data, err := forge.Whole(ctx, func() ([]byte, error) { return c.post(ctx, body) })
	if err != nil {
		return err
	}
	return decodeGraphQL(data, into)
}

var errTooSlow = errors.New("the host did not answer in time")

func (c *Client) post(ctx context.Context, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.graphURL(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", userAgent)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, forge.Failed(ctx, c.graphURL(), err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, &queryError{StatusError: forge.Status(c.graphURL(), res)}
	}
	return forge.ReadBounded(res.Body, "the answer to a query", maxAnswer)
}

// A queryError is a query that was not answered.
type queryError struct{ *forge.StatusError }

// TooMuch: GitHub answers 502 and 504 where a query takes too long.
func (e *queryError) TooMuch() bool {
	return e.Status == http.StatusBadGateway || e.Status == http.StatusGatewayTimeout
}

// renames returns what a commit renamed, old path by new path.
func (c *Client) renames(ctx context.Context, owner, repository, sha string) (map[string]string, error) {
	if !forge.IsCommit(sha) {
		return nil, fmt.Errorf("%.50q is not a commit", sha)
	}
	commit, _, err := c.rest().Repositories.GetCommit(withOwner(ctx, owner), url.PathEscape(owner), url.PathEscape(repository), sha, nil)
	if err != nil {
		return nil, fmt.Errorf("commit %s of %s/%s: %w", sha, owner, repository, c.failure(ctx, err))
	}
	out := map[string]string{}
	for _, f := range commit.Files {
		if f.GetStatus() == "renamed" && f.GetPreviousFilename() != "" {
			out[f.GetFilename()] = f.GetPreviousFilename()
		}
	}
	return out, nil
}

// failure turns an error of go-github, whose text holds URLs, into ours.
func (c *Client) failure(ctx context.Context, err error) error {
	var res *http.Response
	var failed *gh.ErrorResponse
	var limited *gh.RateLimitError
	var abuse *gh.AbuseRateLimitError
	switch {
	case errors.As(err, &failed):
		res = failed.Response
	case errors.As(err, &limited):
		res = limited.Response
	case errors.As(err, &abuse):
		res = abuse.Response
	default:
		return forge.Failed(ctx, c.host.Host, err)
	}
	return forge.Status(c.host.Host, res)
}

// Clients are those of all hosts that the configuration names.
type Clients struct{ of map[string]*Client }

// NewClients makes a client for every GitHub of the integrations that has an
// API.
func NewClients(set *integration.Set, o ClientOptions) (*Clients, error) {
	all := &Clients{of: map[string]*Client{}}
	for _, h := range set.Hosts() {
		if h.Kind != integration.KindGitHub || h.APIBaseURL == "" {
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

var (
	_ API     = (*Clients)(nil)
	_ Commits = (*Clients)(nil)
)

// Client returns the client of a host.
func (all *Clients) Client(host string) (*Client, bool) {
	c, ok := all.of[strings.ToLower(host)]
	return c, ok
}

func (all *Clients) client(host string) (*Client, error) {
	if c, ok := all.Client(host); ok {
		return c, nil
	}
	return nil, fmt.Errorf("there is no entry in integrations.github with an API for host %s", host)
}

// GraphQL sends a query and decodes the field data of its answer.
func (all *Clients) GraphQL(ctx context.Context, host, owner, query string, variables map[string]any, into any) error {
	c, err := all.client(host)
	if err != nil {
		return err
	}
	return c.graphQL(ctx, owner, query, variables, into)
}

// Installations returns the accounts in which an app is installed and not
// suspended.
func (all *Clients) Installations(ctx context.Context, host string, app int64) ([]string, error) {
	c, err := all.client(host)
	if err != nil {
		return nil, err
	}
	return c.signer.accounts(ctx, app)
}

// Renames returns what a commit renamed, old path by new path.
func (all *Clients) Renames(ctx context.Context, host, owner, repository, sha string) (map[string]string, error) {
	c, err := all.client(host)
	if err != nil {
		return nil, err
	}
	return c.renames(ctx, owner, repository, sha)
}
