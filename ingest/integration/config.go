package integration

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// Kinds of integration.
const (
	KindGitHub = "github"
	KindGitLab = "gitlab"
)

// A Host is one Git host.
type Host struct {
	Kind string // KindGitHub or KindGitLab
	Host string // with port where it is not the default one
	// BaseURL is where GitLab's pages are, without a trailing slash.
	BaseURL string
	// APIBaseURL is where the REST API is; RawBaseURL where GitHub serves
	// files to those without a token. "" where there is none.
	APIBaseURL, RawBaseURL string
	Token                  string
}

// String names the integration, without its token.
func (h Host) String() string { return h.Kind + " " + h.Host }

// A Set holds the integrations of an installation.
type Set struct{ hosts []Host }

// Hosts returns all integrations. The caller must not change the slice.
func (s *Set) Hosts() []Host { return s.hosts }

// foreign are the kinds of integration that the reference has and we have not.
var foreign = map[string]bool{
	"azure": true, "azureBlobStorage": true, "awsS3": true, "awsCodeCommit": true, "bitbucketCloud": true, "bitbucketServer": true,
	"gerrit": true, "gitea": true, "googleGcs": true, "harness": true,
}

// Parse reads the value of the key integrations: nil, or an object of lists by
// kind, as maps or as jsonvalue objects. The warnings name once each the kinds
// that are not known. Errors name the key that is wrong, never its value.
func Parse(config any) (*Set, []string, error) {
	s := &Set{}
	sections, ok := jsonvalue.Plain(config).(map[string]any)
	if config != nil && !ok {
		return nil, nil, fmt.Errorf("integrations: expected an object")
	}
	var warnings []string
	for _, kind := range sortedKeys(sections) {
		section := sections[kind]
		switch {
		case section == nil:
		case kind == KindGitHub || kind == KindGitLab:
			if err := s.addSection(kind, section); err != nil {
				return nil, nil, err
			}
		case foreign[kind]:
			warnings = append(warnings, fmt.Sprintf("integrations.%s is not supported in this release and is ignored", kind))
		default:
			warnings = append(warnings, fmt.Sprintf("integrations.%s is not a known kind of integration and is ignored", kind))
		}
	}
	for _, known := range []Host{defaults(KindGitHub, "github.com"), defaults(KindGitLab, "gitlab.com")} {
		if !slices.ContainsFunc(s.hosts, func(h Host) bool { return h.Host == known.Host }) {
			s.hosts = append(s.hosts, known)
		}
	}
	return s, warnings, nil
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// defaults returns what is known of a host without configuration.
func defaults(kind, host string) Host {
	h := Host{Kind: kind, Host: host}
	switch {
	case kind == KindGitHub && host == "github.com":
		h.APIBaseURL, h.RawBaseURL = "https://api.github.com", "https://raw.githubusercontent.com"
	case kind == KindGitLab:
		h.BaseURL = "https://" + host
	}
	return h
}

func (s *Set) addSection(kind string, section any) error {
	list, ok := section.([]any)
	if !ok {
		return fmt.Errorf("integrations.%s: expected a list", kind)
	}
	for i, entry := range list {
		key := fmt.Sprintf("integrations.%s[%d]", kind, i)
		fields, ok := entry.(map[string]any)
		if !ok {
			return fmt.Errorf("%s: expected an object", key)
		}
		h, err := parseHost(kind, key, fields)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(s.hosts, func(o Host) bool { return o.Host == h.Host }) {
			return fmt.Errorf("%s: host %s is configured twice", key, h.Host)
		}
		s.hosts = append(s.hosts, h)
	}
	return nil
}

func parseHost(kind, key string, fields map[string]any) (Host, error) {
	name := "github.com"
	if kind == KindGitLab {
		name = "gitlab.com"
	}
	if err := stringField(fields, key, "host", &name); err != nil {
		return Host{}, err
	}
	if u, err := url.Parse("https://" + name); err != nil || u.Host != name || strings.ContainsAny(name, " /@") {
		return Host{}, fmt.Errorf("%s.host: %q is not a valid host", key, name)
	}
	h := defaults(kind, strings.ToLower(name))
	for field, to := range map[string]*string{"apiBaseUrl": &h.APIBaseURL, "rawBaseUrl": &h.RawBaseURL, "baseUrl": &h.BaseURL} {
		if kind == KindGitHub && field == "baseUrl" {
			continue
		}
		if err := stringField(fields, key, field, to); err != nil {
			return Host{}, err
		}
		if *to = strings.TrimRight(*to, "/"); *to != "" && !isHTTP(*to) {
			return Host{}, fmt.Errorf("%s.%s: not a valid URL", key, field)
		}
	}
	if err := stringField(fields, key, "token", &h.Token); err != nil {
		return Host{}, err
	}
	h.Token = strings.TrimSpace(h.Token)
	return h.complete(key)
}

// complete fills in the API of a GitLab and checks that there is a way to read
// from the host.
func (h Host) complete(key string) (Host, error) {
	switch {
	case h.Kind == KindGitHub && h.APIBaseURL == "" && h.RawBaseURL == "":
		return h, fmt.Errorf("%s: host %s needs apiBaseUrl or rawBaseUrl", key, h.Host)
	case h.Kind == KindGitLab && h.APIBaseURL == "" && h.Host != "gitlab.com":
		return h, fmt.Errorf("%s: host %s needs apiBaseUrl", key, h.Host)
	}
	return h, nil
}

// API returns where the REST API is.
func (h Host) API() string {
	if h.APIBaseURL == "" && h.Kind == KindGitLab {
		return h.BaseURL + "/api/v4"
	}
	return h.APIBaseURL
}

func stringField(fields map[string]any, key, name string, to *string) error {
	v, ok := fields[name]
	if !ok || v == nil {
		return nil
	}
	s, ok := v.(string)
	if !ok || s == "" {
		return fmt.Errorf("%s.%s: expected a string that is not empty", key, name)
	}
	*to = s
	return nil
}

func isHTTP(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
