package boltnotices_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/greenroom-idp/greenroom/api/notifications"
	"github.com/greenroom-idp/greenroom/api/notifications/boltnotices"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, path string) (*boltnotices.Store, *bbolt.DB) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	s, err := boltnotices.Open(db)
	require.NoError(t, err)
	return s, db
}

func news(user, title string, after time.Duration) notifications.Notification {
	return notifications.Notification{ID: uuid.NewString(), User: user, Origin: "plugin:x", Created: start.Add(after),
		Payload: notifications.Payload{Title: title, Severity: "normal", Topic: "t"}}
}

func titles(list []notifications.Notification) (out []string) {
	for _, n := range list {
		out = append(out, n.Payload.Title)
	}
	return out
}

func TestInboxAndMarks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s, db := open(t, path)
	ctx := t.Context()
	list := []notifications.Notification{
		news("jane", "first", 0), news("", "to all", time.Second), news("joe", "other", 2*time.Second), news("jane", "second", 3*time.Second),
	}
	stored, err := s.Add(ctx, list)
	require.NoError(t, err)
	require.Equal(t, list, stored)

	inbox, err := s.Inbox(ctx, "jane")
	require.NoError(t, err)
	require.Equal(t, []notifications.Notification{list[3], list[1], list[0]}, inbox, "newest first, and nothing of joe's")
	now := start.Add(time.Hour)
	require.NoError(t, s.Mark(ctx, "jane", []string{list[0].ID, list[1].ID, list[2].ID, "nonsense", uuid.NewString()}, notifications.Mark{Read: &now}))
	require.NoError(t, s.Mark(ctx, "jane", []string{list[1].ID}, notifications.Mark{Saved: &now}))
	require.NoError(t, s.Mark(ctx, "jane", []string{list[3].ID}, notifications.Mark{}))
	require.NoError(t, db.Close())

	s, _ = open(t, path)
	inbox, err = s.Inbox(ctx, "jane")
	require.NoError(t, err)
	require.Equal(t, []time.Time{{}, now, now}, []time.Time{inbox[0].Read, inbox[1].Read, inbox[2].Read})
	require.Equal(t, []time.Time{{}, now, {}}, []time.Time{inbox[0].Saved, inbox[1].Saved, inbox[2].Saved})
	for user, want := range map[string]notifications.Status{
		"jane": {Unread: 1, Read: 2}, "joe": {Unread: 2}, "nobody": {Unread: 1},
	} {
		status, err := s.Status(ctx, user)
		require.NoError(t, err)
		require.Equal(t, want, status, "%s has a state of broadcasts, and notifications, of her own", user)
	}
	require.NoError(t, s.Mark(ctx, "jane", []string{list[1].ID, list[0].ID}, notifications.Mark{Read: &time.Time{}}))
	status, err := s.Status(ctx, "jane")
	require.NoError(t, err)
	require.Equal(t, notifications.Status{Unread: 3}, status)
}

func TestScopes(t *testing.T) {
	for _, user := range []string{"jane", ""} {
		t.Run("to "+user, func(t *testing.T) {
			s, _ := open(t, filepath.Join(t.TempDir(), "db"))
			ctx := t.Context()
			first := news(user, "build 1 failed", 0)
			first.Payload.Scope, first.Payload.Icon = "build", "cross"
			_, err := s.Add(ctx, []notifications.Notification{first, news(user, "unrelated", time.Second)})
			require.NoError(t, err)
			read := start.Add(time.Minute)
			require.NoError(t, s.Mark(ctx, "jane", []string{first.ID}, notifications.Mark{Read: &read, Saved: &read}))

			again := news(user, "build 2 failed", time.Hour)
			again.Payload.Scope, again.Payload.Topic = "build", "ci"
			stored, err := s.Add(ctx, []notifications.Notification{again})
			require.NoError(t, err)
			require.Equal(t, first.ID, stored[0].ID, "the earlier one stays")
			inbox, err := s.Inbox(ctx, "jane")
			require.NoError(t, err)
			require.Equal(t, []string{"unrelated", "build 2 failed"}, titles(inbox), "in its place")
			got := inbox[1]
			require.Equal(t, again.Created, got.Updated)
			require.Zero(t, got.Read, "it is unread again")
			require.Equal(t, read, got.Saved)
			require.Equal(t, "ci", got.Payload.Topic)
			require.Equal(t, "cross", got.Payload.Icon)

			elsewhere := news(user, "of another origin", 2*time.Hour)
			elsewhere.Payload.Scope, elsewhere.Origin = "build", "plugin:y"
			other := news("joe", "to another user", 2*time.Hour)
			other.Payload.Scope = "build"
			_, err = s.Add(ctx, []notifications.Notification{elsewhere, other})
			require.NoError(t, err)
			inbox, err = s.Inbox(ctx, "jane")
			require.NoError(t, err)
			require.Len(t, inbox, 3)
		})
	}
}

