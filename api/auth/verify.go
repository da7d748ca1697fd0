package auth

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/greenroom-idp/greenroom/api/auth/keyset"
	"github.com/greenroom-idp/greenroom/api/wire"
)

// What a caller hears about a credential that does not hold. The texts are
// those of the reference; none repeats anything of the token.
var (
	errMissing      error = wire.Unauthenticated("Missing credentials")
	errIllegal      error = wire.Unauthenticated("Illegal token")
	errIllegalLimit error = wire.Unauthenticated("Illegal limited user token")
	errUserToken    error = wire.Unauthenticated("Failed user token verification")
	errPluginToken  error = wire.Unauthenticated("Failed plugin token verification")
)

// Authenticate returns the principal that a bearer token stands for in a
// plugin. The error is a *catalog.Error named AuthenticationError, or
// NotAllowedError for a service that may not use the plugin. Limited tokens
// are refused.
func (s *Authority) Authenticate(token, plugin string) (Principal, error) {
	v, err := s.authenticate(context.Background(), token, plugin, false)
	if err != nil {
		return Principal{}, err
	}
	return v.principal, nil
}

func (s *Authority) authenticate(ctx context.Context, token, plugin string, allowLimited bool) (*verified, error) {
	v, err := s.verify(ctx, token)
	if err != nil {
		return nil, err
	}
	if v.audience != nil && !slices.Contains(v.audience, plugin) {
		s.log.WarnContext(ctx, "a plugin token was refused", slog.String("reason", "it is for another plugin than "+plugin))
		return nil, errPluginToken
	}
	if v.principal.Limited && !allowLimited {
		return nil, errIllegalLimit
	}
	if err := v.principal.checkPlugin(plugin); err != nil {
		return nil, err
	}
	return v, nil
}

// verify looks the token up among those that were verified before, and tries
// each type of token in turn. A token that says it is of a type
// and does not hold is not tried as another.
func (s *Authority) verify(ctx context.Context, token string) (*verified, error) {
	if len(token) > maxToken {
		return nil, errIllegal
	}
	if s.issued != nil { // never from the cache: it may have been revoked just now
		if p, ok := s.issued.Match(token); ok {
			return &verified{principal: p}, nil
		}
	}
	hash := tokenHash(sha256.Sum256([]byte(token)))
	if v, ok := s.cache.get(hash, s.now()); ok {
		return v, nil
	}
	v, err := s.verifyAnew(ctx, token, hash)
	if err != nil {
		return nil, err
	}
	s.cache.put(hash, v)
	return v, nil
}

func (s *Authority) verifyAnew(ctx context.Context, token string, hash tokenHash) (*verified, error) {
	p := peek(token)
	switch {
	case p.header.Type == typePlugin:
		return s.verifyPlugin(ctx, token, p)
	case p.header.Type == typeUser, p.header.Type == typeLimited:
		return s.verifyUser(ctx, token, p.header.Type)
	case len(p.claims.Audience) == 1 && p.claims.Audience[0] == audience:
		return s.verifyUser(ctx, token, "")
	}
	for i := range s.external {
		if v, ok := s.external[i].match(ctx, token, hash, p); ok {
			return v, nil
		}
	}
	return nil, errIllegal
}

// A peeked holds what a token says of itself, before anybody checked it. It is
// empty for what is no JWS.
type peeked struct {
	header struct {
		Type      string `json:"typ"`
		Algorithm string `json:"alg"`
	}
	claims jwt.RegisteredClaims
}

func peek(token string) (p peeked) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return peeked{}
	}
	if decodePart(parts[0], &p.header) != nil || decodePart(parts[1], &p.claims) != nil {
		return peeked{header: p.header}
	}
	return p
}

func decodePart(part string, into any) error {
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// parse checks signature and times of a token, whose key is found by id and
// algorithm, and by nothing else that the token says. Only algorithms with a
// public key are accepted.
func (s *Authority) parse(token string, into jwt.Claims, find func(keyID, algorithm string) (crypto.PublicKey, error), options ...jwt.ParserOption) (*jwt.Token, error) {
	options = append(options, jwt.WithValidMethods(keyset.Algorithms()), jwt.WithTimeFunc(s.now), jwt.WithStrictDecoding())
	return jwt.NewParser(options...).ParseWithClaims(token, into, func(t *jwt.Token) (any, error) {
		return find(keyID(t), t.Method.Alg())
	})
}

func keyID(t *jwt.Token) string {
	id, _ := t.Header["kid"].(string)
	return id
}

type userClaims struct {
	jwt.RegisteredClaims
	Proof string `json:"uip"`
}

// verifyUser checks a user token, with the keys that we published, or with
// those of the plugin auth where that lives elsewhere.
func (s *Authority) verifyUser(ctx context.Context, token, typ string) (*verified, error) {
	options := []jwt.ParserOption{jwt.WithExpirationRequired()}
	if typ == "" { // an old token, known by its audience alone
		options = append(options, jwt.WithAudience(audience))
	}
	var c userClaims
	ours := true
	t, err := s.parse(token, &c, func(id, algorithm string) (crypto.PublicKey, error) {
		if key := s.keys.verifier(id, algorithm); key != nil {
			return key, nil
		}
		ours = false
		return s.remote.user(ctx, id, algorithm)
	}, options...)
	if err == nil && (c.IssuedAt == nil || c.Subject == "") {
		err = errors.New("it lacks iat or sub")
	}
	if err != nil {
		if s.remote.hasUsers() {
			s.log.WarnContext(ctx, "a user token was refused", slog.Any("error", err))
		}
		return nil, errUserToken
	}
	v := &verified{principal: Principal{Kind: User, Subject: c.Subject, Limited: typ == typeLimited, Expires: c.ExpiresAt.Time}}
	if !ours {
		v.until, v.principal.foreign = s.now().Add(keyset.MaxAge), true
	}
	switch {
	case v.principal.Limited:
		v.principal.limited = token
	case c.Proof != "":
		v.principal.limited = limitedToken(t.Method.Alg(), keyID(t), c.Proof,
			claims{subject: c.Subject, issued: c.IssuedAt.Time, expires: c.ExpiresAt.Time})
	}
	return v, nil
}
