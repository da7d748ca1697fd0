package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/golang-jwt/jwt/v5"
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
	v, err := s.authenticate(token, plugin, false)
	if err != nil {
		return Principal{}, err
	}
	return v.principal, nil
}

func (s *Authority) authenticate(token, plugin string, allowLimited bool) (*verified, error) {
	v, err := s.verify(token)
	if err != nil {
		return nil, err
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
// one kind of token after the other otherwise. A token that looks like one
// kind and does not hold is not tried as another.
func (s *Authority) verify(token string) (*verified, error) {
	if len(token) > maxToken {
		return nil, errIllegal
	}
	hash := tokenHash(sha256.Sum256([]byte(token)))
	if v, ok := s.cache.get(hash, s.now()); ok {
		return v, nil
	}
	v, err := s.verifyAnew(token, hash)
	if err != nil {
		return nil, err
	}
	s.cache.put(hash, v)
	return v, nil
}

func (s *Authority) verifyAnew(token string, hash tokenHash) (*verified, error) {
	p := peek(token)
	switch {
	case p.header.Type == typePlugin:
		return nil, errPluginToken // this process serves all plugins itself: there are no peers to trust
	case p.header.Type == typeUser, p.header.Type == typeLimited:
		return s.verifyUser(token, p.header.Type)
	case len(p.claims.Audience) == 1 && p.claims.Audience[0] == audience:
		return s.verifyUser(token, "")
	}
	for _, e := range s.external {
		if principal, ok := e.match(token, hash, p, s.now); ok {
			return &verified{principal: principal}, nil
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

type userClaims struct {
	jwt.RegisteredClaims
	Proof string `json:"uip"`
}

// verifyUser checks a user token of ours. Only ES256 is accepted, whatever the
// header says, and only with keys that we published.
func (s *Authority) verifyUser(token, typ string) (*verified, error) {
	options := []jwt.ParserOption{
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(s.now), jwt.WithStrictDecoding(),
	}
	if typ == "" { // an old token, known by its audience alone
		options = append(options, jwt.WithAudience(audience))
	}
	var c userClaims
	var keyID string
	_, err := jwt.NewParser(options...).ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		keyID, _ = t.Header["kid"].(string)
		if key := s.keys.verifier(keyID); key != nil {
			return key, nil
		}
		return nil, errors.New("unknown key")
	})
	if err != nil || c.IssuedAt == nil || c.Subject == "" {
		return nil, errUserToken
	}
	return &verified{
		principal: Principal{Kind: User, Subject: c.Subject, Limited: typ == typeLimited, Expires: c.ExpiresAt.Time},
		keyID:     keyID,
		proof:     c.Proof,
		claims:    claims{subject: c.Subject, issued: c.IssuedAt.Time, expires: c.ExpiresAt.Time},
	}, nil
}
