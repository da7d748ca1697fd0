package app

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// Options are what a Site needs; the zero value of a field means what is said
// beside it.
type Options struct {
	// Build holds the files. Required.
	Build Build
	// Config is the configuration that browsers may see: a JSON array of
	// objects with context and data. Required.
	Config []byte
	// Title is app.title; "": Backstage.
	Title string
	// PublicPath is the path of app.baseUrl, without a slash at its end.
	PublicPath string
	// Shelf has static files of earlier builds; nil: there are none.
	Shelf Shelf
	// Logger takes what goes wrong; nil: it is lost.
	Logger *slog.Logger
}

// A Shelf keeps static files of earlier builds.
type Shelf interface {
	// Asset returns the gzip form of a static file by its path below static/,
	// and when it was last part of a build. The error of one that is not there
	// is fs.ErrNotExist.
	Asset(ctx context.Context, name string) (gzip []byte, at time.Time, err error)
}

// A Site serves a portal.
type Site struct {
	Options

	mu   sync.Mutex
	page *page
}

// New makes the page once, to see that it can be made.
func New(o Options) (*Site, error) {
	if o.Build == nil || o.Config == nil {
		return nil, errors.New("the portal needs a build and a configuration")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Site{Options: o}
	p, err := s.currentPage()
	if err != nil {
		return nil, err
	}
	if p.ignored {
		o.Logger.Warn("the page of the portal has expressions that are not known, and that were left out")
	}
	return s, nil
}

// currentPage returns the page, made again if the build has another one.
func (s *Site) currentPage() (*page, error) {
	name, f, err := startFile(s.Build)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.page != nil && s.page.tag == f.Tag {
		return s.page, nil
	}
	p, err := makePage(name, f, &s.Options)
	if err != nil {
		return nil, err
	}
	s.page = p
	return p, nil
}

// Values of Cache-Control: the names of static files change with their
// content, those of others do not, and the page holds the configuration.
const (
	cacheStatic = "public, max-age=1209600"
	cacheOther  = "public, max-age=0"
	cachePage   = "no-store, max-age=0"
)

// Serve answers what no route does. Path is below the root of the portal, as
// it was sent.
func (s *Site) Serve(c *gin.Context, path string) {
	h := c.Writer.Header()
	h.Set("X-Frame-Options", "DENY")
	if m := c.Request.Method; m != http.MethodGet && m != http.MethodHead {
		empty(c, http.StatusNotFound)
		return
	}
	name, ok := s.name(path)
	if ok && name != templateName && name != indexName {
		if f, ok := s.Build.File(name); ok {
			s.serveFile(c, name, f)
			return
		}
	}
	if static, below := strings.CutPrefix(name+"/", "static/"); below {
		s.serveShelved(c, strings.TrimSuffix(static, "/"))
		return
	}
	s.servePage(c)
}

// name returns the name of the file that a path means; ok is false if none
// can have that name, which is then "", or "static" if the path means to be
// static. A path below the public path means the same as the rest
// of it, for set-ups in which nobody takes that off before us.
func (s *Site) name(path string) (name string, ok bool) {
	path, err := url.PathUnescape(path)
	if err != nil {
		return "", false
	}
	if below, ok := strings.CutPrefix(path, s.PublicPath+"/"); ok && s.PublicPath != "" {
		path = "/" + below
	}
	name = strings.TrimPrefix(path, "/")
	static := name == "static" || strings.HasPrefix(name, "static/")
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\\x00") || hasDotFile(name) {
		if static {
			return "static", false
		}
		return "", false
	}
	return name, true
}

func hasDotFile(name string) bool { return name[0] == '.' || strings.Contains(name, "/.") }

func empty(c *gin.Context, status int) {
	c.Writer.Header().Set("Content-Length", "0")
	c.Status(status)
	c.Writer.WriteHeaderNow()
}

