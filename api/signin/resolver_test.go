package signin_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
)

// somebody is a connector that says who signs in.
type somebody struct {
	signin.Connector
	signin.Person
}

func (s somebody) Refresh(context.Context, string, signin.Scope) (signin.Grant, error) {
	return signin.Grant{Person: s.Person, AccessToken: "t"}, nil
}

func TestResolvers(t *testing.T) {
	const (
		unknown  = noUser
		noEmail  = "Login failed, user profile does not contain an email"
		multiple = "User lookup resulted in multiple matches"
		domain   = "Sign-in user email is not from an allowed domain"
	)
	w := newWorld(t, nil)
	type r = signin.Resolver
	for _, tc := range []struct {
		name   string
		rules  []r
		who    signin.Person
		want   string // a ref
		denied string // or a part of the message
	}{
		{"by address", []r{{Name: signin.ByEmail}}, signin.Person{Email: "jane@example.com"}, "user:default/jane", ""},
		{"whatever the case", []r{{Name: signin.ByEmail}}, signin.Person{Email: "JANE@Example.com"}, "user:default/jane", ""},
		{"with a tag", []r{{Name: signin.ByEmail}}, signin.Person{Email: "jane+x+y@example.com"}, "user:default/jane", ""},
		{"with nothing but a tag", []r{{Name: signin.ByEmail}}, signin.Person{Email: "+jane@example.com"}, "", unknown},
		{"another domain", []r{{Name: signin.ByEmail}}, signin.Person{Email: "jane@example.org"}, "", unknown},
		{"a letter that only looks the same in lower case", []r{{Name: signin.ByEmail}}, signin.Person{Email: "jane@ex\u212Aample.com"}, "", unknown},
		{"no address", []r{{Name: signin.ByEmail}, {Name: signin.ByUsername}}, signin.Person{Username: "jane"}, "", noEmail},
		{"no domain", []r{{Name: signin.ByEmail}}, signin.Person{Email: "jane@"}, "", noEmail},
		{"two Users of one address", []r{{Name: signin.ByEmail}, {Name: signin.ByUsername}}, signin.Person{Email: "twin@example.com", Username: "jane"}, "", multiple},
		{"a domain that is not allowed", []r{{Name: signin.ByEmail, AllowedDomains: []string{"example.org"}}, {Name: signin.ByUsername}}, signin.Person{Email: "jane@example.com", Username: "jane"}, "", domain},
		{"no domain is allowed", []r{{Name: signin.ByEmailLocalPart, AllowedDomains: []string{}}}, signin.Person{Email: "jane@example.com"}, "", domain},
		{"a domain that is allowed", []r{{Name: signin.ByEmailLocalPart, AllowedDomains: []string{"example.org", "Example.com"}}}, signin.Person{Email: "Jane@example.COM"}, "user:default/jane", ""},
		{"a domain before the domain", []r{{Name: signin.ByEmailLocalPart, AllowedDomains: []string{"example.com"}}}, signin.Person{Email: "jane@example.com@evil.test"}, "", domain},
		{"the local part of anybody", []r{{Name: signin.ByEmailLocalPart}}, signin.Person{Email: "jane@evil.test"}, "user:default/jane", ""},
		{"a local part that is a ref", []r{{Name: signin.ByEmailLocalPart, WithoutUser: true}}, signin.Person{Email: "one/twin@example.com"}, "", unknown},
		{"by username", []r{{Name: signin.ByUsername}}, signin.Person{Username: "JANE"}, "user:default/jane", ""},
		{"a username in another namespace", []r{{Name: signin.ByUsername}}, signin.Person{Username: "one/twin"}, "", unknown},
		{"a username that is a ref of another kind", []r{{Name: signin.ByUsername, WithoutUser: true}}, signin.Person{Username: "group:default/admins"}, "", unknown},
		{"no username", []r{{Name: signin.ByUsername}}, signin.Person{Email: "jane@example.com"}, "", "Login failed, user profile does not contain a username"},
		{"the next resolver", []r{{Name: signin.ByUsername}, {Name: signin.ByEmail}}, signin.Person{Username: "j", Email: "jane@example.com"}, "user:default/jane", ""},
		{"by ID", []r{{Name: signin.ByUserID, Annotation: "github.com/user-id"}}, signin.Person{ID: "U_aBc"}, "user:default/jane", ""},
		{"by an ID in another case", []r{{Name: signin.ByUserID, Annotation: "github.com/user-id"}}, signin.Person{ID: "U_abc"}, "", unknown},
		{"by an ID of another provider", []r{{Name: signin.ByUserID, Annotation: "gitlab.com/user-id"}}, signin.Person{ID: "U_aBc"}, "", unknown},
		{"no ID", []r{{Name: signin.ByUserID, Annotation: "github.com/user-id"}}, signin.Person{Username: "jane"}, "", "Login failed, user profile does not contain a user ID"},
		{"without a User, by name", []r{{Name: signin.ByUsername, WithoutUser: true}}, signin.Person{Username: "Stranger"}, "user:default/stranger", ""},
		{"without a User, by address", []r{{Name: signin.ByEmail, WithoutUser: true}}, signin.Person{Email: "new+x@example.com"}, "user:default/new@example.com", ""},
		{"without a User, by ID", []r{{Name: signin.ByUserID, WithoutUser: true, Annotation: "a"}}, signin.Person{ID: "7", Username: "new"}, "user:default/new", ""},
		{"without a User, of a name with a blank", []r{{Name: signin.ByUsername, WithoutUser: true}}, signin.Person{Username: "a b"}, "", unknown},
		{"without a User, from a domain that is not allowed", []r{{Name: signin.ByEmail, WithoutUser: true, AllowedDomains: []string{"example.com"}}}, signin.Person{Email: "x@evil.test"}, "", domain},
		{"a User that is there wins", []r{{Name: signin.ByUsername, WithoutUser: true}}, signin.Person{Username: "jane"}, "user:default/jane", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			who, message := w.tryResolve(t, staff, tc.rules, tc.who)
			assert.Equal(t, tc.want, who.Subject, message)
			if tc.denied != "" {
				assert.Contains(t, message, tc.denied)
				return
			}
			owns := []string{tc.want}
			if tc.want == "user:default/jane" {
				owns = append(owns, "group:default/team")
			}
			assert.Equal(t, owns, who.Ownership)
		})
	}
}

