package signin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/api/wire"
)

const (
	// nonceAge is how long a person may take at the provider.
	nonceAge = 10 * time.Minute
	// defaultSession is how long a refresh token stays in the browser.
	defaultSession = 1000 * 24 * time.Hour
	// chunkSize is how much of a value, in characters, goes into one cookie, and
	// maxChunks how many there may be.
	chunkSize = 4000
	maxChunks = 8
)

// A jar writes and reads the cookies of one provider in one environment.
type jar struct {
	provider string
	path     string // of refresh token and scope; the nonce is below it
	host     string // of the callback
	secure   bool
	session  time.Duration
	now      func() time.Time
}

// newJar derives where cookies hold from the callback URL: below the routes of
// the provider, or, for a callback that is elsewhere, below that.
func newJar(provider string, callback *url.URL, session time.Duration, now func() time.Time) jar {
	path, ours := strings.CutSuffix(callback.Path, provider+"/handler/frame")
	if ours {
		path += provider
	} else {
		path = callback.Path + "/" + provider
	}
	if session == 0 {
		session = defaultSession
	}
	return jar{provider: provider, path: path, host: callback.Hostname(), secure: callback.Scheme == "https", session: session, now: now}
}

func (j jar) nonceName() string   { return j.provider + "-nonce" }
func (j jar) refreshName() string { return j.provider + "-refresh-token" }
func (j jar) scopeName() string   { return j.provider + "-granted-scope" }

func (j jar) setNonce(h http.Header, nonce, origin string) {
	j.write(h, j.nonceName(), nonce, nonceAge, j.path+"/handler", origin)
}

// dropNonce ends the start that a callback belongs to.
func (j jar) dropNonce(h http.Header, origin string) {
	j.write(h, j.nonceName(), "", 0, j.path+"/handler", origin)
}

// set keeps a value for the length of a session, in as many cookies as it
// needs, and expires those of an earlier one that are left.
func (j jar) set(h http.Header, r *http.Request, name, value, origin string) error {
	var fresh []string
	switch {
	case len(value) > chunkSize*maxChunks:
		return wire.NotAllowed("what the provider returned is too long for the cookies of a browser")
	case len(value) <= chunkSize:
		fresh = []string{name}
		j.write(h, name, value, j.session, j.path, origin)
	default:
		for rest := value; rest != ""; {
			part := rest[:min(chunkSize, len(rest))]
			rest = rest[len(part):]
			chunk := name + "-" + strconv.Itoa(len(fresh))
			fresh = append(fresh, chunk)
			j.write(h, chunk, part, j.session, j.path, origin)
		}
	}
	j.expire(h, r, name, origin, fresh)
	return nil
}

// drop expires the cookies of a value that were sent.
func (j jar) drop(h http.Header, r *http.Request, name, origin string) {
	j.expire(h, r, name, origin, nil)
}

func (j jar) expire(h http.Header, r *http.Request, name, origin string, but []string) {
	for i := -1; i < maxChunks; i++ {
		sent := name
		if i >= 0 {
			sent += "-" + strconv.Itoa(i)
		}
		if _, err := r.Cookie(sent); err != nil || contains(but, sent) {
			continue
		}
		j.write(h, sent, "", 0, j.path, origin)
	}
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// get returns a value that was set, "" for none.
func (j jar) get(r *http.Request, name string) string {
	first := read(r, name+"-0")
	if first == "" {
		return read(r, name)
	}
	var b strings.Builder
	for i, part := 1, first; part != ""; i++ {
		b.WriteString(part)
		if part = ""; i < maxChunks {
			part = read(r, name+"-"+strconv.Itoa(i))
		}
	}
	return b.String()
}

func read(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	value, err := url.PathUnescape(c.Value)
	if err != nil {
		return ""
	}
	return value
}

// write adds a Set-Cookie header. The value is percent-encoded, as the
// reference has it, so that sessions outlive a change from one to the other.
// Only where the app is on another host must the cookie cross sites.
func (j jar) write(h http.Header, name, value string, age time.Duration, path, origin string) {
	expires := j.now().Add(age)
	if age == 0 {
		expires = time.Unix(0, 0)
	}
	c := name + "=" + encodeComponent(value) + "; Max-Age=" + strconv.Itoa(int(age.Seconds())) + "; Path=" + path +
		"; Expires=" + expires.UTC().Format(http.TimeFormat) + "; HttpOnly"
	sameSite := "Lax"
	if j.secure {
		c += "; Secure"
		if u, err := url.Parse(origin); err == nil && origin != "" && u.Hostname() != j.host {
			sameSite = "None"
		}
	}
	h.Add("Set-Cookie", c+"; SameSite="+sameSite)
}
