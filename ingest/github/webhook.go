package github

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/ingest/budget"
	"github.com/greenroom-idp/greenroom/ingest/provider"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

// WebhookSource is the source of deliveries from GitHub.
const WebhookSource = "github"

// An event is what a delivery says, as far as it matters here. Fields that an
// event does not have are empty.
type event struct {
	Name string `json:"-"` // such as push

	Action     string          `json:"action"`
	Ref        string          `json:"ref"`
	After      string          `json:"after"`
	Deleted    bool            `json:"deleted"`
	Commits    []eventCommit   `json:"commits"`
	Repository eventRepository `json:"repository"`
	Org        eventAccount    `json:"organization"`
	Team       *eventTeam      `json:"team"`
	Member     eventAccount    `json:"member"`
	Membership struct {
		User eventAccount `json:"user"`
	} `json:"membership"`
	Installation struct {
		Account eventAccount `json:"account"`
		AppID   int64        `json:"app_id"`
	} `json:"installation"`
	Changes eventChanges `json:"changes"`
}

type eventCommit struct {
	ID       string   `json:"id"`
	Added    []string `json:"added"`
	Removed  []string `json:"removed"`
	Modified []string `json:"modified"`
}

type eventAccount struct {
	Login string `json:"login"`
	Name  string `json:"name"` // in pushes of old hosts the login
}

type eventRepository struct {
	Name          string       `json:"name"`
	FullName      string       `json:"full_name"`
	HTMLURL       string       `json:"html_url"`
	DefaultBranch string       `json:"default_branch"`
	Private       bool         `json:"private"`
	Visibility    string       `json:"visibility"`
	Archived      bool         `json:"archived"`
	Fork          bool         `json:"fork"`
	Topics        []string     `json:"topics"`
	Owner         eventAccount `json:"owner"`
}

type eventTeam struct {
	Name    string     `json:"name"`
	Slug    string     `json:"slug"`
	HTMLURL string     `json:"html_url"`
	Parent  *eventTeam `json:"parent"`
}

// eventChanges are the values before an event.
type eventChanges struct {
	// Name is that of a team.
	Name struct {
		From string `json:"from"`
	} `json:"name"`
	Repository struct {
		Name struct {
			From string `json:"from"`
		} `json:"name"`
	} `json:"repository"`
	Owner struct {
		From struct {
			User, Organization eventAccount
		} `json:"from"`
	} `json:"owner"`
	DefaultBranch struct {
		From string `json:"from"`
	} `json:"default_branch"`
}

// owner is the login of the owner of the repository.
func (r *eventRepository) owner() string {
	if owner, _, ok := strings.Cut(r.FullName, "/"); ok {
		return owner
	}
	if r.Owner.Login != "" {
		return r.Owner.Login
	}
	return r.Owner.Name
}

// branch returns the branch that a push was to, "" for tags.
func (e *event) branch() string {
	branch, ok := strings.CutPrefix(e.Ref, "refs/heads/")
	if !ok {
		return ""
	}
	return branch
}

// maxCommits is how many commits a push lists; one with as many may have left
// others out.
const maxCommits = 2048

// net returns what a push did to files. It is nothing for a push that may not
// have told all.
func (e *event) net() []webhook.FileChange {
	if e.Deleted || len(e.Commits) >= maxCommits {
		return nil
	}
	commits := make([]webhook.Commit, len(e.Commits))
	for i, c := range e.Commits {
		commits[i] = webhook.Commit{Added: c.Added, Modified: c.Modified, Removed: c.Removed}
	}
	return webhook.Net(commits)
}

// from is the URL of the page of the repository before it was renamed or got
// another owner, "" if neither has happened.
func (e *event) from() string {
	owner, name := e.Repository.owner(), e.Repository.Name
	before := e.Changes.Repository.Name.From
	beforeOwner := e.Changes.Owner.From.Organization.Login
	if beforeOwner == "" {
		beforeOwner = e.Changes.Owner.From.User.Login
	}
	if before == "" && beforeOwner == "" {
		return ""
	}
	base, ok := strings.CutSuffix(e.Repository.HTMLURL, "/"+owner+"/"+name)
	if !ok {
		return ""
	}
	if before == "" {
		before = name
	}
	if beforeOwner == "" {
		beforeOwner = owner
	}
	from := base + "/" + beforeOwner + "/" + before
	if from == e.Repository.HTMLURL {
		return ""
	}
	return from
}

