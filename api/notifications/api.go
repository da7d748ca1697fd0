package notifications

import (
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// caller returns the entity ref of the user who asks.
func caller(c *gin.Context) (string, error) {
	p := auth.PrincipalFrom(c.Request.Context())
	return p.Subject, p.NeedUser()
}

// inbox returns who asks and what that user sees.
func (s *Service) inbox(c *gin.Context) (user string, list []Notification, err error) {
	if user, err = caller(c); err != nil {
		return "", nil, err
	}
	list, err = s.Store.Inbox(c.Request.Context(), user)
	return user, list, err
}

// List answers GET /notifications.
func (s *Service) List(c *gin.Context) (any, error) {
	q, err := readQuery(c.Request.URL.RawQuery, listParameters)
	if err != nil {
		return nil, err
	}
	_, inbox, err := s.inbox(c)
	if err != nil {
		return nil, err
	}
	page, total := q.Select(inbox)
	return wire.Obj("totalCount", float64(total), "notifications", objects(page)), nil
}

// Topics answers GET /topics.
func (s *Service) Topics(c *gin.Context) (any, error) {
	q, err := readQuery(c.Request.URL.RawQuery, topicParameters)
	if err != nil {
		return nil, err
	}
	_, inbox, err := s.inbox(c)
	if err != nil {
		return nil, err
	}
	return wire.Obj("topics", wire.Strings(q.Topics(inbox))), nil
}

// Status answers GET /status, which every page of the portal asks.
func (s *Service) Status(c *gin.Context) (any, error) {
	if _, err := readQuery(c.Request.URL.RawQuery, nil); err != nil {
		return nil, err
	}
	user, err := caller(c)
	if err != nil {
		return nil, err
	}
	status, err := s.Store.Status(c.Request.Context(), user)
	if err != nil {
		return nil, err
	}
	return wire.Obj("unread", float64(status.Unread), "read", float64(status.Read)), nil
}

// One answers GET /notifications/:id.
func (s *Service) One(c *gin.Context) (any, error) {
	id, ok := wire.Param(c, "id")
	if !ok {
		return nil, wire.MalformedPath()
	}
	_, inbox, err := s.inbox(c)
	if err != nil {
		return nil, err
	}
	found, _ := (&Query{IDs: []string{id}}).Select(inbox)
	if len(found) == 0 {
		return nil, wire.NotFound("Not found")
	}
	return found[0].object(), nil
}

// Update answers POST /notifications/update.
func (s *Service) Update(c *gin.Context) (any, error) {
	user, err := caller(c)
	if err != nil {
		return nil, err
	}
	u, err := readUpdate(c)
	if err != nil {
		return nil, err
	}
	if err := s.mark(c.Request.Context(), user, u.ids, u.read, u.saved); err != nil {
		return nil, err
	}
	_, inbox, err := s.inbox(c)
	if err != nil {
		return nil, err
	}
	changed, _ := (&Query{IDs: u.ids}).Select(inbox)
	return objects(changed), nil
}

// UserSettings answers GET /settings.
func (s *Service) UserSettings(c *gin.Context) (any, error) {
	user, inbox, err := s.inbox(c)
	if err != nil {
		return nil, err
	}
	settings, err := s.Store.Settings(c.Request.Context(), user)
	if err != nil {
		return nil, err
	}
	return effective(settings, s.Defaults, subjects(inbox, s.Defaults)), nil
}

// SetUserSettings answers POST /settings.
func (s *Service) SetUserSettings(c *gin.Context) (any, error) {
	user, err := caller(c)
	if err != nil {
		return nil, err
	}
	settings, err := readSettings(c)
	if err != nil {
		return nil, err
	}
	if err := s.Store.PutSettings(c.Request.Context(), user, settings.normal()); err != nil {
		return nil, err
	}
	return s.UserSettings(c)
}

// Create answers POST /notifications: programs send.
func (s *Service) Create(c *gin.Context) (any, error) {
	ctx := c.Request.Context()
	p := auth.PrincipalFrom(ctx)
	if err := p.NeedService(); err != nil {
		return nil, err
	}
	request, payload, err := readRequest(c)
	if err != nil {
		return nil, err
	}
	sent, err := s.Send(ctx, p.Subject, request)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(sent))
	for i := range sent {
		out[i] = created(&sent[i], payload)
	}
	return out, nil
}

// created is a notification as its sender sees it: one that is new has the
// payload as it was sent.
func created(n *Notification, payload *jsonvalue.Object) any {
	if !n.Updated.IsZero() {
		return n.object()
	}
	return wire.Obj("payload", payload, "origin", n.Origin, "created", isoTime(n.Created), "id", n.ID, "user", orNull(n.User))
}

// readRequest reads what to send, and the payload as it came, completed with
// its severity.
func readRequest(c *gin.Context) (Request, *jsonvalue.Object, error) {
	body, err := readBody(c)
	if err != nil {
		return Request{}, nil, err
	}
	if fault := requestShape.check(body, "request/body"); fault != "" {
		return Request{}, nil, wire.InputError(fault)
	}
	payload, to := body.Object("payload"), body.Object("recipients")
	r := Request{
		Broadcast:  to.String("type") == "broadcast",
		EntityRefs: oneOrMore(to.Value("entityRef")), Exclude: oneOrMore(to.Value("excludeEntityRef")),
		Payload: Payload{
			Title: payload.String("title"), Description: payload.String("description"), Link: payload.String("link"),
			Topic: payload.String("topic"), Severity: payload.String("severity"), Scope: payload.String("scope"),
			Icon: payload.String("icon"),
		},
	}
	if !r.Broadcast && !to.Has("entityRef") {
		return Request{}, nil, wire.InputError("request/body/recipients must have required property 'entityRef'")
	}
	if payload.String("severity") == "" {
		payload.Set("severity", defaultSeverity)
	}
	return r, payload, nil
}

func oneOrMore(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, item := range v {
			if s, ok := item.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// update is what POST /notifications/update asks for.
type update struct {
	ids         []string
	read, saved *bool
}

func readUpdate(c *gin.Context) (update, error) {
	body, err := readBody(c)
	if err != nil {
		return update{}, err
	}
	if fault := updateShape.check(body, "request/body"); fault != "" {
		return update{}, wire.InputError(fault)
	}
	u := update{ids: oneOrMore(body.Value("ids"))}
	for i, id := range u.ids {
		u.ids[i] = strings.ToLower(id)
	}
	if read, ok := body.Value("read").(bool); ok {
		u.read = &read
	}
	if saved, ok := body.Value("saved").(bool); ok {
		u.saved = &saved
	}
	return u, nil
}
