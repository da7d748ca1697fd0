package forgetest

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
)

// pageOf cuts the page that a request asks for out of a list, and announces the
// others in the headers.
func pageOf[V any](w http.ResponseWriter, r *http.Request, all []V, perPage, most int, announce func(w http.ResponseWriter, r *http.Request, page, perPage, total int)) []V {
	size := min(atoi(r.URL.Query().Get("per_page"), perPage), most)
	page := atoi(r.URL.Query().Get("page"), 1)
	announce(w, r, page, size, len(all))
	from := min((page-1)*size, len(all))
	return all[from:min(from+size, len(all))]
}

// githubLinks writes the Link header: next, last, first, prev.
func githubLinks(w http.ResponseWriter, r *http.Request, page, perPage, total int) {
	last := (total + perPage - 1) / perPage
	var links []string
	link := func(rel string, n int) {
		u := *r.URL
		u.Scheme, u.Host = "http", r.Host
		q := u.Query()
		q.Set("page", fmt.Sprint(n))
		u.RawQuery = q.Encode()
		links = append(links, fmt.Sprintf(`<%s>; rel="%s"`, u.String(), rel))
	}
	if page > 1 {
		link("prev", page-1)
	}
	if page < last {
		link("next", page+1)
		link("last", last)
	}
	if page > 1 {
		link("first", 1)
	}
	if len(links) > 0 {
		w.Header().Set("Link", strings.Join(links, ", "))
	}
}

// gitHash is the name of an object in Git.
func gitHash(kind string, data []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "%s %d\x00", kind, len(data))
	h.Write(data)
	return fmt.Sprintf("%x", h.Sum(nil))
}

// nodeID makes up a global id in the form of GraphQL.
func nodeID(kind string, id any) string {
	return kind[:1] + "_" + base64.RawURLEncoding.EncodeToString(fmt.Append(nil, kind, ":", id))
}
