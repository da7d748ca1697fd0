package notifications

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
)

// Signals tells browsers that something has changed.
type Signals interface {
	Broadcast(channel string, message any)
	Publish(channel string, entityRefs []string, message any)
}

// channel is where the frontend listens for notifications.
const channel = "notifications"

// Options are what a Service needs; the zero value of a field means what is
// said beside it.
type Options struct {
	// Store and Catalog. Required.
	Store   Store
	Catalog Catalog
	// Signals tells browsers of news; nil: nobody is told.
	Signals Signals
	// PortalURL is where links that are paths start; "": they are taken as
	// paths.
	PortalURL string
	// Defaults are the settings of users who did not say otherwise.
	Defaults Settings
	// Retention is how long a notification is kept after it was created or
	// updated; 0: a year; less than 0: for ever.
	Retention time.Duration
	// Logger takes what Clean did; nil: it is lost.
	Logger *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// A Service sends notifications and answers for them.
type Service struct{ Options }

// New checks the options.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Catalog == nil {
		return nil, errors.New("notifications need a store and a catalog")
	}
	if o.Retention == 0 {
		o.Retention = 365 * 24 * time.Hour
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{o}, nil
}

// A Request says what to send to whom.
type Request struct {
	// Broadcast sends to everybody; then EntityRefs is not looked at.
	Broadcast bool
	// EntityRefs are users, groups for their members, and other entities for
	// their owners. Exclude takes some out again.
	EntityRefs, Exclude []string
	Payload             Payload
}

const (
	maxTitle = 1024     // bytes of a title, topic, scope, icon
	maxText  = 32 << 10 // bytes of a description or link
)

// check refuses what cannot be sent.
func (s *Service) check(r *Request) error {
	p := &r.Payload
	switch {
	case p.Title == "":
		return wire.InputError("Invalid notification request received: missing title")
	case len(p.Title) > maxTitle, len(p.Topic) > maxTitle, len(p.Scope) > maxTitle, len(p.Icon) > maxTitle:
		return wire.InputError("title, topic, scope and icon must be 1024 bytes at most")
	case len(p.Description) > maxText, len(p.Link) > maxText:
		return wire.InputError("description and link must be 32768 bytes at most")
	}
	if p.Link != "" {
		if err := checkLink(s.PortalURL, p.Link); err != nil {
			return catalog.WrapError(catalog.NameInput, "Invalid link provided", err)
		}
	}
	p.Severity = normalSeverity(p.Severity)
	return nil
}

// checkLink refuses links that lead a browser to anything but a page: the
// frontend opens them as they are.
func checkLink(portal, link string) error {
	base, err := url.Parse(strings.TrimRight(portal, "/") + "/")
	if err != nil {
		return err
	}
	u, err := url.Parse(strings.TrimPrefix(strings.TrimSpace(link), "/"))
	if err != nil {
		return errors.New("it is no URL")
	}
	if u = base.ResolveReference(u); u.Scheme != "http" && u.Scheme != "https" && (u.Scheme != "" || base.Scheme != "") {
		return catalog.NewError(catalog.NameError, "Only HTTP/HTTPS links are allowed")
	}
	return nil
}

// Send sends a notification in the name of an origin, and returns what was
// stored: one for each user who wants to hear of it, or one for everybody.
// Errors that are the sender's doing are catalog.ErrInput.
func (s *Service) Send(ctx context.Context, origin string, r Request) ([]Notification, error) {
	if err := s.check(&r); err != nil {
		return nil, err
	}
	draft := Notification{Origin: origin, Created: s.Now().Truncate(time.Millisecond), Payload: r.Payload}
	if r.Broadcast {
		return s.deliver(ctx, draft, []string{""})
	}
	users, err := recipients(ctx, s.Catalog, r.EntityRefs, r.Exclude)
	if err != nil {
		if named := (*catalog.Error)(nil); errors.As(err, &named) {
			return nil, catalog.WrapError(catalog.NameInput, "Failed to send user notifications", err)
		}
		return nil, err
	}
	var willing []string
	for _, user := range users {
		settings, err := s.Store.Settings(ctx, user)
		if err != nil {
			return nil, err
		}
		if wants(settings, s.Defaults, origin, r.Payload.Topic) {
			willing = append(willing, user)
		}
	}
	return s.deliver(ctx, draft, willing)
}

// batch is how many notifications are stored in one transaction: others write
// to the same file and wait.
const batch = 500

// deliver stores a notification for each of the users, and tells them.
func (s *Service) deliver(ctx context.Context, draft Notification, users []string) ([]Notification, error) {
	sent := []Notification{}
	for len(users) > 0 {
		n := min(batch, len(users))
		list := make([]Notification, n)
		for i, user := range users[:n] {
			list[i] = draft
			list[i].ID, list[i].User = uuid.NewString(), user
		}
		users = users[n:]
		stored, err := s.Store.Add(ctx, list)
		if err != nil {
			return nil, err
		}
		for i := range stored {
			s.announce(&stored[i])
		}
		sent = append(sent, stored...)
	}
	return sent, nil
}

func (s *Service) announce(n *Notification) {
	if s.Signals == nil {
		return
	}
	message := wire.Obj("action", "new_notification", "notification_id", n.ID)
	if n.User == "" {
		s.Signals.Broadcast(channel, message)
		return
	}
	s.Signals.Publish(channel, []string{n.User}, message)
}

// mark changes what a user made of some notifications, and tells the user's
// other browsers.
func (s *Service) mark(ctx context.Context, user string, ids []string, read, saved *bool) error {
	now := s.Now().Truncate(time.Millisecond)
	at := func(set *bool) *time.Time {
		switch {
		case set == nil:
			return nil
		case *set:
			return &now
		}
		return &time.Time{}
	}
	if read == nil && saved == nil || len(ids) == 0 {
		return nil
	}
	if err := s.Store.Mark(ctx, user, ids, Mark{Read: at(read), Saved: at(saved)}); err != nil {
		return err
	}
	if read != nil && s.Signals != nil {
		action := "notification_unread"
		if *read {
			action = "notification_read"
		}
		s.Signals.Publish(channel, []string{user}, wire.Obj("action", action, "notification_ids", wire.Strings(ids)))
	}
	return nil
}

// Clean forgets what is older than the retention.
func (s *Service) Clean(ctx context.Context) error {
	if s.Retention < 0 {
		return nil
	}
	n, err := s.Store.Clean(ctx, s.Now().Add(-s.Retention))
	if err != nil {
		return err
	}
	s.Logger.InfoContext(ctx, "old notifications were deleted", slog.Int("count", n))
	return nil
}
