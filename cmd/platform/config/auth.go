package config

import (
	"slices"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/api/auth/keyset"
)

// Auth is what auth.* and backend.auth.* say.
type Auth struct {
	// Guest is nil where auth.providers.guest is absent.
	Guest *Guest
	// TokenLifetime of user tokens; 0: the default.
	TokenLifetime time.Duration
	// Algorithm of user tokens; "": the default.
	Algorithm string
	// Keys sign user tokens, and PluginKeys those of plugins.
	Keys, PluginKeys KeyStore
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

// KeyStore is auth.keyStore or backend.auth.pluginKeyStore.
type KeyStore struct {
	// Memory keeps public keys in memory; false: in the store.
	Memory bool
	// Files are the keys of the provider static; nil: keys are made.
	Files []KeyFile
}

// KeyFile is an entry of static.keys.
type KeyFile struct {
	ID, Algorithm   string // Algorithm "": the default
	Public, Private string // paths; Private "": none
}

// ExternalAccess is an entry of backend.auth.externalAccess.
type ExternalAccess struct {
	Type, Token, Secret, Subject   string
	URL, SubjectPrefix             string
	Algorithms, Issuers, Audiences []string            // nil: any
	Subjects                       []string            // patterns; nil: any
	Restrictions                   []AccessRestriction // nil: none
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
		Algorithm:            r.choice(c.At("auth.identityTokenAlgorithm"), "", keyset.Algorithms()...),
		Keys:                 r.keyStore(c.At("auth.keyStore"), "provider", "database", "memory", "static"),
		PluginKeys:           r.keyStore(c.At("backend.auth.pluginKeyStore"), "type", "database", "static"),
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
			Restrictions: r.accessRestrictions(item.At("accessRestrictions")),
		})
		r.warnings = append(r.warnings, "backend.auth.keys is deprecated: move the secret to backend.auth.externalAccess, with type legacy")
	}
	return a
}

// keyStore reads where keys are kept: word is the name of the key that says
// it, and kinds are what it may say, the default first.
func (r *reader) keyStore(v Value, word string, kinds ...string) KeyStore {
	if v.At(word).Is("firestore") {
		r.fault(v.At(word).Fault("'firestore' is not a key store of this release: leave the key out, and public keys are kept in the store"))
		return KeyStore{}
	}
	k := KeyStore{}
	switch r.choice(v.At(word), kinds[0], kinds...) {
	case "memory":
		k.Memory = true
	case "static":
		keys := v.At("static.keys")
		for item := range r.items(keys) {
			k.Files = append(k.Files, KeyFile{
				ID: r.required(item.At("keyId")), Algorithm: r.choice(item.At("algorithm"), "", keyset.Algorithms()...),
				Public: r.required(item.At("publicKeyFile")), Private: r.text(item.At("privateKeyFile"), ""),
			})
		}
		if k.Files == nil {
			r.fault(keys.Fault("static keys need one entry at least, with keyId, publicKeyFile and privateKeyFile"))
		}
	}
	return k
}

func (r *reader) externalAccess(v Value) ExternalAccess {
	e := ExternalAccess{Type: r.required(v.At("type"))}
	options := v.At("options")
	r.onlyKeys(v, "an entry of external access", "type", "options", "accessRestrictions")
	switch e.Type {
	case "static":
		e.Token = r.required(options.At("token"))
		e.Subject = r.required(options.At("subject"))
	case "legacy":
		e.Secret = r.required(options.At("secret"))
		e.Subject = r.required(options.At("subject"))
	case "jwks":
		r.onlyKeys(options, "jwks", "url", "algorithm", "issuer", "audience", "subject", "subjectPrefix")
		e.URL = r.required(options.At("url"))
		e.SubjectPrefix = r.text(options.At("subjectPrefix"), "")
		e.Algorithms = r.words(options.At("algorithm"))
		e.Issuers = r.words(options.At("issuer"))
		e.Audiences = r.words(options.At("audience"))
		e.Subjects = r.words(options.At("subject"))
	case "":
	default:
		r.fault(v.At("type").Fault("'%s' is not a type of external access: there are static, legacy and jwks", e.Type))
	}
	e.Restrictions = r.accessRestrictions(v.At("accessRestrictions"))
	for _, dropped := range v.Dropped() { // what narrows the access must not vanish
		if e.Type == "jwks" || strings.HasPrefix(dropped.Key(), v.At("accessRestrictions").Key()) {
			r.fault(dropped.Fault("it has no value, or one with a variable that is not set: leave the key out, or give it one"))
		}
	}
	return e
}

// onlyKeys faults keys of an object that are not known: a slip in what narrows
// an access would widen it.
func (r *reader) onlyKeys(v Value, what string, known ...string) {
	for _, key := range v.Keys() {
		if !slices.Contains(known, key) {
			r.fault(v.Child(key).Fault("%s has %s, and nothing else", what, enumerate(known)))
		}
	}
}

func (r *reader) accessRestrictions(v Value) []AccessRestriction {
	if !v.Exists() {
		return nil
	}
	out := []AccessRestriction{} // an empty list restricts to nothing
	for item := range r.items(v) {
		out = append(out, r.accessRestriction(item))
	}
	return out
}

func (r *reader) accessRestriction(v Value) AccessRestriction {
	r.onlyKeys(v, "an access restriction", "plugin", "permission", "permissionAttribute")
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
	if v.Exists() && out == nil {
		r.fault(v.Fault("it names nothing: leave the key out"))
	}
	return out
}
