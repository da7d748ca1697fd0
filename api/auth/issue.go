package auth

import (
	"context"
	"errors"
	"time"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
)

// IssueFor returns a token for a user who has allowed somebody to act for
// them, and its end. What the user owns stays what the last sign-in has found.
func (s *Authority) IssueFor(ctx context.Context, userEntityRef string) (token string, expires time.Time, err error) {
	info, ok, err := s.store.User(ctx, userEntityRef)
	if err != nil {
		return "", time.Time{}, err
	}
	if !ok {
		info = UserInfo{Subject: userEntityRef, Ownership: []string{userEntityRef}}
	}
	token, c, err := s.issue(ctx, info)
	return token, c.expires, err
}

// Present returns an error that is catalog.ErrNotFound unless a user is in the
// catalog still.
func (s *Authority) Present(ctx context.Context, userEntityRef string) error {
	if s.directory == nil {
		return wire.NotFound("There is no catalog of users")
	}
	_, err := s.directory.Ownership(ctx, userEntityRef)
	if err != nil && errors.Is(err, catalog.ErrNotFound) {
		return wire.NotFound("User " + userEntityRef + " is not in the catalog")
	}
	return err
}
