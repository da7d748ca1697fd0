package gitlab

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/ingest/budget"
	"github.com/greenroom-idp/greenroom/ingest/provider"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

// WebhookSource is the source of deliveries from GitLab.
const WebhookSource = "gitlab"

// An event is what a delivery says, as far as it matters here, be it of a
// webhook or of a system hook. Fields that an event does not have are empty.
type event struct {
	Kind string `json:"object_kind"`
	Name string `json:"event_name"`

	Ref          string        `json:"ref"`
	After        string        `json:"after"`
	ProjectID    int64         `json:"project_id"`
	Project      eventProject  `json:"project"`
	Commits      []eventCommit `json:"commits"`
	TotalCommits int           `json:"total_commits_count"`

	GroupID   int64  `json:"group_id"`
	GroupPath string `json:"group_path"`
	FullPath  string `json:"full_path"`
	UserID    int64  `json:"user_id"`
	Username  string `json:"username"`

	// Path and OldPath are of a project, in system hooks.
	Path    string `json:"path_with_namespace"`
	OldPath string `json:"old_path_with_namespace"`

	// instance is the URL of the host, without a slash at the end, "" where
	// nothing says it.
	instance string
}

type eventProject struct {
	ID            int64  `json:"id"`
	WebURL        string `json:"web_url"`
	Path          string `json:"path_with_namespace"`
	DefaultBranch string `json:"default_branch"`
}

// An eventCommit has lists of files, or none at all in system hooks.
type eventCommit struct {
	Added, Modified, Removed []string
}

// name is what the event is called, in whichever kind of hook.
func (e *event) name() string {
	if e.Kind != "" {
		return e.Kind
	}
	return e.Name
}

// branch returns the branch that a push was to, "" for tags and for a branch
// that was deleted.
func (e *event) branch() string {
	branch, ok := strings.CutPrefix(e.Ref, "refs/heads/")
	if !ok || strings.Trim(e.After, "0") == "" {
		return ""
	}
	return branch
}

// net returns what a push did to files. It is not known where the event leaves
// out commits, of which it has twenty at most, or their files.
func (e *event) net() (changes []webhook.FileChange, known bool) {
	if e.TotalCommits > len(e.Commits) {
		return nil, false
	}
	commits := make([]webhook.Commit, len(e.Commits))
	for i, c := range e.Commits {
		if c.Added == nil && c.Modified == nil && c.Removed == nil {
			return nil, false
		}
		commits[i] = webhook.Commit(c)
	}
	return webhook.Net(commits), true
}

// host is the host and port that an event is of, "" where nothing says it.
func (e *event) host() string {
	for _, raw := range []string{e.Project.WebURL, e.instance} {
		if u, err := url.Parse(raw); err == nil && u.Host != "" {
			return strings.ToLower(u.Host)
		}
	}
	return ""
}

// A Sink takes what events change.
type Sink interface {
	// Apply stores what an event says of the entities of a provider.
	Apply(ctx context.Context, provider string, c provider.Change) error
	// RefreshKeys processes again the entities that hold one of the keys.
	RefreshKeys(ctx context.Context, keys []string) error
	// Trigger polls a provider soon.
	Trigger(provider string) error
}

// Heads remember which commits branches are at.
type Heads interface {
	// Observe notes that a branch of a project, by the URL of its page, was at
	// a commit at a time.
	Observe(project, branch, commit string, at time.Time)
}

// An eventHandler acts upon events. It ignores those that are not for it.
type eventHandler interface {
	handle(ctx context.Context, e *event, to Sink) error
}

// WebhookOptions say how deliveries of GitLab are taken. Secret, Sink and SCM
// are required.
type WebhookOptions struct {
	Secret string
	Sink   Sink
	SCM    *webhook.SCM
	// Discoveries and Organizations are told of events.
	Discoveries   []*Discovery
	Organizations []*OrgData
	// Heads is told of pushes; nil: nobody is.
	Heads Heads
	// Known tells whether a host has an integration; events of others have no
	// effect. Nil: all do.
	Known func(host string) bool
}

// A Webhook takes deliveries of GitLab and acts upon them.
type Webhook struct {
	opts     WebhookOptions
	handlers []eventHandler
}

// NewWebhook returns what takes deliveries.
func NewWebhook(o WebhookOptions) *Webhook {
	w := &Webhook{opts: o}
	for _, d := range o.Discoveries {
		w.handlers = append(w.handlers, d)
	}
	for _, d := range o.Organizations {
		w.handlers = append(w.handlers, d)
	}
	if !o.SCM.Off() {
		w.handlers = append(w.handlers, &scmHandler{o.SCM})
	}
	return w
}

var errToken = &webhook.RefusedError{Reason: "invalid token"}

// Accept checks the token of a delivery and says what it is about. The error
// is a *webhook.RefusedError, or webhook.ErrUnusable for what is no event at
// all.
func (w *Webhook) Accept(h http.Header, body []byte) (webhook.Delivery, error) {
	given, want := sha256.Sum256([]byte(h.Get("X-Gitlab-Token"))), sha256.Sum256([]byte(w.opts.Secret))
	if w.opts.Secret == "" || subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
		return webhook.Delivery{}, errToken
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return webhook.Delivery{}, fmt.Errorf("%w: %w", webhook.ErrUnusable, err)
	}
	d := webhook.Delivery{Source: WebhookSource, Event: bounded(e.name()), Body: body, Instance: bounded(h.Get("X-Gitlab-Instance"))}
	d.Lane = bounded(WebhookSource + ":" + e.Project.WebURL)
	if e.Project.WebURL == "" {
		d.Lane = bounded(WebhookSource + ":" + e.host())
	}
	d.SetID(h.Get("Idempotency-Key"))
	return d, nil
}

// bounded cuts what comes from outside and becomes a key or a label.
func bounded(s string) string { return s[:min(len(s), 256)] }

// Handle acts upon a delivery. It is a webhook.Handler.
func (w *Webhook) Handle(ctx context.Context, d webhook.Delivery) error {
	e := &event{instance: strings.TrimSuffix(d.Instance, "/")}
	if err := json.Unmarshal(d.Body, e); err != nil {
		return fmt.Errorf("%w: %w", webhook.ErrUnusable, err)
	}
	e.Project.WebURL = strings.TrimSuffix(e.Project.WebURL, "/")
	if host := e.host(); host != "" && w.opts.Known != nil && !w.opts.Known(host) {
		return nil
	}
	if branch := e.branch(); w.opts.Heads != nil && e.name() == "push" && branch != "" && e.Project.WebURL != "" {
		w.opts.Heads.Observe(e.Project.WebURL, branch, e.After, d.Received)
	}
	ctx = budget.Urgent(ctx, d.Received)
	var errs []error
	for _, h := range w.handlers {
		if err := h.handle(ctx, e, w.opts.Sink); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
