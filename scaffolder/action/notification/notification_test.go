package notification_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/notification"
)

type sender struct {
	sent []notification.Notification
	send func(ctx context.Context) error
}

func (s *sender) Send(ctx context.Context, n notification.Notification) error {
	s.sent = append(s.sent, n)
	if s.send != nil {
		return s.send(ctx)
	}
	return nil
}

func with(s notification.Sender) action.Action {
	return notification.Actions(notification.Options{Sender: s})[0]
}

const all = `{"recipients":"entity","entityRefs":["user:default/guest","group:default/team-a"],"title":"T","info":"I","link":"/x",
	"severity":"high","scope":"S","topic":"P","optional":true}`

func TestConformance(t *testing.T) {
	s := &sender{}
	waiting := make(chan struct{})
	slow := &sender{send: func(ctx context.Context) error {
		close(waiting)
		<-ctx.Done()
		return context.Cause(ctx)
	}}
	actiontest.Run(t, with(s), actiontest.Options{
		Cases:   []actiontest.Case{{Name: "all", Input: all}},
		Effects: func() int { return len(s.sent) },
	})
	t.Run("while it sends", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("cancelled by its user")
		go func() {
			<-waiting
			cancel(cause)
		}()
		c, r := actiontest.NewContext(t)
		require.ErrorIs(t, r.Run(ctx, with(slow), c, all), cause, "also an optional notification does not hide that")
	})
}

func TestSend(t *testing.T) {
	s := &sender{}
	c, r := actiontest.NewContext(t)
	require.NoError(t, r.Run(t.Context(), with(s), c, all))
	require.NoError(t, r.Run(t.Context(), with(s), c, all), "the step runs once more")
	require.Equal(t, []notification.Notification{{EntityRefs: []string{"user:default/guest", "group:default/team-a"}, Title: "T", Description: "I",
		Link: "/x", Severity: "high", Scope: "S", Topic: "P"}}, s.sent, "and the notification is sent once")
	require.Equal(t, []string{"send.notification.T"}, r.Checkpoints())

	each := "0"
	c.Each = &each
	require.NoError(t, r.Run(t.Context(), with(s), c, `{"recipients":"broadcast","entityRefs":["user:default/guest"],"title":"T"}`))
	require.Equal(t, notification.Notification{Title: "T"}, s.sent[1], "each iteration sends its own; everybody is nobody by name")
}

func TestErrors(t *testing.T) {
	failing := &sender{send: func(context.Context) error { return errors.New("the inbox is full") }}
	many := `["` + strings.Repeat(`user:default/a","`, 1001) + `x"]`
	for _, c := range []struct {
		name   string
		sender notification.Sender
		input  string
		want   string
	}{
		{"nobody is named", failing, `{"recipients":"entity","title":"T"`, "Entity references must be provided"},
		{"nobody is named, in a list", failing, `{"recipients":"entity","entityRefs":[],"title":"T"`, "Entity references must be provided"},
		{"too many are named", failing, `{"recipients":"entity","entityRefs":` + many + `,"title":"T"`, "1000 entities at most"},
		{"it cannot be sent", failing, `{"recipients":"broadcast","title":"T"`, "the inbox is full"},
		{"nobody sends", nil, `{"recipients":"broadcast","title":"T"`, "notifications are not enabled on this server"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, r := actiontest.NewContext(t)
			require.ErrorContains(t, r.Run(t.Context(), with(c.sender), ctx, c.input+"}"), c.want)
			require.Empty(t, r.Lines())
			require.NoError(t, r.Run(t.Context(), with(c.sender), ctx, c.input+`,"optional":true}`))
			require.Len(t, r.Lines(), 1)
			require.Contains(t, r.Lines()[0], "error: Failed to send the notification: ")
			require.Contains(t, r.Lines()[0], c.want)
			require.Empty(t, r.Checkpoints(), "it may be tried again")
		})
	}
}

func TestSchema(t *testing.T) {
	a := with(nil)
	require.JSONEq(t, `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false,"required":["recipients","title"],
		"properties":{"recipients":{"type":"string","enum":["broadcast","entity"]},"entityRefs":{"type":"array","items":{"type":"string"}},
		"title":{"type":"string"},"info":{"type":"string"},"link":{"type":"string"},"severity":{"type":"string","enum":["low","normal","high","critical"]},
		"scope":{"type":"string"},"topic":{"type":"string"},"optional":{"type":"boolean"}}}`, actiontest.Undescribed(a.InputSchema()))
	require.False(t, a.DryRun())
	require.False(t, a.Repeatable(), "nobody wants to be told twice")
}
