package main

import (
	"context"

	"github.com/greenroom-idp/greenroom/api/notifications"
	"github.com/greenroom-idp/greenroom/scaffolder/action/notification"
)

// taskNotices delivers the notifications of tasks.
type taskNotices struct{ service *notifications.Service }

var _ notification.Sender = taskNotices{}

// Send implements notification.Sender.
func (t taskNotices) Send(ctx context.Context, n notification.Notification) error {
	_, err := t.service.Send(ctx, "plugin:scaffolder", notifications.Request{
		Broadcast: n.EntityRefs == nil, EntityRefs: n.EntityRefs,
		Payload: notifications.Payload{
			Title: n.Title, Description: n.Description, Link: n.Link, Severity: n.Severity, Scope: n.Scope, Topic: n.Topic,
		},
	})
	return err
}
