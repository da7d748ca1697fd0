package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// An ExternalAccess is one way in which a program from outside proves itself.
type ExternalAccess struct {
	// Type is "static", a fixed token, or "legacy", an HS256 JWT made with a
	// shared secret.
	Type string
	// Token is the fixed token, of 8 or more characters without blanks.
	Token string
	// Secret is the shared secret in base64.
	Secret string
	// Subject names the service, in logs and to policies.
	Subject string
	// Restrictions narrow what it may do; nil means not at all.
	Restrictions []Restriction
}

// legacySubject is what every legacy token calls itself.
const legacySubject = "backstage-server"

type external struct {
	principal Principal
	static    tokenHash // of the fixed token
	secret    []byte    // of legacy tokens; nil for static ones
}

var printable = regexp.MustCompile(`^\S{8,}$`)

func newExternal(a ExternalAccess) (external, error) {
	e := external{principal: Principal{Kind: Service, Subject: a.Subject, Restrictions: a.Restrictions}}
	if a.Subject == "" {
		return e, errors.New("subject is missing")
	}
	if err := checkRestrictions(a.Restrictions); err != nil {
		return e, err
	}
	switch a.Type {
	case "static":
		if !printable.MatchString(a.Token) {
			return e, errors.New("token must have 8 or more characters and no blanks")
		}
		e.static = sha256.Sum256([]byte(a.Token))
	case "legacy":
		secret, err := base64.StdEncoding.DecodeString(a.Secret)
		if err != nil || len(secret) == 0 {
			return e, errors.New("secret must be base64 and not empty")
		}
		e.secret = secret
	case "jwks":
		return e, errors.New("type 'jwks' is not supported yet; use a static token")
	default:
		return e, fmt.Errorf("type %q is not one of static, legacy", a.Type)
	}
	return e, nil
}

func checkRestrictions(list []Restriction) error {
	seen := map[string]bool{}
	for _, r := range list {
		if r.Plugin == "" || seen[r.Plugin] {
			return fmt.Errorf("access restriction for plugin %q: plugins must be named, and once each", r.Plugin)
		}
		seen[r.Plugin] = true
		for _, a := range r.Actions {
			if !slices.Contains([]string{"create", "read", "update", "delete"}, a) {
				return fmt.Errorf("access restriction for plugin %q: action %q is not one of create, read, update, delete", r.Plugin, a)
			}
		}
	}
	return nil
}

// match tells whether the token proves this service. Fixed tokens are compared
// by hash, so that neither their content nor their length shows in the time.
func (e external) match(token string, hash tokenHash, p peeked, now func() time.Time) (Principal, bool) {
	if e.secret == nil {
		return e.principal, subtle.ConstantTimeCompare(hash[:], e.static[:]) == 1
	}
	if p.header.Algorithm != "HS256" || p.claims.Subject != legacySubject || len(p.claims.Audience) > 0 {
		return Principal{}, false
	}
	var c jwt.RegisteredClaims
	_, err := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithTimeFunc(now), jwt.WithStrictDecoding()).
		ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return e.secret, nil })
	if err != nil {
		return Principal{}, false
	}
	principal := e.principal
	if c.ExpiresAt != nil {
		principal.Expires = c.ExpiresAt.Time
	}
	return principal, true
}