// servePage answers with the page.
func (s *Site) servePage(c *gin.Context) {
	p, err := s.currentPage()
	if err != nil {
		s.Logger.ErrorContext(c.Request.Context(), "the page of the portal cannot be made", slog.Any("error", err))
		empty(c, http.StatusInternalServerError)
		return
	}
	h := c.Writer.Header()
	h.Set("Cache-Control", cachePage)
	h.Set("Content-Type", contentTypes[".html"])
	body := p.plain
	if acceptsGzip(c) {
		h.Set("Content-Encoding", "gzip")
		body = p.gzip
	}
	send(c, int64(len(body)), func(w io.Writer) error { _, err := w.Write(body); return err })
}

// serveFile answers with a file, in its gzip form if it has one that the
// client takes.
func (s *Site) serveFile(c *gin.Context, name string, f File) {
	h := c.Writer.Header()
	h.Set("Cache-Control", cacheControl(name))
	h.Set("Content-Type", contentType(name))
	if !f.Modified.IsZero() {
		h.Set("Last-Modified", f.Modified.UTC().Format(http.TimeFormat))
	}
	tag := `W/"` + f.Tag + `"`
	h.Set("ETag", tag)
	gzipped := f.GzipSize > 0 && acceptsGzip(c)
	if unchanged(c.Request, tag, f.Modified) {
		c.Status(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
		return
	}
	if gzipped {
		h.Set("Content-Encoding", "gzip")
		send(c, f.GzipSize, f.WriteGzip)
		return
	}
	r, err := f.Open()
	if err != nil { // it went between the look and the opening
		h.Del("ETag")
		h.Del("Last-Modified")
		empty(c, http.StatusNotFound)
		return
	}
	defer r.Close()
	send(c, f.Size, func(w io.Writer) error { _, err := io.CopyN(w, r, f.Size); return err })
}

func cacheControl(name string) string {
	switch {
	case strings.HasSuffix(name, ".html"):
		return cachePage
	case strings.HasPrefix(name, "static/"):
		return cacheStatic
	}
	return cacheOther
}

// serveShelved answers with a static file of an earlier build.
func (s *Site) serveShelved(c *gin.Context, name string) {
	if s.Shelf == nil || name == "" || !acceptsGzip(c) {
		empty(c, http.StatusNotFound)
		return
	}
	body, at, err := s.Shelf.Asset(c.Request.Context(), name)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.Logger.ErrorContext(c.Request.Context(), "static file of an earlier build", slog.Any("error", err))
		}
		empty(c, http.StatusNotFound)
		return
	}
	h := c.Writer.Header()
	h.Set("Cache-Control", cacheStatic)
	h.Set("Content-Type", contentType(name))
	h.Set("Content-Encoding", "gzip")
	h.Set("Last-Modified", at.UTC().Format(http.TimeFormat))
	send(c, int64(len(body)), func(w io.Writer) error { _, err := w.Write(body); return err })
}

// send writes the body. If it cannot be written whole, the connection ends, so
// that half of it does not look like all.
func send(c *gin.Context, size int64, write func(io.Writer) error) {
	c.Writer.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	c.Status(http.StatusOK)
	if c.Request.Method == http.MethodHead {
		c.Writer.WriteHeaderNow()
		return
	}
	if err := write(c.Writer); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// acceptsGzip tells whether the client takes gzip, and says that the answer
// depends on it.
func acceptsGzip(c *gin.Context) bool {
	if h := c.Writer.Header(); !strings.Contains(strings.Join(h.Values("Vary"), ","), "Accept-Encoding") {
		h.Add("Vary", "Accept-Encoding")
	}
	for _, line := range c.Request.Header.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(line, ",") {
			coding, parameters, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
				q, found := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q=")
				return !found || strings.Trim(q, "0.") != ""
			}
		}
	}
	return false
}

// unchanged tells whether the client has the file already.
func unchanged(r *http.Request, tag string, modified time.Time) bool {
	if match := r.Header.Get("If-None-Match"); match != "" {
		for candidate := range strings.SplitSeq(match, ",") {
			candidate = strings.TrimSpace(candidate)
			if candidate == "*" || strings.TrimPrefix(candidate, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
		return false
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && !modified.IsZero() && !modified.Truncate(time.Second).After(since)
}
