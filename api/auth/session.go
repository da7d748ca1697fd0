package auth

import (
	"context"
	"math"
)

// Identity is the part of a session that says who has signed in.
type Identity = identity

// SignIn issues a token to somebody whom the caller has made sure of, and
// records what they own, over what was recorded before.
func (s *Authority) SignIn(ctx context.Context, who UserInfo) (Identity, error) {
	if err := s.store.PutUser(ctx, who); err != nil {
		return Identity{}, err
	}
	token, c, err := s.issue(ctx, who)
	if err != nil {
		return Identity{}, err
	}
	left := int(math.Round(c.expires.Sub(s.now()).Seconds()))
	return Identity{token, left, identityUser{"user", who.Subject, who.Ownership}}, nil
}
