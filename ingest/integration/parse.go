package integration

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func parseHost(kind, key string, config map[string]any) (Host, error) {
	f := fields{key: key, of: config}
	name := f.text("host")
	if name == "" {
		name = wellKnown[kind]
	}
	if name == "" && f.err == nil {
		return Host{}, fmt.Errorf("%s.host: missing", key)
	}
	if u, err := url.Parse("https://" + name); f.err == nil && (err != nil || u.Host != name || strings.ContainsAny(name, " /@")) {
		return Host{}, fmt.Errorf("%s.host: %q is not a valid host", key, name)
	}
	h := defaults(kind, strings.ToLower(name))
	h.Token, h.CommitSigningKey = f.secret("token"), f.secret("commitSigningKey")
	switch kind {
	case KindGitHub:
		f.url("apiBaseUrl", &h.APIBaseURL)
		f.url("rawBaseUrl", &h.RawBaseURL)
		h.Apps = f.apps()
	case KindGitLab:
		f.url("apiBaseUrl", &h.APIBaseURL)
		f.url("baseUrl", &h.BaseURL)
		h.Retry = f.retry()
	case KindGit:
		h.Git = f.git()
	case KindGitea:
		f.url("baseUrl", &h.BaseURL)
		h.Git = Git{Username: f.text("username"), Password: f.secret("password")}
	case KindBitbucketCloud:
		f.url("apiBaseUrl", &h.APIBaseURL)
		h.Git = Git{Username: f.text("username"), Password: f.secret("appPassword")}
	}
	if f.err != nil {
		return Host{}, f.err
	}
	return h.complete(key)
}

// complete checks that there is a way to read from the host.
func (h Host) complete(key string) (Host, error) {
	switch {
	case h.Kind == KindGitHub && h.APIBaseURL == "" && h.RawBaseURL == "":
		return h, fmt.Errorf("%s: host %s needs apiBaseUrl or rawBaseUrl", key, h.Host)
	case h.Kind == KindGitLab && h.APIBaseURL == "" && h.Host != "gitlab.com":
		return h, fmt.Errorf("%s: host %s needs apiBaseUrl", key, h.Host)
	case h.Kind == KindBitbucketCloud && h.APIBaseURL == "":
		return h, fmt.Errorf("%s: host %s needs apiBaseUrl", key, h.Host)
	case h.Kind == KindBitbucketCloud && h.Git.Username == "" && !h.Git.Password.IsZero():
		return h, fmt.Errorf("%s.username: missing: appPassword is of a user", key)
	case h.Kind == KindGitea && !h.Token.IsZero():
		return h, fmt.Errorf("%s.token: Gitea takes a token as password", key)
	case h.OverGit() && !h.Token.IsZero() && !h.Git.Password.IsZero():
		return h, fmt.Errorf("%s: host %s has both a token and a password: use one", key, h.Host)
	case h.Kind == KindGit && !h.Git.SSH.PrivateKey.IsZero() && strings.TrimSpace(h.Git.SSH.KnownHosts) == "":
		return h, fmt.Errorf("%s.ssh.knownHosts: missing: without the keys of the server its answers cannot be trusted; "+
			"ssh-keyscan %s prints them", key, h.Host)
	}
	return h, nil
}

// fields reads the values of one object and keeps the first error.
type fields struct {
	key string
	of  map[string]any
	err error
}

func (f *fields) fail(name, format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("%s.%s: %s", f.key, name, fmt.Sprintf(format, args...))
	}
}

// text returns a string, "" if it is not there.
func (f *fields) text(name string) string {
	v, ok := f.of[name]
	if !ok || v == nil {
		return ""
	}
	s, ok := v.(string)
	if !ok || s == "" {
		f.fail(name, "expected a string that is not empty")
	}
	return s
}

func (f *fields) secret(name string) Secret { return NewSecret(strings.TrimSpace(f.text(name))) }

// url replaces what to holds if the field is there.
func (f *fields) url(name string, to *string) {
	if s := f.text(name); s != "" {
		*to = strings.TrimRight(s, "/")
		if !isHTTP(*to) {
			f.fail(name, "not a valid URL")
		}
	}
}

// number returns a whole number, which may be written as a string.
func (f *fields) number(name string) int64 {
	switch v := f.of[name].(type) {
	case nil:
		return 0
	case int:
		return int64(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n
		}
	}
	f.fail(name, "expected a whole number")
	return 0
}

