package signin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// Names of resolvers, as in the configuration.
const (
	ByEmail             = "emailMatchingUserEntityProfileEmail"
	ByEmailLocalPart    = "emailLocalPartMatchingUserEntityName"
	ByUsername          = "usernameMatchingUserEntityName"
	ByUserID            = "userIdMatchingUserEntityAnnotation"
	ByForwardedUser     = "forwardedUserMatchingUserEntityName"
	ByForwardedUsername = "forwardedPreferredUsernameMatchingUserEntityName"
)

// ResolversOf returns the resolvers that a provider has, in the order in which
// people should consider them.
func ResolversOf(provider string) []string {
	out := []string{ByEmail, ByEmailLocalPart}
	switch provider {
	case GitHub, GitLab:
		return append(out, ByUsername, ByUserID)
	case OAuth2Proxy:
		return append(out, ByForwardedUser, ByForwardedUsername)
	}
	return out
}

// A Resolver finds the User of the catalog for a person.
type Resolver struct {
	// Name is one of those above.
	Name string
	// AllowedDomains are the domains that an e-mail address may have, whatever
	// the case; nil: all.
	AllowedDomains []string
	// WithoutUser lets people in whom the catalog does not know, as a user of
	// that name who owns nothing else.
	WithoutUser bool
	// Annotation is the one with the account's ID, for ByUserID.
	Annotation string
}

// errNobody is what a resolver returns that finds no User: the next is asked.
var errNobody = errors.New("no user matches")

// resolve asks one resolver after the other.
func resolve(ctx context.Context, d Directory, resolvers []Resolver, p Person) (auth.UserInfo, error) {
	for _, r := range resolvers {
		who, err := r.resolve(ctx, d, p)
		if !errors.Is(err, errNobody) {
			return who, err
		}
	}
	return auth.UserInfo{}, wire.NotAllowed("Failed to sign-in, unable to resolve user identity. Check that the catalog has a User " +
		"for this account, and that the sign-in resolvers of the configuration would find it")
}

func (r Resolver) resolve(ctx context.Context, d Directory, p Person) (auth.UserInfo, error) {
	switch r.Name {
	case ByEmail:
		return r.byEmail(ctx, d, p.Email)
	case ByEmailLocalPart:
		local, err := r.localPart(p.Email)
		if err != nil {
			return auth.UserInfo{}, err
		}
		return r.byName(ctx, d, local)
	case ByUsername:
		return r.byClaim(ctx, d, p.Username, "a username")
	case ByForwardedUser:
		return r.byClaim(ctx, d, p.Username, "a user")
	case ByForwardedUsername:
		return r.byClaim(ctx, d, p.PreferredUsername, "a preferred username")
	case ByUserID:
		return r.byUserID(ctx, d, p)
	}
	return auth.UserInfo{}, fmt.Errorf("there is no resolver %q", r.Name)
}

// localPart returns what stands before the last @ of an address whose domain is
// allowed.
func (r Resolver) localPart(email string) (string, error) {
	at := strings.LastIndexByte(email, '@')
	if at < 1 || at == len(email)-1 {
		return "", wire.NotAllowed("Login failed, user profile does not contain an email")
	}
	domain := email[at+1:]
	if r.AllowedDomains != nil && !slices.ContainsFunc(r.AllowedDomains, func(d string) bool { return lower(d) == lower(domain) }) {
		return "", wire.NotAllowed("Sign-in user email is not from an allowed domain")
	}
	return email[:at], nil
}

// byEmail looks for the address as it is, and then without a +tag.
func (r Resolver) byEmail(ctx context.Context, d Directory, email string) (auth.UserInfo, error) {
	local, err := r.localPart(email)
	if err != nil {
		return auth.UserInfo{}, err
	}
	const path = "spec.profile.email"
	who, err := one(ctx, d, path, email, lower)
	plain := email
	if name, _, tagged := strings.Cut(local, "+"); tagged && name != "" && errors.Is(err, errNobody) {
		plain = name + email[len(local):]
		who, err = one(ctx, d, path, plain, lower)
	}
	if errors.Is(err, errNobody) && r.WithoutUser {
		return alone(plain)
	}
	return who, err
}

func (r Resolver) byClaim(ctx context.Context, d Directory, name, what string) (auth.UserInfo, error) {
	if name == "" {
		return auth.UserInfo{}, wire.NotAllowed("Login failed, user profile does not contain " + what)
	}
	return r.byName(ctx, d, name)
}