// broken is a catalog that cannot be read.
type broken struct{}

func (broken) User(context.Context, string) (*jsonvalue.Object, error) {
	return nil, errors.New("the disk is gone")
}

func (broken) Users(context.Context, string, string) ([]*jsonvalue.Object, error) {
	return nil, errors.New("the disk is gone")
}

// Nobody is let in without a User because the catalog could not be asked.
func TestResolversOverABrokenCatalog(t *testing.T) {
	w := newWorld(t, nil)
	p := signin.Person{Email: "jane@example.com", Username: "jane", ID: "7"}
	for _, name := range signin.ResolversOf(signin.GitHub) {
		who, message := w.tryResolve(t, broken{}, []signin.Resolver{{Name: name, WithoutUser: true}, {Name: signin.ByUsername, WithoutUser: true}}, p)
		assert.Empty(t, who, name)
		assert.NotContains(t, message, "disk")
	}
}

// tryResolve asks through a refresh, and returns who was signed in or the
// message.
func (w *world) tryResolve(t *testing.T, d signin.Directory, rules []signin.Resolver, p signin.Person) (who auth.UserInfo, message string) {
	w.options.Directory = d
	w.environment(signin.GitHub, func(e *signin.Environment) { e.Connector, e.Resolvers = somebody{Person: p}, rules })
	w.restart()
	b := w.browser()
	b.setCookie(w.base, "github-refresh-token", "r")
	a := b.script("GET", "/api/auth/github/refresh?env=development")
	if a.StatusCode != 200 {
		assert.Equal(t, 401, a.StatusCode)
		return who, a.message()
	}
	var s session
	assert.NoError(t, json.Unmarshal([]byte(a.body), &s))
	return auth.UserInfo{Subject: s.BackstageIdentity.Identity.UserEntityRef, Ownership: s.BackstageIdentity.Identity.OwnershipEntityRefs}, ""
}