func (f *fields) flag(name string) bool {
	v, ok := f.of[name]
	if !ok || v == nil {
		return false
	}
	b, ok := v.(bool)
	if !ok {
		f.fail(name, "expected true or false")
	}
	return b
}

// object returns the fields of an object, none if it is not there. Its first
// error is to be passed on with take.
func (f *fields) object(name string) *fields {
	out := &fields{key: f.key + "." + name}
	v, ok := f.of[name]
	if !ok || v == nil {
		return out
	}
	if out.of, ok = v.(map[string]any); !ok {
		f.fail(name, "expected an object")
	}
	return out
}

func (f *fields) take(inner *fields) {
	if f.err == nil {
		f.err = inner.err
	}
}

// list returns the elements of a list, none if it is not there.
func (f *fields) list(name string) []any {
	v, ok := f.of[name]
	if !ok || v == nil {
		return nil
	}
	l, ok := v.([]any)
	if !ok {
		f.fail(name, "expected a list")
	}
	return l
}

func (f *fields) apps() []App {
	var apps []App
	for i, element := range f.list("apps") {
		config, ok := element.(map[string]any)
		if !ok {
			f.fail(fmt.Sprintf("apps[%d]", i), "expected an object")
			return nil
		}
		inner := &fields{key: fmt.Sprintf("%s.apps[%d]", f.key, i), of: config}
		app := inner.app()
		if inner.err == nil && slices.ContainsFunc(apps, func(o App) bool { return o.ID == app.ID }) {
			inner.fail("appId", "app %d is configured twice", app.ID)
		}
		f.take(inner)
		apps = append(apps, app)
	}
	return apps
}

func (f *fields) app() App {
	a := App{
		ID: f.number("appId"), ClientID: f.text("clientId"), ClientSecret: f.secret("clientSecret"),
		WebhookSecret: f.secret("webhookSecret"), PublicAccess: f.flag("publicAccess"),
	}
	if a.ID <= 0 {
		f.fail("appId", "missing")
	}
	for i, owner := range f.list("allowedInstallationOwners") {
		s, ok := owner.(string)
		if !ok || s == "" {
			f.fail(fmt.Sprintf("allowedInstallationOwners[%d]", i), "expected a string that is not empty")
		}
		a.AllowedOwners = append(a.AllowedOwners, strings.ToLower(s))
	}
	key := f.text("privateKey")
	if key == "" {
		f.fail("privateKey", "missing")
		return a
	}
	var err error
	if a.key, err = parseKey(key); err != nil {
		f.fail("privateKey", "%v", err)
	}
	return a
}

// parseKey reads an RSA key in PEM form, also where line breaks were written as
// \n. Its errors hold nothing of the key.
func parseKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(strings.ReplaceAll(text, `\n`, "\n")))
	if block == nil {
		return nil, errNoKey
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if rsaKey, ok := key.(*rsa.PrivateKey); ok && err == nil {
		return rsaKey, nil
	}
	return nil, errNoKey
}

var errNoKey = errors.New("expected an RSA private key in PEM form")

func (f *fields) retry() Retry {
	r := f.object("retry")
	out := Retry{MaxRetries: int(r.number("maxRetries")), MaxAPIRequestsPerMinute: int(r.number("maxApiRequestsPerMinute"))}
	for i, code := range r.list("retryStatusCodes") {
		inner := &fields{key: r.key, of: map[string]any{"code": code}}
		n := inner.number("code")
		if inner.err != nil || n < 100 || n > 599 {
			r.fail(fmt.Sprintf("retryStatusCodes[%d]", i), "expected an HTTP status")
		}
		out.StatusCodes = append(out.StatusCodes, int(n))
	}
	if out.MaxRetries < 0 || out.MaxRetries > 10 {
		r.fail("maxRetries", "expected a number from 0 to 10")
	}
	if out.MaxAPIRequestsPerMinute < -1 {
		r.fail("maxApiRequestsPerMinute", "expected a number of requests, or -1 for no limit")
	}
	f.take(r)
	return out
}

func (f *fields) git() Git {
	ssh := f.object("ssh")
	g := Git{Username: f.text("username"), Password: f.secret("password"), SSH: SSH{
		User: ssh.text("user"), PrivateKey: ssh.secret("privateKey"), Passphrase: ssh.secret("passphrase"), KnownHosts: ssh.text("knownHosts"),
	}}
	if g.SSH.User == "" {
		g.SSH.User = "git"
	}
	f.take(ssh)
	return g
}

func isHTTP(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}
