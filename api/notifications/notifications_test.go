package notifications_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/notifications"
	"github.com/greenroom-idp/greenroom/api/notifications/boltnotices"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// people is a catalog by entity ref.
type people map[string][]string // "type target"

func (p people) Relations(_ context.Context, ref string) (out []catalog.Relation, err error) {
	if ref == "group:default/broken" {
		return nil, errors.New("disk hunter2")
	}
	for _, r := range p[ref] {
		typ, target, _ := strings.Cut(r, " ")
		out = append(out, catalog.Relation{Source: ref, Type: typ, Target: target})
	}
	return out, nil
}

func company() people {
	return people{
		"group:default/all":    {"parentOf group:default/team", "parentOf group:default/ops", "hasMember user:default/boss"},
		"group:default/team":   {"hasMember user:default/jane", "hasMember user:default/guest", "childOf group:default/all", "ownerOf component:default/a"},
		"group:default/ops":    {"hasMember user:default/jane", "parentOf group:default/all"}, // a circle
		"component:default/a":  {"ownedBy group:default/team", "partOf system:default/s"},
		"component:default/b":  {"ownedBy user:default/boss", "ownedBy group:default/team"},
		"component:default/no": {"partOf system:default/s"},
	}
}

type heard struct{ list []string }

func (h *heard) Broadcast(channel string, message any) { h.Publish(channel, []string{"all"}, message) }
func (h *heard) Publish(channel string, refs []string, message any) {
	text, _ := wire.AppendJSON(nil, message)
	h.list = append(h.list, fmt.Sprintf("%s %v %s", channel, refs, text))
}

type fixture struct {
	*apitest.Server
	t       *testing.T
	service *notifications.Service
	heard   *heard
	now     time.Time
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newFixture(t *testing.T, change func(*notifications.Options)) *fixture {
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "db"), 0o600, &bbolt.Options{NoSync: true})
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	store, err := boltnotices.Open(db)
	require.NoError(t, err)
	f := &fixture{t: t, heard: &heard{}, now: start}
	o := notifications.Options{Store: store, Catalog: company(), Signals: f.heard,
		PortalURL: "https://portal.example.com/base", Now: func() time.Time { return f.now }}
	if change != nil {
		change(&o)
	}
	f.service, err = notifications.New(o)
	require.NoError(t, err)
	f.Server = apitest.New(t, func(o *api.Options, _ *auth.Options) { o.Portal.Notifications = f.service })
	return f
}

const at = "/api/notifications"

// send sends a notification as a service, a second after the one before.
func (f *fixture) send(recipients, payload string) []map[string]any {
	f.t.Helper()
	f.now = f.now.Add(time.Second)
	res := f.Do("POST", at+"/notifications", `{"recipients":`+recipients+`,"payload":`+payload+`}`, apitest.As(apitest.ServiceToken))
	require.Equal(f.t, 200, res.Status, res.Text())
	var out []map[string]any
	require.NoError(f.t, json.Unmarshal(res.Body, &out))
	return out
}

// titles returns the titles of a list for the guest.
func (f *fixture) titles(query string) (out []string, total int) {
	f.t.Helper()
	res := f.Do("GET", at+"/notifications"+query, "")
	require.Equal(f.t, 200, res.Status, res.Text())
	var body struct {
		TotalCount    int
		Notifications []struct{ Payload struct{ Title string } }
	}
	require.NoError(f.t, json.Unmarshal(res.Body, &body))
	for _, n := range body.Notifications {
		out = append(out, n.Payload.Title)
	}
	return out, body.TotalCount
}

const (
	guest    = `{"type":"entity","entityRef":"user:default/guest"}`
	everyone = `{"type":"broadcast"}`
)

