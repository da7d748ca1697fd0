package auth

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/api/wire"
)

// A Kind says what sort of principal is asking.
type Kind uint8

// The kinds of principal.
const (
	None    Kind = iota // nobody: no credential, on an open path
	User                // a person, by a token of ours, or through a plugin that acts for one
	Service             // a program, by a token of its own
)

// String returns the word that error messages have for the kind.
func (k Kind) String() string {
	return [...]string{"none", "user", "service"}[k]
}

// A Principal is who asks. The zero value is nobody.
type Principal struct {
	Kind Kind
	// Subject is the entity ref of a user, or the name of a service.
	Subject string
	// Restrictions narrow what a service may do; nil means not at all.
	Restrictions []Restriction
	// Limited marks a user who came with a limited token or a cookie.
	Limited bool
	// Actor is the service that acts for a user, such as "plugin:search"; ""
	// for a user who asks in person.
	Actor string
	// Expires is the end of the credential; zero if it has none.
	Expires time.Time

	// limited is the limited token of a user, which speaks for them elsewhere.
	limited string
	// foreign marks a user whom the backend has signed in that has the plugin
	// auth.
	foreign bool
	// local marks those who came with a plugin token that this process issued.
	local bool
}

// IsLocal tells whether the principal is a plugin of this process, or one that
// acts for a user: it has called itself over the network.
func (p Principal) IsLocal() bool { return p.local }

// A Restriction lets a service call one plugin, and there only what needs one
// of the permissions and one of the actions; empty lists restrict nothing.
type Restriction struct {
	Plugin      string
	Permissions []string
	Actions     []string // of create, read, update, delete
}

// RestrictionFor returns the restriction that holds in a plugin. The plugin is
// closed to the principal if it has restrictions and none is for it.
func (p Principal) RestrictionFor(plugin string) (r Restriction, open bool) {
	if p.Restrictions == nil {
		return Restriction{Plugin: plugin}, true
	}
	i := slices.IndexFunc(p.Restrictions, func(r Restriction) bool { return r.Plugin == plugin })
	if i < 0 {
		return Restriction{}, false
	}
	return p.Restrictions[i], true
}

func (p Principal) checkPlugin(plugin string) error {
	if _, open := p.RestrictionFor(plugin); open {
		return nil
	}
	names := make([]string, len(p.Restrictions))
	for i, r := range p.Restrictions {
		names[i] = "'" + r.Plugin + "'"
	}
	return wire.NotAllowed("This token's access is restricted to plugin(s) " + strings.Join(names, ", "))
}

// NeedUser returns an error unless the principal is a user.
func (p Principal) NeedUser() error {
	switch p.Kind {
	case User:
		return nil
	case None:
		return errMissing
	}
	return wire.NotAllowed("This endpoint does not allow '" + p.Kind.String() + "' credentials")
}

// NeedService returns an error unless the principal is a service.
func (p Principal) NeedService() error {
	switch p.Kind {
	case Service:
		return nil
	case None:
		return errMissing
	}
	return wire.NotAllowed("This endpoint does not allow '" + p.Kind.String() + "' credentials")
}

type principalKey struct{}

// PrincipalKey is the key under which a context holds a *Principal, for
// contexts that keep it beside other values of the request.
var PrincipalKey any = principalKey{}

// WithPrincipal returns a context that knows who asks.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, PrincipalKey, &p)
}

// PrincipalFrom returns who asks: nobody if the context does not know.
func PrincipalFrom(ctx context.Context) Principal {
	if p, ok := ctx.Value(PrincipalKey).(*Principal); ok {
		return *p
	}
	return Principal{}
}
