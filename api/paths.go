package api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// A pathIndex knows the literal segments of all routes, to spell a path as the
// routes do: literals match whatever their case, and one trailing slash is
// tolerated. What stands for a parameter keeps its case.
type pathIndex struct{ roots map[string]*pathNode } // by method

type pathNode struct {
	literals map[string]*pathNode // by lower-cased segment
	spelling string
	param    *pathNode
}

func newPathIndex(routes gin.RoutesInfo) *pathIndex {
	x := &pathIndex{roots: map[string]*pathNode{}}
	for _, r := range routes {
		node := x.roots[r.Method]
		if node == nil {
			node = &pathNode{}
			x.roots[r.Method] = node
		}
		for segment := range strings.SplitSeq(strings.TrimPrefix(r.Path, "/"), "/") {
			node = node.child(segment)
		}
	}
	return x
}

func (n *pathNode) child(segment string) *pathNode {
	if strings.HasPrefix(segment, ":") || strings.HasPrefix(segment, "*") {
		if n.param == nil {
			n.param = &pathNode{}
		}
		return n.param
	}
	lower := strings.ToLower(segment)
	if n.literals[lower] == nil {
		if n.literals == nil {
			n.literals = map[string]*pathNode{}
		}
		n.literals[lower] = &pathNode{spelling: segment}
	}
	return n.literals[lower]
}

// needsCanonical tells whether a path may differ from its spelling in the
// routes. Most do not, so this look is all they cost.
func needsCanonical(path string) bool {
	if len(path) > 1 && path[len(path)-1] == '/' {
		return true
	}
	for i := range len(path) {
		if c := path[i]; c >= 'A' && c <= 'Z' {
			return true
		}
	}
	return false
}

// spell returns the path as the routes of that method spell it, as far as they
// know it.
func (x *pathIndex) spell(method, path string) string {
	node := x.roots[method]
	if method == http.MethodOptions || node == nil {
		node = x.roots[http.MethodGet]
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	var out strings.Builder
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		out.WriteByte('/')
		node = node.step(segment)
		if node != nil && node.spelling != "" {
			segment = node.spelling
		}
		out.WriteString(segment)
	}
	return out.String()
}

func (n *pathNode) step(segment string) *pathNode {
	if n == nil {
		return nil
	}
	if l := n.literals[strings.ToLower(segment)]; l != nil {
		return l
	}
	return n.param
}

// rewrite returns the request with its path spelled as the routes do. The
// request's RequestURI stays what the client sent.
func (x *pathIndex) rewrite(r *http.Request, path string) *http.Request {
	spelled := x.spell(r.Method, path)
	if spelled == path {
		return r
	}
	u := *r.URL
	decoded, err := url.PathUnescape(spelled)
	if err != nil {
		return r
	}
	u.Path, u.RawPath = decoded, spelled
	out := new(http.Request)
	*out = *r
	out.URL = &u
	return out
}