func TestFromSendingToReading(t *testing.T) {
	f := newFixture(t, nil)
	require.JSONEq(t, `{"unread":0,"read":0}`, f.Do("GET", at+"/status", "").Text())
	require.JSONEq(t, `{"totalCount":0,"notifications":[]}`, f.Do("GET", at+"/notifications", "").Text())

	sent := f.send(guest, `{"title":"Done","link":"/create/tasks/1","metadata":{"a":1}}`)
	require.Len(t, sent, 1)
	id := sent[0]["id"].(string)
	require.Equal(t, map[string]any{"id": id, "user": "user:default/guest", "origin": "ci", "created": "2026-03-01T12:00:01.000Z",
		"payload": map[string]any{"title": "Done", "link": "/create/tasks/1", "metadata": map[string]any{"a": 1.0}, "severity": "normal"}}, sent[0])
	require.Equal(t, []string{`notifications [user:default/guest] {"action":"new_notification","notification_id":"` + id + `"}`}, f.heard.list)
	require.JSONEq(t, `{"unread":1,"read":0}`, f.Do("GET", at+"/status", "").Text())

	one := `{"id":"` + id + `","user":"user:default/guest","created":"2026-03-01T12:00:01.000Z","saved":null,"read":null,"updated":null,"origin":"ci",
		"payload":{"title":"Done","description":null,"link":"/create/tasks/1","topic":null,"severity":"normal","scope":null,"icon":null}}`
	require.JSONEq(t, one, f.Do("GET", at+"/notifications/"+id, "").Text())
	require.JSONEq(t, one, f.Do("GET", at+"/"+id, "").Text(), "the older path")
	require.JSONEq(t, `{"totalCount":1,"notifications":[`+one+`]}`, f.Do("GET", at, "").Text())

	res := f.Do("POST", at+"/notifications/update", `{"ids":["`+id+`"],"read":true,"saved":true}`)
	marked := strings.NewReplacer(`"saved":null`, `"saved":1772366401000`, `"read":null`, `"read":1772366401000`).Replace(one)
	require.JSONEq(t, `[`+marked+`]`, res.Text())
	require.Equal(t, `notifications [user:default/guest] {"action":"notification_read","notification_ids":["`+id+`"]}`, f.heard.list[1])
	require.JSONEq(t, `{"unread":0,"read":1}`, f.Do("GET", at+"/status", "").Text())
	res = f.Do("POST", at+"/update", `{"ids":["`+strings.ToUpper(id)+`"],"read":false,"saved":false}`)
	require.JSONEq(t, `[`+one+`]`, res.Text())
	require.Contains(t, f.heard.list[2], "notification_unread")

	all := f.send(everyone, `{"title":"Maintenance","scope":"m"}`)
	require.Nil(t, all[0]["user"])
	require.Contains(t, f.heard.list[3], "notifications [all]")
	again := f.send(everyone, `{"title":"Maintenance is over","scope":"m"}`)
	require.Equal(t, all[0]["id"], again[0]["id"], "the id is the one that can be asked for")
	require.NotNil(t, again[0]["updated"])
	titles, _ := f.titles("")
	require.Equal(t, []string{"Maintenance is over", "Done"}, titles)
}

func TestNobodyTouchesWhatIsAnothers(t *testing.T) {
	f := newFixture(t, nil)
	id := f.send(`{"type":"entity","entityRef":"user:default/jane"}`, `{"title":"secret"}`)[0]["id"].(string)
	require.Equal(t, 404, f.Do("GET", at+"/notifications/"+id, "").Status)
	require.JSONEq(t, `[]`, f.Do("POST", at+"/update", `{"ids":["`+id+`"],"read":true}`).Text())
	titles, total := f.titles("")
	require.Empty(t, titles)
	require.Zero(t, total)
}

