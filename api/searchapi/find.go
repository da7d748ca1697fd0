package searchapi

import (
	"context"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/search"
)

// Query answers GET /query.
func (a *API) Query(c *gin.Context) (any, error) {
	q, err := a.read(c)
	if err != nil {
		return nil, err
	}
	ctx := c.Request.Context()
	scopes, err := a.scopes(ctx, q.types)
	if err != nil {
		return nil, err
	}
	if len(scopes) == 0 {
		return wire.Obj("results", []any{}), nil
	}
	limit := q.limit
	if q.page.nowhere {
		limit = 0
	}
	found, err := search.Find(ctx, scopes, search.Query{
		Term: q.term, Filters: q.filters, Offset: q.page.number * q.limit, Limit: limit, Pre: a.pre, Post: a.post,
	})
	if err != nil {
		return nil, err
	}
	return a.body(q, found), nil
}

// scopes returns what the caller may look in. Types that are denied are left
// out.
func (a *API) scopes(ctx context.Context, types []DocumentType) ([]search.Scope, error) {
	wait, cancel := context.WithTimeout(ctx, a.FillWait)
	defer cancel()
	var out []search.Scope
	for _, t := range types {
		visible, denied, err := a.visible(ctx, t.Visibility)
		if err != nil {
			return nil, err
		}
		if denied {
			continue
		}
		select {
		case <-t.Index.Filled():
		case <-wait.Done():
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		out = append(out, search.Scope{Type: t.Name, Snapshot: t.Index.Snapshot(), Visible: visible})
	}
	return out, nil
}

// visible decides about a permission for the caller; nil for everything is
// visible.
func (a *API) visible(ctx context.Context, p *permission.Permission) (
	visible func(context.Context, []string) ([]bool, error), denied bool, err error,
) {
	if p == nil {
		return nil, false, nil
	}
	asked := *p
	asked.Plugin = "search" // a token that is restricted to this plugin may see what it finds
	d, err := a.Permissions.Decide(ctx, auth.PrincipalFrom(ctx), asked, "")
	if err != nil || d.Result != permission.Conditional {
		return nil, d.Result == permission.Deny, err
	}
	return func(ctx context.Context, refs []string) ([]bool, error) {
		return a.Permissions.Apply(ctx, p.ResourceType, refs, d.Criteria)
	}, false, nil
}

// body writes the answer. Documents go out as they are stored.
func (a *API) body(q query, found search.Result) []byte {
	dst := []byte(`{"results":[`)
	first := q.page.number*q.limit + 1
	for i, h := range found.Hits {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsonvalue.AppendString(append(dst, `{"type":`...), h.Type)
		dst = strconv.AppendInt(append(dst, `,"rank":`...), int64(first+i), 10)
		dst = append(append(dst, `,"document":`...), h.Body...)
		dst = a.appendHighlight(append(dst, `,"highlight":`...), h.Highlights)
		dst = append(dst, '}')
	}
	dst = strconv.AppendInt(append(dst, `],"numberOfResults":`...), int64(found.Total), 10)
	if q.page.nowhere {
		return append(dst, '}')
	}
	if (q.page.number+1)*q.limit < found.Total {
		dst = append(dst, `,"nextPageCursor":"`+cursor(q.page.number+1)+`"`...)
	}
	if q.page.number > 0 {
		dst = append(dst, `,"previousPageCursor":"`+cursor(q.page.number-1)+`"`...)
	}
	return append(dst, '}')
}

func (a *API) appendHighlight(dst []byte, fields []jsonvalue.Member) []byte {
	return jsonvalue.Append(dst, wire.Obj("preTag", a.pre, "postTag", a.post, "fields", jsonvalue.NewObject(fields...)))
}
