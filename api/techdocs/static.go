package techdocs

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
)

// StaticPath is where the files of sites are, below the mount of the plugin.
const StaticPath = "/static/docs/"

// Static answers GET /static/docs/:namespace/:kind/:name/*path with a file of a
// site. It writes the answer itself, unless it returns an error.
func (a *API) Static(c *gin.Context) error {
	ref, err := refOf(c)
	if err != nil {
		return err
	}
	sent, _, _ := strings.Cut(c.Request.RequestURI, "?")
	if lower := lowered(sent); !a.CaseSensitive && lower != sent {
		redirect(c, lower)
		return nil
	}
	if err := a.visible(c, ref); err != nil {
		return err
	}
	name, ok := fileName(c.Param("path"))
	if !ok {
		missing(c)
		return nil
	}
	isFolder := strings.HasSuffix(sent, "/")
	if isFolder || name == "." {
		if !isFolder {
			redirect(c, sent+"/")
			return nil
		}
		name = path.Join(name, "index.html")
	}
	f, err := a.Library.Open(c.Request.Context(), ref, name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !isFolder:
		return a.perhapsFolder(c, ref, name, sent)
	case errors.Is(err, fs.ErrNotExist):
		missing(c)
		return nil
	case err != nil:
		return err
	}
	defer f.Close()
	h := c.Writer.Header()
	h.Set("Content-Type", contentType(name))
	h.Set("Cache-Control", "public, max-age=0")
	if f.ETag != "" {
		h.Set("Etag", `W/"`+f.ETag+`"`)
	}
	http.ServeContent(c.Writer, c.Request, "", f.Modified, f)
	return nil
}

// perhapsFolder sends those who mean a page to its address, which has a slash
// at its end.
func (a *API) perhapsFolder(c *gin.Context, ref catalog.EntityRef, name, sent string) error {
	is, err := a.Library.IsFolder(c.Request.Context(), ref, name)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !is:
		missing(c)
		return nil
	case err != nil:
		return err
	}
	redirect(c, sent+"/")
	return nil
}

// visible refuses those who may not read the entity, as if there were none.
func (a *API) visible(c *gin.Context, ref catalog.EntityRef) error {
	ctx := c.Request.Context()
	d, err := a.Decider.Decide(ctx, auth.PrincipalFrom(ctx), a.Visibility, ref.String())
	if err != nil {
		return err
	}
	if d.Result != permission.Allow {
		return wire.NotFound("Entity not found for " + ref.String())
	}
	return nil
}

// lowered returns a path with the three segments that name the entity in lower
// case.
func lowered(sent string) string {
	at := strings.Index(strings.ToLower(sent), StaticPath)
	if at < 0 {
		return sent
	}
	parts := strings.SplitN(sent[at+len(StaticPath):], "/", 4)
	for i := range min(3, len(parts)) {
		parts[i] = strings.ToLower(parts[i])
	}
	return sent[:at+len(StaticPath)] + strings.Join(parts, "/")
}

// fileName returns the path of a file below its site; ok is false for what can
// be none, whatever way it leads out. The site itself is ".".
func fileName(raw string) (name string, ok bool) {
	name, err := url.PathUnescape(raw)
	if err != nil || strings.ContainsAny(name, "\\\x00") {
		return "", false
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "/"), "/")
	if name == "" {
		return ".", true
	}
	return name, fs.ValidPath(name) && name != "."
}

func redirect(c *gin.Context, to string) {
	if query := c.Request.URL.RawQuery; query != "" {
		to += "?" + query
	}
	if strings.HasPrefix(to, "//") {
		to = "/" + strings.TrimLeft(to, "/") // or it would name a host
	}
	c.Writer.Header().Set("Location", to)
	empty(c, http.StatusMovedPermanently)
}

func missing(c *gin.Context) { empty(c, http.StatusNotFound) }

func empty(c *gin.Context, status int) {
	c.Writer.Header().Set("Content-Length", "0")
	c.Status(status)
	c.Writer.WriteHeaderNow()
}

// plainText is the type of what a browser could take for a page.
const plainText = "text/plain; charset=utf-8"

// contentTypes are those of the files that sites have. What is not here is
// bytes, and what could run as a page is plain text.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".json": "application/json; charset=utf-8", ".map": "application/json; charset=utf-8", ".txt": plainText, ".md": plainText, ".csv": plainText,
	".yaml": plainText, ".yml": plainText, ".log": plainText,
	".html": plainText, ".htm": plainText, ".xhtml": plainText, ".shtml": plainText, ".svg": plainText, ".svgz": "application/octet-stream", ".xml": plainText,
	".xsl": plainText, ".xslt": plainText, ".rss": plainText, ".atom": plainText, ".rdf": plainText, ".mathml": plainText,
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".avif": "image/avif",
	".ico": "image/x-icon", ".bmp": "image/bmp", ".apng": "image/apng",
	".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf", ".eot": "application/vnd.ms-fontobject",
	".mp4": "video/mp4", ".webm": "video/webm", ".ogv": "video/ogg", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".wav": "audio/wav",
	".pdf": "application/pdf", ".zip": "application/zip", ".gz": "application/gzip", ".wasm": "application/wasm",
}

func contentType(name string) string {
	if t := contentTypes[strings.ToLower(path.Ext(name))]; t != "" {
		return t
	}
	return "application/octet-stream"
}