func TestRecipients(t *testing.T) {
	f := newFixture(t, nil)
	for _, tc := range []struct {
		name, to string
		want     []string
	}{
		{"a user, though the catalog does not know it", `"entityRef":"user:default/ghost"`, []string{"ghost"}},
		{"in any case and short", `"entityRef":"User:Jane"`, []string{"jane"}},
		{"the members of a group, and of those below, each once", `"entityRef":"group:default/all"`, []string{"boss", "jane", "guest"}},
		{"the owner of another entity", `"entityRef":["component:default/a"]`, []string{"jane", "guest"}},
		{"the first owner", `"entityRef":"component:default/b"`, []string{"boss"}},
		{"what nobody owns", `"entityRef":"component:default/no"`, nil},
		{"what is not there", `"entityRef":"group:default/gone"`, nil},
		{"several", `"entityRef":["user:default/jane","component:default/b","user:default/jane"]`, []string{"jane", "boss"}},
		{"but not some", `"entityRef":"group:default/all","excludeEntityRef":["user:default/Jane","user:default/boss"]`, []string{"guest"}},
		{"nor a group", `"entityRef":"group:default/all","excludeEntityRef":"group:default/team"`, []string{"boss", "jane"}},
		{"nobody", `"entityRef":[]`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, n := range f.send(`{"type":"entity",`+tc.to+`}`, `{"title":"x"}`) {
				got = append(got, strings.TrimPrefix(n["user"].(string), "user:default/"))
			}
			require.Equal(t, tc.want, got)
		})
	}
}

func TestTooManyRecipients(t *testing.T) {
	many := company()
	for i := range 20_001 {
		many["group:default/all"] = append(many["group:default/all"], fmt.Sprintf("hasMember user:default/%d", i))
	}
	many["group:default/deep"] = nil
	for i := range 10_001 {
		many["group:default/deep"] = append(many["group:default/deep"], fmt.Sprintf("parentOf group:default/%d", i))
	}
	f := newFixture(t, func(o *notifications.Options) { o.Catalog = many })
	for _, ref := range []string{"group:default/all", "group:default/deep"} {
		_, err := f.service.Send(t.Context(), "plugin:x", notifications.Request{EntityRefs: []string{ref}, Payload: notifications.Payload{Title: "x"}})
		require.ErrorIs(t, err, catalog.ErrInput)
		require.ErrorContains(t, err, "too many recipients")
	}
}

func TestList(t *testing.T) {
	f := newFixture(t, nil)
	f.send(guest, `{"title":"a","description":"about Bikes","topic":"ci","severity":"low"}`)
	f.send(everyone, `{"title":"b","topic":"news","severity":"critical"}`)
	f.send(guest, `{"title":"Bikes","topic":"ci","severity":"high"}`)
	id := f.send(guest, `{"title":"d"}`)[0]["id"].(string)
	require.Equal(t, 200, f.Do("POST", at+"/update", `{"ids":["`+id+`"],"read":true,"saved":true}`).Status)
	for _, tc := range []struct {
		name, query string
		want        []string
		total       int
	}{
		{"newest first", "", []string{"d", "Bikes", "b", "a"}, 4},
		{"a page", "?limit=2&offset=1", []string{"Bikes", "b"}, 4},
		{"no more than that", "?limit=2&offset=9", nil, 4},
		{"none of them", "?limit=0", nil, 4},
		{"unread", "?read=false", []string{"Bikes", "b", "a"}, 3},
		{"read", "?read=true", []string{"d"}, 1},
		{"saved", "?saved=true", []string{"d"}, 1},
		{"not saved", "?saved=false", []string{"Bikes", "b", "a"}, 3},
		{"a topic", "?topic=ci", []string{"Bikes", "a"}, 2},
		{"words of title and description, in any case", "?search=bike", []string{"Bikes", "a"}, 2},
		{"a percent sign is one", "?search=%25", nil, 0},
		{"severe", "?minimumSeverity=high", []string{"Bikes", "b"}, 2},
		{"all severities", "?minimumSeverity=low", []string{"d", "Bikes", "b", "a"}, 4},
		{"created then or later", "?createdAfter=2026-03-01T12:00:03.000Z", []string{"d", "Bikes"}, 2},
		{"a day", "?createdAfter=2026-03-02", nil, 0},
		{"by title", "?orderField=title,asc", []string{"Bikes", "a", "b", "d"}, 4},
		{"by topic, missing first, then by title", "?orderField=topic,asc&orderField=title,desc", []string{"d", "a", "Bikes", "b"}, 4},
		{"as the portal asks", "?limit=5&offset=0&orderField=created,desc&read=false&minimumSeverity=low", []string{"Bikes", "b", "a"}, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			titles, total := f.titles(tc.query)
			require.Equal(t, tc.want, titles)
			require.Equal(t, tc.total, total)
		})
	}
	require.JSONEq(t, `{"topics":["ci","news"]}`, f.Do("GET", at+"/topics?read=false&minimumSeverity=low", "").Text())
	require.JSONEq(t, `{"topics":["ci"]}`, f.Do("GET", at+"/topics?search=bikes", "").Text())
}

