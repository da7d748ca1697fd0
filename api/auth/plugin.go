package auth

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/greenroom-idp/greenroom/api/auth/keyset"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// pluginTokenLifetime is that of plugin tokens, and so of the keys that sign
// them.
const pluginTokenLifetime = time.Hour

// pluginRings holds the keys with which the plugins of this process sign.
type pluginRings struct {
	fixed *keyring // for all plugins; nil: each has keys of its own
	store func(plugin string) KeyStore
	now   func() time.Time

	mu    sync.Mutex
	rings map[string]*keyring
}

// ring returns the keys of a plugin of this process.
func (p *pluginRings) ring(ctx context.Context, plugin string) (*keyring, error) {
	if p.fixed != nil {
		return p.fixed, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if ring := p.rings[plugin]; ring != nil {
		return ring, nil
	}
	store := MemoryKeys()
	if p.store != nil {
		store = p.store(plugin)
	}
	ring, err := openKeyring(ctx, store, "", pluginTokenLifetime, p.now)
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", plugin, err)
	}
	p.rings[plugin] = ring
	return ring, nil
}

// own returns the key of a plugin of this process that has signed something,
// nil for any other.
func (p *pluginRings) own(plugin, keyID, algorithm string) crypto.PublicKey {
	ring := p.fixed
	if ring == nil {
		p.mu.Lock()
		ring = p.rings[plugin]
		p.mu.Unlock()
	}
	if ring == nil {
		return nil
	}
	return ring.verifier(keyID, algorithm)
}

// pluginName is what may stand in sub: nothing that could lead a URL
// elsewhere.
var pluginName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

type pluginClaims struct {
	jwt.RegisteredClaims
	OnBehalfOf string `json:"obo"`
}

// verifyPlugin checks the token of a plugin that lives elsewhere. For which
// plugin it is meant is checked by the caller.
func (s *Authority) verifyPlugin(ctx context.Context, token string, p peeked) (*verified, error) {
	refuse := func(err error) error {
		s.log.WarnContext(ctx, "a plugin token was refused", slog.String("reason", err.Error()))
		return errPluginToken
	}
	caller := p.claims.Subject
	if !pluginName.MatchString(caller) {
		return nil, refuse(errNoPlugin)
	}
	var c pluginClaims
	local := false
	_, err := s.parse(token, &c, func(id, algorithm string) (crypto.PublicKey, error) {
		if key := s.plugins.own(caller, id, algorithm); key != nil {
			local = true
			return key, nil
		}
		return s.remote.plugin(ctx, caller, id, algorithm)
	}, jwt.WithExpirationRequired())
	if err == nil && (c.IssuedAt == nil || len(c.Audience) == 0 || c.Subject != caller) {
		err = errors.New("it lacks iat or aud, or has two subjects")
	}
	if err != nil {
		return nil, refuse(fmt.Errorf("of plugin %s: %w", caller, err))
	}
	v := &verified{audience: c.Audience, until: s.now().Add(keyset.MaxAge)}
	service := "plugin:" + caller
	if c.OnBehalfOf == "" {
		v.principal = Principal{Kind: Service, Subject: service, Expires: c.ExpiresAt.Time, local: local}
		return v, nil
	}
	user, err := s.verifyOnBehalfOf(ctx, c.OnBehalfOf)
	if err != nil {
		return nil, err
	}
	v.principal = user
	v.principal.Actor, v.principal.local = service, local
	if c.ExpiresAt.Time.Before(user.Expires) {
		v.principal.Expires = c.ExpiresAt.Time
	}
	return v, nil
}

// verifyOnBehalfOf returns the user that a plugin acts for.
func (s *Authority) verifyOnBehalfOf(ctx context.Context, token string) (Principal, error) {
	typ := peek(token).header.Type
	if typ != typeLimited && typ != typeUser {
		return Principal{}, errPluginToken
	}
	v, err := s.verifyUser(ctx, token, typ)
	if err != nil {
		return Principal{}, err
	}
	p := v.principal
	p.Limited = false // whoever acts for the user has said so with a token of their own
	return p, nil
}

// PluginToken returns a token with which a plugin of this process calls one
// that lives elsewhere, for whom it acts: a user, or a service without
// restrictions that such a token could not carry. It holds for an hour, or as
// long as that of the user. For nobody it is "" where requests need no
// credential, and an error elsewhere.
func (s *Authority) PluginToken(ctx context.Context, plugin, target string, who Principal) (string, error) {
	issued := s.now()
	expires := issued.Add(pluginTokenLifetime)
	switch who.Kind {
	case None:
		if s.openPolicy {
			return "", nil
		}
		return "", wire.Unauthenticated("Refused to issue service token for credential type 'none'")
	case Service:
		if err := who.checkDelegation(target); err != nil {
			return "", err
		}
	case User:
		var err error
		if who.limited == "" {
			who.limited, err = s.limitedFor(ctx, who.Subject, issued, expires)
		} else if who.Expires.Before(expires) {
			expires = who.Expires
		}
		if err != nil {
			return "", err
		}
	}
	ring, err := s.plugins.ring(ctx, plugin)
	if err != nil {
		return "", err
	}
	key, err := ring.signer(ctx)
	if err != nil {
		return "", err
	}
	return signPlugin(key, plugin, target, issued, expires, who.limited)
}

// limitedFor makes a limited token for a user who does not wait for the answer,
// such as the one whose task goes on. Users whom another backend has signed in
// have none.
func (s *Authority) limitedFor(ctx context.Context, user string, issued, expires time.Time) (string, error) {
	if s.remote.hasUsers() {
		return "", wire.Unauthenticated("the user token has no proof from which a limited token could be made")
	}
	key, err := s.keys.signer(ctx)
	if err != nil {
		return "", err
	}
	token, err := sign(key, typeLimited, appendLimited(nil, claims{subject: user, issued: issued, expires: expires}))
	return token.String(), err
}

// OwnService is the principal that a plugin of this process is when it acts for
// itself.
func OwnService(plugin string) Principal {
	return Principal{Kind: Service, Subject: "plugin:" + plugin}
}

func signPlugin(key *signingKey, plugin, target string, issued, expires time.Time, onBehalfOf string) (string, error) {
	payload := append([]byte(`{"sub":`), jsonvalue.AppendString(nil, plugin)...)
	payload = append(payload, `,"aud":`...)
	payload = jsonvalue.AppendString(payload, target)
	payload = append(payload, `,"iat":`...)
	payload = strconv.AppendInt(payload, issued.Unix(), 10)
	payload = append(payload, `,"exp":`...)
	payload = strconv.AppendInt(payload, expires.Unix(), 10)
	if onBehalfOf != "" {
		payload = append(payload, `,"obo":`...)
		payload = jsonvalue.AppendString(payload, onBehalfOf)
	}
	token, err := sign(key, typePlugin, append(payload, '}'))
	return token.String(), err
}

// checkDelegation returns an error if a token for a target could do more than
// the service may.
func (p Principal) checkDelegation(target string) error {
	r, open := p.RestrictionFor(target)
	switch {
	case !open:
		return wire.NotAllowed("Access to target plugin '" + target + "' is not included in token's access restrictions")
	case len(r.Permissions) > 0 || len(r.Actions) > 0:
		return wire.NotAllowed("Access to target plugin '" + target + "' is restricted and cannot be delegated")
	}
	return nil
}