// An eventHandler acts upon events. It ignores those that are not for it.
type eventHandler interface {
	handle(ctx context.Context, e *event, to Sink) error
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

// WebhookOptions say how deliveries of GitHub are taken. Sink and SCM are
// required.
type WebhookOptions struct {
	// Secrets are those of all webhooks and apps; one must have signed.
	Secrets []string
	Sink    Sink
	SCM     *webhook.SCM
	// Commits finds out what a commit renamed; nil: nobody does.
	Commits Commits
	// Discoveries and Organizations are told of events.
	Discoveries   []*Discovery
	Organizations []*OrgData
	// Heads is told of pushes; nil: nobody is.
	Heads Heads
	// Known tells whether a host has an integration; events of others have no
	// effect.
	Known func(host string) bool
}

// Commits reads commits of a host.
type Commits interface {
	// Renames returns what a commit renamed, old path by new path.
	Renames(ctx context.Context, host, owner, repository, sha string) (map[string]string, error)
}

// Heads remember which commits branches are at.
type Heads interface {
	// Observe notes that a branch of a repository, by the URL of its page, was
	// at a commit at a time.
	Observe(repository, branch, commit string, at time.Time)
}

// A Webhook takes deliveries of GitHub and acts upon them.
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
		w.handlers = append(w.handlers, &scmHandler{scm: o.SCM, commits: o.Commits})
	}
	return w
}

// errSignature is the answer to who cannot sign.
var errSignature = &webhook.RefusedError{Reason: "invalid signature"}

// Accept checks the signature of a delivery and says what it is about. The
// error is a *webhook.RefusedError, or webhook.ErrUnusable for what is no
// event at all.
func (w *Webhook) Accept(h http.Header, body []byte) (webhook.Delivery, error) {
	if !w.signed(h.Get("X-Hub-Signature-256"), body) {
		return webhook.Delivery{}, errSignature
	}
	var about struct {
		Repository struct {
			FullName string `json:"full_name"`
			HTMLURL  string `json:"html_url"`
		} `json:"repository"`
		Organization struct {
			Login string `json:"login"`
		} `json:"organization"`
	}
	if err := json.Unmarshal(body, &about); err != nil {
		return webhook.Delivery{}, fmt.Errorf("%w: %w", webhook.ErrUnusable, err)
	}
	d := webhook.Delivery{Source: WebhookSource, Event: bounded(h.Get("X-GitHub-Event")), Body: body}
	d.Lane = bounded(WebhookSource + ":" + about.Repository.HTMLURL)
	if about.Repository.HTMLURL == "" {
		d.Lane = bounded(WebhookSource + ":" + about.Organization.Login)
	}
	d.SetID(h.Get("X-GitHub-Delivery"))
	return d, nil
}

// bounded cuts what comes from outside and becomes a key or a label.
func bounded(s string) string { return s[:min(len(s), 256)] }

// signed tells whether one of the secrets made the signature. It takes the
// same time wherever signatures differ.
func (w *Webhook) signed(signature string, body []byte) bool {
	given, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
	if err != nil || !strings.HasPrefix(signature, "sha256=") {
		return false
	}
	ok := false
	for _, secret := range w.opts.Secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		ok = hmac.Equal(given, mac.Sum(nil)) || ok
	}
	return ok
}

// handled are the events that somebody acts upon.
var handled = map[string]bool{
	"push": true, "repository": true, "organization": true, "team": true, "membership": true, "installation": true,
}

// Handle acts upon a delivery. It is a webhook.Handler.
func (w *Webhook) Handle(ctx context.Context, d webhook.Delivery) error {
	if !handled[d.Event] {
		return nil
	}
	e := &event{Name: d.Event}
	if err := json.Unmarshal(d.Body, e); err != nil {
		return fmt.Errorf("%w: %w", webhook.ErrUnusable, err)
	}
	e.Repository.HTMLURL = strings.TrimSuffix(e.Repository.HTMLURL, "/")
	if host := hostOf(e.Repository.HTMLURL); host != "" && w.opts.Known != nil && !w.opts.Known(host) {
		return nil
	}
	if branch := e.branch(); w.opts.Heads != nil && e.Name == "push" && branch != "" && !e.Deleted {
		w.opts.Heads.Observe(e.Repository.HTMLURL, branch, e.After, d.Received)
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
