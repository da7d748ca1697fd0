package notifications

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A Query selects among what a user sees; the zero value selects all.
type Query struct {
	Topic, Search string
	Read, Saved   *bool
	// CreatedAfter takes what was created then or later; zero: everything.
	CreatedAfter time.Time
	// MinimumSeverity takes this one and higher ones; "": all.
	MinimumSeverity string
	// IDs takes these; nil: all.
	IDs []string
	// Order sorts by one field after the other; nil: newest first.
	Order []Order
	// Offset and Limit cut a page out; a nil Limit takes all.
	Offset int
	Limit  *int
}

// An Order is a field to sort by.
type Order struct {
	Field string
	Desc  bool
}

// Select returns a page of what matches, in order, and how many match.
func (q *Query) Select(inbox []Notification) (page []Notification, total int) {
	matcher := q.matcher()
	for i := range inbox {
		if matcher(&inbox[i]) {
			page = append(page, inbox[i])
		}
	}
	total = len(page)
	if q.Order != nil {
		slices.SortStableFunc(page, q.compare)
	}
	page = page[min(q.Offset, total):]
	if q.Limit != nil {
		page = page[:min(*q.Limit, len(page))]
	}
	return page, total
}

func (q *Query) matcher() func(*Notification) bool {
	search := strings.ToLower(q.Search)
	worst := len(severities)
	if q.MinimumSeverity != "" {
		worst = slices.Index(severities[:], normalSeverity(q.MinimumSeverity))
	}
	ids := map[string]bool{}
	for _, id := range q.IDs {
		ids[strings.ToLower(id)] = true
	}
	return func(n *Notification) bool {
		switch p := &n.Payload; {
		case q.IDs != nil && !ids[n.ID],
			q.Topic != "" && p.Topic != q.Topic,
			q.Read != nil && *q.Read == n.Read.IsZero(),
			q.Saved != nil && *q.Saved == n.Saved.IsZero(),
			n.Created.Before(q.CreatedAfter),
			slices.Index(severities[:], p.Severity) > worst:
			return false
		}
		return search == "" || strings.Contains(strings.ToLower(n.Payload.Title), search) ||
			strings.Contains(strings.ToLower(n.Payload.Description), search)
	}
}

// compare orders by the fields of the query. What is missing comes before
// everything else, as in SQLite.
func (q *Query) compare(a, b Notification) int {
	for _, o := range q.Order {
		field := fields[o.Field]
		c := field(&a, &b)
		if o.Desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// fields are those that can be sorted by.
var fields = map[string]func(a, b *Notification) int{
	"id":          byText(func(n *Notification) string { return n.ID }),
	"user":        byText(func(n *Notification) string { return n.User }),
	"origin":      byText(func(n *Notification) string { return n.Origin }),
	"title":       byText(func(n *Notification) string { return n.Payload.Title }),
	"description": byText(func(n *Notification) string { return n.Payload.Description }),
	"link":        byText(func(n *Notification) string { return n.Payload.Link }),
	"topic":       byText(func(n *Notification) string { return n.Payload.Topic }),
	"severity":    byText(func(n *Notification) string { return n.Payload.Severity }),
	"scope":       byText(func(n *Notification) string { return n.Payload.Scope }),
	"icon":        byText(func(n *Notification) string { return n.Payload.Icon }),
	"created":     func(a, b *Notification) int { return a.Created.Compare(b.Created) },
	"updated":     func(a, b *Notification) int { return a.Updated.Compare(b.Updated) },
	"read":        func(a, b *Notification) int { return a.Read.Compare(b.Read) },
	"saved":       func(a, b *Notification) int { return a.Saved.Compare(b.Saved) },
}

func byText(text func(*Notification) string) func(a, b *Notification) int {
	return func(a, b *Notification) int { return cmp.Compare(text(a), text(b)) }
}

// Topics returns the topics of what matches, in order.
func (q *Query) Topics(inbox []Notification) []string {
	list, _ := q.Select(inbox)
	topics := []string{}
	for i := range list {
		if t := list[i].Payload.Topic; t != "" {
			topics = append(topics, t)
		}
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}
