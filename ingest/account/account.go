package account

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/ingest/budget"
	"github.com/greenroom-idp/greenroom/ingest/forge"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

// An Account is how to work at a host.
type Account struct {
	// API is the base of the REST API and BaseURL that of the pages, without a
	// slash at the end.
	API, BaseURL string
	// HTTP signs requests to the API, keeps to the budget of the host as work
	// that a user waits for, and sends them again where that does no harm.
	HTTP *http.Client
	// User and Password are for Git over HTTP; Password is "" where there are no
	// credentials.
	User, Password string
}

// Options say how hosts are asked; the zero value of a field means what is said
// beside it.
type Options struct {
	// Next sends the requests; nil: forge.NewTransport.
	Next http.RoundTripper
	// Metrics and Log tell of budgets; nil: nobody is told.
	Metrics *budget.Metrics
	Log     *slog.Logger
	// Sleep waits before a request is sent again; nil: a timer.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Accounts are those of all hosts of some kinds.
type Accounts struct{ of map[string]*host }

type host struct {
	integration.Host
	api       *url.URL
	transport http.RoundTripper
}

// timeout bounds a request with its answer.
const timeout = time.Minute

// New takes the hosts of a set that are Gitea or Bitbucket Cloud.
func New(set *integration.Set, o Options) (*Accounts, error) {
	if o.Next == nil {
		o.Next = forge.NewTransport()
	}
	all := &Accounts{of: map[string]*host{}}
	for _, h := range set.Hosts() {
		if h.Kind != integration.KindGitea && h.Kind != integration.KindBitbucketCloud {
			continue
		}
		api, err := url.Parse(h.API())
		if err != nil {
			return nil, fmt.Errorf("%s: the API has no valid URL", h)
		}
		all.of[h.Host] = &host{Host: h, api: api, transport: budget.NewTransport(budget.Options{
			Host: api.Host, Next: o.Next, Metrics: o.Metrics, Log: o.Log, Sleep: o.Sleep})}
	}
	return all, nil
}

// Account returns how to work at a host of a kind: with the token of the caller
// or, where that is "", with the credentials of the integration. It is false for
// hosts that are not configured as such.
func (all *Accounts) Account(kind, name, token string) (Account, bool) {
	h, ok := all.of[name]
	if !ok || h.Kind != kind {
		return Account{}, false
	}
	a := Account{API: strings.TrimRight(h.API(), "/"), BaseURL: h.BaseURL}
	s := &signer{host: h}
	a.HTTP = &http.Client{Transport: s, CheckRedirect: forge.CheckRedirect, Timeout: timeout}
	if token != "" {
		a.User, a.Password = "x-token-auth", token
		s.authorization, s.credential = "Bearer "+token, budget.Credential{Key: fmt.Sprintf("user %x", sha256.Sum256([]byte(token)))}
		return a, true
	}
	if a.User, a.Password = h.GitCredentials(); a.Password != "" {
		s.authorization, s.credential = h.authorization(), budget.Credential{Key: "token", Name: "token"}
	}
	return a, true
}

// authorization is the header for the API with the credentials of the
// integration.
func (h *host) authorization() string {
	password := h.Git.Password.Value()
	if !h.Token.IsZero() {
		password = h.Token.Value()
	}
	switch {
	case h.Git.Username != "":
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(h.Git.Username, password)
		return r.Header.Get("Authorization")
	case h.Kind == integration.KindGitea:
		return "token " + password
	}
	return "Bearer " + password
}

// A signer adds the credentials to requests to the API and to nothing else.
type signer struct {
	host          *host
	authorization string
	credential    budget.Credential
}

// RoundTrip signs a request. One that sets a thing to a state, or removes it,
// does the same when it is sent twice.
func (s *signer) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := budget.Urgent(req.Context(), time.Time{})
	if req.Method == http.MethodPut || req.Method == http.MethodPatch || req.Method == http.MethodDelete {
		ctx = budget.Repeatable(ctx)
	}
	if s.authorization == "" || !s.toAPI(req.URL) {
		out := req.Clone(ctx)
		out.Header.Del("Authorization")
		return s.host.transport.RoundTrip(out)
	}
	out := req.Clone(budget.WithCredential(ctx, s.credential))
	out.Header.Set("Authorization", s.authorization)
	return s.host.transport.RoundTrip(out)
}

// toAPI tells whether a URL is of the API: a redirect may lead anywhere.
func (s *signer) toAPI(u *url.URL) bool {
	api := s.host.api
	return u.Scheme == api.Scheme && strings.EqualFold(u.Host, api.Host) && strings.HasPrefix(u.Path, strings.TrimRight(api.Path, "/")+"/")
}
