package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// An Endpoint says where plugins live.
type Endpoint struct {
	// Target is the base URL of a plugin, in which {{pluginId}} stands for its
	// id. With the scheme http+srv or https+srv, host and port come from DNS.
	Target string
	// Plugins are the ids; "*" is any that no entry names.
	Plugins []string
}

// A Resolver looks up SRV records; *net.Resolver is one.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// A Directory answers where a plugin lives.
type Directory struct {
	named    map[string]string // targets
	others   string            // target of "*", "" for none
	own      []string
	resolver Resolver
}

// New checks the endpoints; later ones win. Own are the plugins of this
// process. Resolver nil: that of the system.
func New(endpoints []Endpoint, own []string, resolver Resolver) (*Directory, error) {
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	d := &Directory{named: map[string]string{}, own: own, resolver: resolver}
	for _, e := range endpoints {
		if err := CheckTarget(e.Target); err != nil {
			return nil, err
		}
		for _, id := range e.Plugins {
			if id == "*" {
				d.others = e.Target
				continue
			}
			if !IsPluginID(id) {
				return nil, fmt.Errorf("'%s' is not the id of a plugin: it has letters, digits, _ and - alone", id)
			}
			d.named[id] = e.Target
		}
	}
	return d, nil
}

var (
	pluginID    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
	placeholder = regexp.MustCompile(`\{\{\s*pluginId\s*\}\}`)
)

// IsPluginID tells whether a text may be the id of a plugin, and so a part of
// a URL. It has at most 100 characters.
func IsPluginID(text string) bool { return pluginID.MatchString(text) }

const srv = "+srv"

// CheckTarget returns an error if a target is not the URL of a plugin.
func CheckTarget(target string) error {
	u, err := url.Parse(placeholder.ReplaceAllString(target, "x"))
	if err != nil || u.Host == "" {
		return fmt.Errorf("target '%s' is not an absolute URL", target)
	}
	scheme, isSRV := strings.CutSuffix(u.Scheme, srv)
	switch {
	case scheme != "http" && scheme != "https":
		return fmt.Errorf("target '%s' is neither http nor https", target)
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return fmt.Errorf("target of '%s' must have no user, query or fragment", u.Host)
	case isSRV && u.Port() != "":
		return fmt.Errorf("target '%s' must have no port: DNS knows it", target)
	}
	return nil
}

// Elsewhere tells whether a plugin lives elsewhere.
func (d *Directory) Elsewhere(plugin string) bool { return d.target(plugin) != "" }

func (d *Directory) target(plugin string) string {
	if t, ok := d.named[plugin]; ok {
		return t
	}
	if d.others == "" || slices.Contains(d.own, plugin) || !IsPluginID(plugin) {
		return ""
	}
	return d.others
}

// ErrHere is returned for plugins that do not live elsewhere.
var ErrHere = errors.New("the plugin lives nowhere else")

// Base returns the base URL of a plugin that lives elsewhere, without a slash
// at its end; ErrHere for others.
func (d *Directory) Base(ctx context.Context, plugin string) (string, error) {
	target := d.target(plugin)
	if target == "" {
		return "", ErrHere
	}
	base := strings.TrimRight(placeholder.ReplaceAllString(target, plugin), "/")
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	scheme, isSRV := strings.CutSuffix(u.Scheme, srv)
	if !isSRV {
		return base, nil
	}
	// The records come by priority, and in an order of chance by weight.
	_, records, err := d.resolver.LookupSRV(ctx, "", "", u.Hostname())
	if err != nil {
		return "", fmt.Errorf("look up where plugin %s lives: %w", plugin, err)
	}
	if len(records) == 0 {
		return "", fmt.Errorf("look up where plugin %s lives: %s has no SRV records", plugin, u.Hostname())
	}
	u.Scheme = scheme
	u.Host = net.JoinHostPort(strings.TrimSuffix(records[0].Target, "."), strconv.Itoa(int(records[0].Port)))
	return u.String(), nil
}
