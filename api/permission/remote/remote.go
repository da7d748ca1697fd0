package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// Target is the plugin that is asked.
const Target = "permission"

const (
	timeout = 10 * time.Second
	maxBody = 1 << 20
)

// An Issuer signs what a plugin sends to one that lives elsewhere.
type Issuer interface {
	PluginToken(ctx context.Context, plugin, target string, who auth.Principal) (string, error)
}

// Options are what a Policy needs; the zero value of a field means what is said
// beside it.
type Options struct {
	// Base returns where the plugin lives, without a slash at the end.
	// Required.
	Base func(ctx context.Context, plugin string) (string, error)
	// Issuer signs. Required.
	Issuer Issuer
	// Plugins are those that this process has, in whose name it may ask. The
	// first asks about permissions of others. Required.
	Plugins []string
	// Own decides for requests that come from this process itself. Required.
	Own permission.Policy
	// Transport carries the requests; nil: that of net/http.
	Transport http.RoundTripper
	// Logger hears why there is no answer; nil: nobody does.
	Logger *slog.Logger
}

// A Policy is one that somebody else has.
type Policy struct {
	o      Options
	client *http.Client
}

var _ permission.Policy = (*Policy)(nil)

// New returns a Policy.
func New(o Options) *Policy {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Policy{o, &http.Client{
		Transport: o.Transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// errUnavailable is what callers hear; the reason is in the log.
var errUnavailable = catalog.NewError(catalog.NameUnavailable,
	"The permission plugin, which lives elsewhere, did not decide; see the log of the server")

// Handle asks. The error is named ServiceUnavailableError where there is no
// answer that makes sense.
func (p *Policy) Handle(ctx context.Context, who auth.Principal, asked permission.Permission) (permission.Decision, error) {
	if who.IsLocal() {
		p.o.Logger.WarnContext(ctx, "discovery.endpoints says that the permission plugin lives elsewhere, and that is here: leave it out")
		return p.o.Own.Handle(ctx, who, asked)
	}
	d, err := p.ask(ctx, who, asked)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return permission.Decision{}, cause
	}
	if err != nil {
		p.o.Logger.ErrorContext(ctx, "the permission plugin did not decide", slog.String("permission", asked.Name), slog.Any("error", err))
		return permission.Decision{}, errUnavailable
	}
	return d, nil
}

func (p *Policy) ask(ctx context.Context, who auth.Principal, asked permission.Permission) (d permission.Decision, err error) {
	plugin := asked.Plugin
	if !slices.Contains(p.o.Plugins, plugin) {
		plugin = p.o.Plugins[0]
	}
	token, err := p.o.Issuer.PluginToken(ctx, plugin, Target, who)
	if err != nil {
		return d, err
	}
	base, err := p.o.Base(ctx, Target)
	if err != nil {
		return d, err
	}
	id := uuid.NewString()
	body, err := p.send(ctx, base+"/authorize", token, question(id, asked))
	if err != nil {
		return d, err
	}
	return parse(body, id)
}

func question(id string, asked permission.Permission) []byte {
	attributes := jsonvalue.NewObject()
	if asked.Action != "" {
		attributes.Set("action", asked.Action)
	}
	described := wire.Obj("type", "basic", "name", asked.Name, "attributes", attributes)
	if asked.ResourceType != "" {
		described.Set("type", "resource")
		described.Set("resourceType", asked.ResourceType)
	}
	return jsonvalue.Append(nil, wire.Obj("items", []any{wire.Obj("id", id, "permission", described)}))
}

func (p *Policy) send(ctx context.Context, url, token string, question []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, err
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s answers %s: %.200q", url, res.Status, body)
	case len(body) > maxBody:
		return nil, fmt.Errorf("%s answers more than %d bytes", url, maxBody)
	}
	return body, nil
}

// parse reads the one item of an answer.
func parse(body []byte, id string) (d permission.Decision, err error) {
	o, err := jsonvalue.ParseObject(body)
	if err != nil {
		return d, fmt.Errorf("answer: %w", err)
	}
	items, _ := o.Value("items").([]any)
	if len(items) != 1 {
		return d, errors.New("answer: there is not the one item that was asked for")
	}
	item, ok := items[0].(*jsonvalue.Object)
	if !ok || item.String("id") != id {
		return d, errors.New("answer: it is about another item")
	}
	switch result := item.String("result"); result {
	case permission.Allow.String():
		d.Result = permission.Allow
	case permission.Deny.String():
	case permission.Conditional.String():
		d.Result = permission.Conditional
		d.Criteria, err = permission.ParseCriteria(item.Value("conditions"))
	default:
		err = fmt.Errorf("answer: %q is no result", result)
	}
	if err != nil {
		return permission.Decision{}, err
	}
	return d, nil
}
