package notification

import (
	"context"
	"errors"
	"fmt"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

// A Sender delivers notifications. Implementations are safe for concurrent use
// and end when ctx does.
type Sender interface {
	// Send delivers one notification in the name of the scaffolder.
	Send(ctx context.Context, n Notification) error
}

// A Notification is a message to users. Empty fields are not set; the sender
// decides what that means.
type Notification struct {
	// EntityRefs are the users and groups that are told; nil: everybody.
	EntityRefs []string
	Title      string
	// Description is the text below the title.
	Description string
	// Link is where the reader is led to.
	Link string
	// Severity is low, normal, high or critical.
	Severity string
	// Scope makes a later notification of the same scope replace this one.
	Scope string
	Topic string
}

// Options say who delivers.
type Options struct {
	// Sender delivers; nil: sending fails.
	Sender Sender
}

// maxRefs is how many receivers a notification may name.
const maxRefs = 1000

// everybody and some are whom a notification may be for.
const (
	everybody = "broadcast"
	some      = "entity"
)

type input struct {
	Recipients string   `json:"recipients" enum:"broadcast,entity" doc:"Who is told: everybody, or the entities that are named"`
	EntityRefs []string `json:"entityRefs,omitempty" doc:"The users and groups to tell, where recipients is entity"`
	Title      string   `json:"title" doc:"The title"`
	Info       string   `json:"info,omitempty" doc:"The text below the title"`
	Link       string   `json:"link,omitempty" doc:"A URL that the notification leads to"`
	Severity   string   `json:"severity,omitempty" enum:"low,normal,high,critical" doc:"How urgent it is"`
	Scope      string   `json:"scope,omitempty" doc:"A later notification of the same scope replaces this one"`
	Topic      string   `json:"topic,omitempty" doc:"What it is about, for those who choose by topic what they are told"`
	Optional   bool     `json:"optional,omitempty" doc:"Go on if the notification cannot be sent"`
}

// Actions returns the actions of this package.
func Actions(o Options) []action.Action {
	return []action.Action{action.New(action.Spec{
		ID:          "notification:send",
		Description: "Sends a notification to users, groups or everybody.",
		Examples: []action.Example{{
			Description: "Tell everybody",
			Example: "steps:\n  - id: notify\n    name: Announce the service\n    action: notification:send\n    input:\n" +
				"      recipients: broadcast\n      title: A new service\n      info: ${{ parameters.name }} is ready\n" +
				"      link: ${{ steps.publish.output.remoteUrl }}\n      severity: low\n",
		}, {
			Description: "Tell a team",
			Example: "steps:\n  - id: notify\n    name: Tell the team\n    action: notification:send\n    input:\n" +
				"      recipients: entity\n      entityRefs:\n        - group:default/team-a\n      title: Please review ${{ parameters.name }}\n      optional: true\n",
		}},
	}, func(ctx context.Context, c *action.Context, in input) error { return run(ctx, c, o.Sender, in) })}
}

func run(ctx context.Context, c *action.Context, sender Sender, in input) error {
	err := in.check()
	if err == nil {
		err = send(ctx, c, sender, in)
	}
	if err != nil && in.Optional && ctx.Err() == nil {
		c.Log.Error("Failed to send the notification: " + err.Error())
		return nil
	}
	return err
}

func (in input) check() error {
	switch {
	case in.Recipients == some && len(in.EntityRefs) == 0:
		return catalog.NewError(catalog.NameError, "Entity references must be provided")
	case len(in.EntityRefs) > maxRefs:
		return catalog.NewError(catalog.NameInput, fmt.Sprintf("entityRefs: a notification may name %d entities at most; name a group", maxRefs))
	}
	return nil
}

// errNoSender is returned where notifications are switched off.
var errNoSender = errors.New("notifications are not enabled on this server; remove the step, or set optional: true")

func send(ctx context.Context, c *action.Context, sender Sender, in input) error {
	if sender == nil {
		return errNoSender
	}
	n := Notification{Title: in.Title, Description: in.Info, Link: in.Link, Severity: in.Severity, Scope: in.Scope, Topic: in.Topic}
	if in.Recipients == some {
		n.EntityRefs = in.EntityRefs
	}
	// Checkpoints belong to the step, and its iterations may share a title.
	key := "send.notification." + in.Title
	if c.Each != nil {
		key += "." + *c.Each
	}
	_, err := action.Checkpoint(ctx, c, key, func(ctx context.Context) (bool, error) {
		return true, sender.Send(ctx, n)
	})
	return err
}