func TestOldestGoFirst(t *testing.T) {
	s, _ := open(t, filepath.Join(t.TempDir(), "db"))
	ctx := t.Context()
	oldest := news("jane", "oldest", 0)
	oldest.Payload.Scope = "s"
	list := []notifications.Notification{oldest}
	for i := range notifications.MaxPerUser {
		list = append(list, news("jane", fmt.Sprint(i), time.Duration(i+1)*time.Second))
	}
	_, err := s.Add(ctx, list)
	require.NoError(t, err)
	inbox, err := s.Inbox(ctx, "jane")
	require.NoError(t, err)
	require.Len(t, inbox, notifications.MaxPerUser)
	require.Equal(t, "0", inbox[len(inbox)-1].Payload.Title)
	oldest.ID, oldest.Created = uuid.NewString(), start.Add(24*time.Hour)
	stored, err := s.Add(ctx, []notifications.Notification{oldest})
	require.NoError(t, err)
	require.Equal(t, oldest, stored[0], "the scope of one that is gone is gone too")
}

func TestClean(t *testing.T) {
	s, _ := open(t, filepath.Join(t.TempDir(), "db"))
	ctx := t.Context()
	renewed := news("jane", "renewed", 0)
	renewed.Payload.Scope = "s"
	old, all := news("jane", "old", time.Second), news("", "old to all", time.Second)
	_, err := s.Add(ctx, []notifications.Notification{renewed, old, all, news("joe", "old", 0), news("jane", "young", time.Hour)})
	require.NoError(t, err)
	renewed.Created = start.Add(time.Hour)
	_, err = s.Add(ctx, []notifications.Notification{renewed})
	require.NoError(t, err)
	require.NoError(t, s.Mark(ctx, "jane", []string{all.ID}, notifications.Mark{Read: &start}))

	n, err := s.Clean(ctx, start.Add(time.Minute))
	require.NoError(t, err)
	require.Equal(t, 3, n)
	inbox, err := s.Inbox(ctx, "jane")
	require.NoError(t, err)
	require.Equal(t, []string{"young", "renewed"}, titles(inbox))
	n, err = s.Clean(ctx, start.Add(time.Minute))
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestSettings(t *testing.T) {
	s, _ := open(t, filepath.Join(t.TempDir(), "db"))
	none, err := s.Settings(t.Context(), "jane")
	require.NoError(t, err)
	require.Zero(t, none)
	want := notifications.Settings{Channels: []notifications.Channel{{ID: "Web", Origins: []notifications.OriginSetting{
		{ID: "plugin:x", Topics: []notifications.TopicSetting{{ID: "t", Enabled: true}}}}}}}
	require.NoError(t, s.PutSettings(t.Context(), "jane", want))
	got, err := s.Settings(t.Context(), "jane")
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestDamageIsReported(t *testing.T) {
	s, db := open(t, filepath.Join(t.TempDir(), "db"))
	_, err := s.Add(t.Context(), []notifications.Notification{news("jane", "a", 0)})
	require.NoError(t, err)
	for _, value := range []string{"short", "012345678901234567890123{"} {
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("notifications")).Bucket([]byte("users")).Bucket([]byte("jane"))
			k, _ := b.Cursor().First()
			return b.Put(k, []byte(value))
		}))
		_, err = s.Inbox(t.Context(), "jane")
		require.Error(t, err)
	}
}

func TestConcurrentUse(t *testing.T) {
	s, _ := open(t, filepath.Join(t.TempDir(), "db"))
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 10 {
				n := news("jane", fmt.Sprint(i, j), time.Duration(j)*time.Second)
				_, err := s.Add(t.Context(), []notifications.Notification{n})
				if err == nil {
					err = s.Mark(t.Context(), "jane", []string{n.ID}, notifications.Mark{Read: &start})
				}
				if err == nil {
					_, err = s.Status(t.Context(), "jane")
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	status, err := s.Status(t.Context(), "jane")
	require.NoError(t, err)
	require.Equal(t, notifications.Status{Read: 40}, status)
}

// Every page of the portal asks for the status.
func BenchmarkStatus(b *testing.B) {
	for _, n := range []int{20, 1000, notifications.MaxPerUser} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, _ := open(b, filepath.Join(b.TempDir(), "db"))
			var list []notifications.Notification
			for i := range n {
				list = append(list, news("jane", fmt.Sprint(i), time.Duration(i)*time.Second))
			}
			_, err := s.Add(b.Context(), list)
			require.NoError(b, err)
			for b.Loop() {
				if _, err := s.Status(b.Context(), "jane"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
