package config

import (
	"strings"
	"time"
)

// Auth is what auth.* and backend.auth.* say.
type Auth struct {
	// Guest is nil where auth.providers.guest is absent.
	Guest *Guest
	// TokenLifetime of user tokens; 0: the default.
	TokenLifetime time.Duration
	// IncludeOwnership is the inverse of auth.omitIdentityTokenOwnershipClaim.
	IncludeOwnership bool
	// External are the programs that may call.
	External []ExternalAccess
	// DisableDefaultPolicy is
	// backend.auth.dangerouslyDisableDefaultAuthPolicy.
	DisableDefaultPolicy bool
	// SignIn are the providers of accounts.
	SignIn SignIn
}

// Guest is auth.providers.guest.
type Guest struct {
	AllowOutsideDevelopment bool
	UserEntityRef           string   // "": the default
	Ownership               []string // nil: the default
}

// ExternalAccess is an entry of backend.auth.externalAccess.
type ExternalAccess struct {
	Type, Token, Secret, Subject string
	Restrictions                 []AccessRestriction // nil: none
}

// AccessRestriction lets a program call one plugin, with these permissions and
// actions alone where they are given.
type AccessRestriction struct {
	Plugin               string
	Permissions, Actions []string
}

func (r *reader) auth(c *Config) Auth {
	a := Auth{
		TokenLifetime:        r.milliseconds(c.At("auth.backstageTokenExpiration"), 0),
		IncludeOwnership:     !r.boolean(c.At("auth.omitIdentityTokenOwnershipClaim"), true),
		DisableDefaultPolicy: r.boolean(c.At("backend.auth.dangerouslyDisableDefaultAuthPolicy"), false),
	}
	if g := c.At("auth.providers.guest"); g.Exists() {
		a.Guest = &Guest{
			AllowOutsideDevelopment: r.boolean(g.At("dangerouslyAllowOutsideDevelopment"), false),
			UserEntityRef:           r.text(g.At("userEntityRef"), ""),
			Ownership:               r.list(g.At("ownershipEntityRefs")),
		}
	}
	a.SignIn = r.signIn(c)
	for item := range r.items(c.At("backend.auth.externalAccess")) {
		a.External = append(a.External, r.externalAccess(item))
	}
	for item := range r.items(c.At("backend.auth.keys")) {
		a.External = append(a.External, ExternalAccess{
			Type: "legacy", Secret: r.required(item.At("secret")), Subject: "external:backstage-plugin",
		})
	}
	return a
}

func (r *reader) externalAccess(v Value) ExternalAccess {
	e := ExternalAccess{Type: r.required(v.At("type"))}
	options := v.At("options")
	switch e.Type {
	case "static":
		e.Token = r.required(options.At("token"))
		e.Subject = r.required(options.At("subject"))
	case "legacy":
		e.Secret = r.required(options.At("secret"))
		e.Subject = r.required(options.At("subject"))
	case "":
	default:
		r.fault(v.At("type").Fault("'%s' is not a type of external access in this release, which has static and legacy", e.Type))
	}
	restrictions := v.At("accessRestrictions")
	if restrictions.Exists() {
		e.Restrictions = []AccessRestriction{} // an empty list restricts to nothing
	}
	for item := range r.items(restrictions) {
		e.Restrictions = append(e.Restrictions, r.accessRestriction(item))
	}
	return e
}

func (r *reader) accessRestriction(v Value) AccessRestriction {
	for _, key := range v.Keys() {
		if key != "plugin" && key != "permission" && key != "permissionAttribute" {
			r.fault(v.Child(key).Fault("an access restriction has plugin, permission and permissionAttribute, and nothing else"))
		}
	}
	for _, key := range v.At("permissionAttribute").Keys() {
		if key != "action" {
			r.fault(v.At("permissionAttribute").Child(key).Fault("the one attribute to restrict is action"))
		}
	}
	return AccessRestriction{
		Plugin:      r.required(v.At("plugin")),
		Permissions: r.words(v.At("permission")),
		Actions:     r.words(v.At("permissionAttribute.action")),
	}
}

// words reads a list of strings, or a string of words between commas or
// blanks.
func (r *reader) words(v Value) []string {
	var out []string
	for _, text := range r.list(v) {
		out = append(out, strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' || c == '\n' })...)
	}
	return out
}