func TestUserSettings(t *testing.T) {
	f := newFixture(t, nil)
	require.JSONEq(t, `{"channels":[{"id":"Web","origins":[]}]}`, f.Do("GET", at+"/settings", "").Text())
	f.send(guest, `{"title":"a","topic":"ci"}`)
	f.send(everyone, `{"title":"a","topic":"news"}`)
	require.JSONEq(t, `{"channels":[{"id":"Web","origins":[{"id":"ci","enabled":true,"topics":[{"id":"ci","enabled":true}]}]}]}`,
		f.Do("GET", at+"/settings", "").Text(), "what goes to everybody cannot be turned off")

	res := f.Do("POST", at+"/settings", `{"channels":[{"id":"Web","origins":[{"id":"ci","enabled":true,"topics":[{"id":"ci","enabled":false}]}]}]}`)
	require.JSONEq(t, `{"channels":[{"id":"Web","origins":[{"id":"ci","enabled":true,"topics":[{"id":"ci","enabled":false}]}]}]}`, res.Text())
	require.Empty(t, f.send(guest, `{"title":"b","topic":"ci"}`))
	require.Len(t, f.send(guest, `{"title":"c","topic":"other"}`), 1)
	require.Len(t, f.send(everyone, `{"title":"d","topic":"ci"}`), 1)

	res = f.Do("POST", at+"/settings", `{"channels":[{"id":"Web","origins":[{"id":"ci","enabled":false,"topics":[{"id":"ci","enabled":true}]}]}]}`)
	require.Contains(t, res.Text(), `{"id":"ci","enabled":false}`, "a topic is off with its origin")
	require.Empty(t, f.send(guest, `{"title":"e","topic":"ci"}`))
	require.Empty(t, f.send(guest, `{"title":"f"}`))
	titles, _ := f.titles("")
	require.Equal(t, []string{"d", "c", "a", "a"}, titles)
}

func TestDefaultSettings(t *testing.T) {
	off := false
	f := newFixture(t, func(o *notifications.Options) {
		o.Defaults = notifications.Settings{Channels: []notifications.Channel{{ID: "web", Origins: []notifications.OriginSetting{
			{ID: "ci", Enabled: true, Topics: []notifications.TopicSetting{{ID: "noise", Enabled: false}}}}}}}
	})
	require.Empty(t, f.send(guest, `{"title":"a","topic":"noise"}`))
	require.Len(t, f.send(guest, `{"title":"a","topic":"signal"}`), 1)
	require.Contains(t, f.Do("GET", at+"/settings", "").Text(), `{"id":"noise","enabled":false}`)
	f = newFixture(t, func(o *notifications.Options) {
		o.Defaults = notifications.Settings{Channels: []notifications.Channel{{ID: "Web", Enabled: &off}}}
	})
	require.Empty(t, f.send(guest, `{"title":"a"}`), "everything is off that nobody turns on")
	require.Equal(t, 200, f.Do("POST", at+"/settings", `{"channels":[{"id":"Web","origins":[{"id":"ci","enabled":true}]}]}`).Status)
	require.Len(t, f.send(guest, `{"title":"a"}`), 1)
}