// byName looks for the User of that name in the namespace default.
func (r Resolver) byName(ctx context.Context, d Directory, name string) (auth.UserInfo, error) {
	if !nameable(name) {
		return auth.UserInfo{}, errNobody
	}
	ref := catalog.EntityRef{Kind: "user", Namespace: catalog.DefaultNamespace, Name: name}.String()
	user, err := d.User(ctx, ref)
	switch {
	case err != nil:
		return auth.UserInfo{}, fmt.Errorf("look up %s: %w", ref, err)
	case user != nil:
		return auth.UserInfo{Subject: ref, Ownership: Ownership(user, ref)}, nil
	case r.WithoutUser:
		return alone(name)
	}
	return auth.UserInfo{}, errNobody
}

// byUserID looks for the account's ID, which is compared exactly.
func (r Resolver) byUserID(ctx context.Context, d Directory, p Person) (auth.UserInfo, error) {
	if p.ID == "" {
		return auth.UserInfo{}, wire.NotAllowed("Login failed, user profile does not contain a user ID")
	}
	who, err := one(ctx, d, "metadata.annotations."+r.Annotation, p.ID, func(s string) string { return s })
	if errors.Is(err, errNobody) && r.WithoutUser && nameable(p.Username) {
		return alone(p.Username)
	}
	return who, err
}

// one returns the single User whose value at a path equals another, both in a
// form to compare. The catalog compares with less care than a sign-in must.
func one(ctx context.Context, d Directory, path, value string, form func(string) string) (auth.UserInfo, error) {
	found, err := d.Users(ctx, path, value)
	if err != nil {
		return auth.UserInfo{}, fmt.Errorf("look up users by %s: %w", path, err)
	}
	found = slices.DeleteFunc(slices.Clone(found), func(u *jsonvalue.Object) bool { return form(textAt(u, path)) != form(value) })
	switch len(found) {
	case 0:
		return auth.UserInfo{}, errNobody
	case 1:
		ref := refOf(found[0])
		return auth.UserInfo{Subject: ref, Ownership: Ownership(found[0], ref)}, nil
	}
	return auth.UserInfo{}, catalog.NewError(catalog.NameConflict, "User lookup resulted in multiple matches")
}

// textAt returns the string at a path, of which what follows
// metadata.annotations is one key.
func textAt(entity *jsonvalue.Object, path string) string {
	if key, ok := strings.CutPrefix(path, "metadata.annotations."); ok {
		return entity.Object("metadata").Object("annotations").String(key)
	}
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		entity = entity.Object(key)
	}
	return entity.String(keys[len(keys)-1])
}

func refOf(entity *jsonvalue.Object) string {
	m := entity.Object("metadata")
	namespace := m.String("namespace")
	if namespace == "" {
		namespace = catalog.DefaultNamespace
	}
	return catalog.EntityRef{Kind: "user", Namespace: namespace, Name: m.String("name")}.String()
}

// Ownership returns what a user acts for: itself, and the groups that it is a
// direct member of.
func Ownership(user *jsonvalue.Object, ref string) []string {
	owned := []string{ref}
	relations, _ := user.Value("relations").([]any)
	for _, v := range relations {
		r, ok := v.(*jsonvalue.Object)
		if !ok || r.String("type") != "memberOf" {
			continue
		}
		if target := r.String("targetRef"); strings.HasPrefix(target, "group:") && !slices.Contains(owned, target) {
			owned = append(owned, target)
		}
	}
	return owned
}

// alone is somebody whom the catalog does not know.
func alone(name string) (auth.UserInfo, error) {
	if !nameable(name) {
		return auth.UserInfo{}, errNobody
	}
	ref := catalog.EntityRef{Kind: "user", Namespace: catalog.DefaultNamespace, Name: name}.String()
	return auth.UserInfo{Subject: ref, Ownership: []string{ref}}, nil
}

// nameable tells whether a text of a provider can stand as the name in a ref
// and be read back as the same.
func nameable(name string) bool {
	const most = 255
	return name != "" && len(name) <= most && !strings.ContainsFunc(name, func(c rune) bool {
		return c <= ' ' || c > '~' || c == '/' || c == ':'
	})
}

// lower folds ASCII alone: other letters have lower cases that are somebody
// else's letters.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
