package oauthserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// Limits of reading a document.
const (
	documentTimeout = 10 * time.Second
	maxDocument     = 64 << 10
)

// The command line of Backstage is known by a document of ours.
const (
	CLIPath     = "/.well-known/oauth-client/cli.json"
	cliName     = "Backstage CLI"
	cliRedirect = "http://127.0.0.1:8055/callback"
)

// CLI answers GET CLIPath of the plugin.
func (s *Server) CLI(*gin.Context) (any, error) {
	if s.o.Documents == nil {
		return nil, wire.NotFound("Client ID metadata documents not enabled")
	}
	return wire.Obj("client_id", s.issuer+CLIPath, "client_name", cliName, "redirect_uris", []any{cliRedirect},
		"response_types", []any{"code"}, "grant_types", s.grantTypes(), "token_endpoint_auth_method", "none",
		"scope", "openid offline_access"), nil
}

// isDocument tells whether an id is the URL of a document.
func isDocument(id string) bool {
	return strings.HasPrefix(id, "https://") || strings.HasPrefix(id, "http://")
}

// document returns the client that the document at its id describes.
func (s *Server) document(ctx context.Context, id string) (client, error) {
	if s.o.Documents == nil {
		return client{}, invalidRequest("Client ID metadata documents not enabled")
	}
	if id == s.issuer+CLIPath {
		return client{Name: cliName, Redirects: []string{cliRedirect}}, nil
	}
	u, err := url.Parse(id)
	switch {
	case err != nil || len(id) > maxURL || u.Scheme != "https" || u.Host == "" || u.Path == "" || u.Path == "/" || u.User != nil ||
		strings.ContainsAny(id, "?#\\"):
		return client{}, invalidRequest("Invalid client_id: it must be an https URL with a path, and with no query, fragment or password")
	case strings.Contains(u.EscapedPath()+"/", "/./") || strings.Contains(u.EscapedPath()+"/", "/../"):
		return client{}, invalidRequest("Invalid client_id: path must not contain dot segments")
	case !anyMatches(s.docs, u):
		return client{}, invalidRequest("Invalid client_id '" + excerpt(id) +
			"': the operator decides which there are, with auth.clientIdMetadataDocuments.allowedClientIdPatterns")
	}
	data, err := s.fetch(ctx, u, anyExact(s.docs, u))
	if err != nil {
		return client{}, invalidRequest("Failed to fetch client metadata: " + err.Error())
	}
	return readDocument(data, id)
}

func anyExact(list []pattern, u *url.URL) bool {
	for _, p := range list {
		if p.exact && p.matches(u) {
			return true
		}
	}
	return false
}

func readDocument(data []byte, id string) (client, error) {
	o, err := jsonvalue.ParseObject(data)
	if err != nil {
		return client{}, invalidRequest("Invalid client metadata document")
	}
	if o.String("client_id") != id {
		return client{}, invalidRequest("Client ID mismatch in metadata document")
	}
	if o.Has("client_secret") || strings.HasPrefix(o.String("token_endpoint_auth_method"), "client_secret") {
		return client{}, invalidRequest("Client metadata must not contain a secret: what is public is not secret")
	}
	list, _ := o.Value("redirect_uris").([]any)
	if len(list) == 0 || len(list) > maxRedirects {
		return client{}, invalidRequest("Metadata must include 1 to 20 redirect_uris")
	}
	out := client{Name: cleanName(o.String("client_name"))}
	if o.String("client_name") == "" {
		out.Name = id
	}
	for _, v := range list {
		text, _ := v.(string)
		if _, ok := parseRedirect(text); !ok {
			return client{}, invalidRequest("Invalid redirect_uri in metadata: " + excerpt(text))
		}
		out.Redirects = append(out.Redirects, text)
	}
	return out, nil
}

// fetch reads a document. Hosts that the operator has not named one by one must
// be public.
func (s *Server) fetch(ctx context.Context, u *url.URL, named bool) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, documentTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("the URL cannot be asked for")
	}
	req.Header.Set("Accept", "application/json")
	reader := s.o.Documents.HTTP
	if reader == nil {
		reader = documentReader(named)
		defer reader.CloseIdleConnections()
	}
	res, err := reader.Do(req)
	if err != nil {
		return nil, errors.New("the host does not answer, or is not a public one") // no more: it tells of our network
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the host answers with %d", res.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxDocument+1))
	if err != nil || len(data) > maxDocument {
		return nil, errors.New("the document is too large, or does not come to its end")
	}
	return data, nil
}

// documentReader follows no redirects, and reaches public addresses alone
// unless the host is named.
func documentReader(named bool) *http.Client {
	dialer := &net.Dialer{Timeout: documentTimeout}
	if !named {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			a, err := netip.ParseAddrPort(address)
			if err != nil || !isPublic(a.Addr().Unmap()) {
				return errors.New("not a public address")
			}
			return nil
		}
	}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, ForceAttemptHTTP2: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("a redirect") },
	}
}

// reserved are the networks that are not public though Go takes them for such.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
}

func isPublic(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