func TestRefusals(t *testing.T) {
	f := newFixture(t, nil)
	service := []apitest.RequestOption{apitest.As(apitest.ServiceToken)}
	anonymous := []apitest.RequestOption{apitest.Anonymous}
	payload := func(p string) string { return `{"recipients":{"type":"broadcast"},"payload":` + p + `}` }
	for _, tc := range []struct {
		name, method, path, body string
		options                  []apitest.RequestOption
		status                   int
		says                     string
	}{
		{"nobody lists", "GET", "", "", anonymous, 401, "Missing credentials"},
		{"nobody sends", "POST", "/notifications", payload(`{"title":"x"}`), anonymous, 401, ""},
		{"a service lists", "GET", "/notifications", "", service, 403, "does not allow 'service'"},
		{"a service asks for the status", "GET", "/status", "", service, 403, ""},
		{"a service marks", "POST", "/update", `{"ids":[],"read":true}`, service, 403, ""},
		{"a service sets", "POST", "/settings", `{"channels":[]}`, service, 403, ""},
		{"a user sends", "POST", "/notifications", payload(`{"title":"x"}`), nil, 403, "does not allow 'user'"},
		{"a user sends by the older path", "POST", "", payload(`{"title":"x"}`), nil, 403, ""},
		{"unknown parameter", "GET", "/notifications?x=1", "", nil, 400, "Unknown query parameter 'x'"},
		{"unknown parameter of topics", "GET", "/topics?limit=1", "", nil, 400, "Unknown query parameter 'limit'"},
		{"limit is no number", "GET", "/notifications?limit=x", "", nil, 400, "request/query/limit must be integer"},
		{"limit is a fraction", "GET", "/notifications?limit=1.5", "", nil, 400, "must be integer"},
		{"limit is too large", "GET", "/notifications?limit=99999999999", "", nil, 400, "must be integer"},
		{"offset is less than nothing", "GET", "/notifications?offset=-1", "", nil, 400, "request/query/offset must be >= 0"},
		{"limit twice", "GET", "/notifications?limit=1&limit=2", "", nil, 400, ""},
		{"read is neither", "GET", "/notifications?read=maybe", "", nil, 400, "must be equal to one of the allowed values: true, false"},
		{"an empty value", "GET", "/notifications?topic=", "", nil, 400, "Empty value found for query parameter 'topic'"},
		{"an unknown severity", "GET", "/notifications?minimumSeverity=dire", "", nil, 400, "critical, high, normal, low"},
		{"no date", "GET", "/notifications?createdAfter=yesterday", "", nil, 400, "Unexpected date format"},
		{"an unknown field", "GET", "/notifications?orderField=password,asc", "", nil, 400, "no field 'password'"},
		{"an unknown direction", "GET", "/notifications?orderField=title,up", "", nil, 400, "must be asc or desc"},
		{"fields without end", "GET", "/notifications?" + strings.Repeat("orderField=title&", 30), "", nil, 400, ""},
		{"a query that is none", "GET", "/notifications?topic=%zz", "", nil, 400, ""},
		{"no such id", "GET", "/notifications/x", "", nil, 404, "Not found"},
		{"an id that is no UTF-8", "GET", "/notifications/%FF", "", nil, 400, ""},
		{"mark without ids", "POST", "/update", `{"read":true}`, nil, 400, "request/body must have required property 'ids'"},
		{"ids that are numbers", "POST", "/update", `{"ids":[1]}`, nil, 400, "request/body/ids/0 must be string"},
		{"read is a text", "POST", "/update", `{"ids":[],"read":"yes"}`, nil, 400, "request/body/read must be boolean"},
		{"no body", "POST", "/update", ``, nil, 400, ""},
		{"a body that is a list", "POST", "/update", `[]`, nil, 400, "must be object"},
		{"a body that is too large", "POST", "/update", `{"ids":["` + strings.Repeat("x", 100<<10) + `"]}`, nil, 413, ""},
		{"another channel", "POST", "/settings", `{"channels":[{"id":"Slack","origins":[]}]}`, nil, 400, "Invalid channel"},
		{"settings of another shape", "POST", "/settings", `{"channels":[{"id":"Web","origins":[{"id":"x"}]}]}`, nil, 400, "'enabled'"},
		{"no title", "POST", "/notifications", payload(`{}`), service, 400, "request/body/payload must have required property 'title'"},
		{"an empty title", "POST", "/notifications", payload(`{"title":""}`), service, 400, "missing title"},
		{"no recipients", "POST", "/notifications", `{"payload":{"title":"x"}}`, service, 400, "'recipients'"},
		{"recipients of another type", "POST", "/notifications", `{"recipients":{"type":"planet"},"payload":{"title":"x"}}`, service, 400, "entity, broadcast"},
		{"an entity without a ref", "POST", "/notifications", `{"recipients":{"type":"entity"},"payload":{"title":"x"}}`, service, 400, "'entityRef'"},
		{"a ref without a kind", "POST", "/notifications", `{"recipients":{"type":"entity","entityRef":"jane"},"payload":{"title":"x"}}`, service, 400, "Failed to send user notifications; caused by"},
		{"an unknown severity of one", "POST", "/notifications", payload(`{"title":"x","severity":"dire"}`), service, 400, ""},
		{"a link that is a script", "POST", "/notifications", payload(`{"title":"x","link":"javascript:alert(1)"}`), service, 400, "Invalid link provided"},
		{"one in disguise", "POST", "/notifications", payload(`{"title":"x","link":" /JavaScript:alert(1)"}`), service, 400, "Invalid link"},
		{"one with a line break", "POST", "/notifications", payload(`{"title":"x","link":"java\nscript:alert(1)"}`), service, 400, "Invalid link"},
		{"a link to data", "POST", "/notifications", payload(`{"title":"x","link":"data:text/html,x"}`), service, 400, "Invalid link"},
		{"a title without end", "POST", "/notifications", payload(`{"title":"` + strings.Repeat("x", 1025) + `"}`), service, 400, "1024"},
		{"a description without end", "POST", "/notifications", payload(`{"title":"x","description":"` + strings.Repeat("x", 33<<10) + `"}`), service, 400, "32768"},
		{"the catalog is broken", "POST", "/notifications", `{"recipients":{"type":"entity","entityRef":"group:broken"},"payload":{"title":"x"}}`, service, 500, "logId"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := f.Do(tc.method, at+tc.path, tc.body, tc.options...)
			require.Equal(t, tc.status, res.Status, res.Text())
			require.Contains(t, res.Text(), tc.says)
			require.NotContains(t, res.Text(), "hunter2")
		})
	}
	require.Empty(t, f.heard.list)
	for _, link := range []string{"https://example.com/x", "/catalog", "catalog/default", "http://other", "?x=1", "#top"} {
		require.Len(t, f.send(everyone, `{"title":"x","link":"`+link+`"}`), 1, link)
	}
}

func TestClean(t *testing.T) {
	f := newFixture(t, func(o *notifications.Options) { o.Retention = time.Hour })
	f.send(guest, `{"title":"old"}`)
	f.now = f.now.Add(2 * time.Hour)
	f.send(guest, `{"title":"young"}`)
	require.NoError(t, f.service.Clean(t.Context()))
	titles, _ := f.titles("")
	require.Equal(t, []string{"young"}, titles)
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"limit=5&offset=0&orderField=created,desc&read=false&minimumSeverity=low", "search=%25&topic=a", "createdAfter=2026-01-01", "limit=-1", "%zz"} {
		f.Add(s)
	}
	inbox := []notifications.Notification{
		{ID: "a", Created: start, Payload: notifications.Payload{Title: "a", Severity: "low"}},
		{ID: "b", Created: start.Add(time.Hour), Payload: notifications.Payload{Title: "b", Severity: "high", Topic: "t"}},
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := notifications.ReadQuery(raw)
		if err != nil {
			return
		}
		page, total := q.Select(inbox)
		require.LessOrEqual(t, len(page), total)
		require.LessOrEqual(t, total, len(inbox))
		if q.Limit != nil {
			require.LessOrEqual(t, len(page), *q.Limit)
		}
	})
}
