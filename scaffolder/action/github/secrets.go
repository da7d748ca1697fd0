package github

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"golang.org/x/crypto/nacl/box"

	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

// A publicKey is what GitHub wants secrets to be sealed with.
type publicKey struct {
	ID  string `json:"key_id"`
	Key string `json:"key"`
}

var errNoKey = errors.New("GitHub's key for secrets is no key")

// seal encrypts a secret so that nobody but GitHub can read it.
func (k publicKey) seal(secret string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(k.Key)
	if err != nil || len(raw) != 32 {
		return "", errNoKey
	}
	sealed, err := box.SealAnonymous(nil, []byte(secret), (*[32]byte)(raw), rand.Reader)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(sealed), nil
}

// secrets sets secrets of the repository or, by the path, of one of its
// environments.
func (r *repository) secrets(ctx context.Context, c *action.Context, path []string, secrets map[string]string) error {
	if len(secrets) == 0 {
		return nil
	}
	var key publicKey
	if err := r.at(ctx, http.MethodGet, under(path, "secrets", "public-key"), nil, &key); err != nil {
		return fmt.Errorf("get the key for secrets: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		c.Redact(secrets[name])
		sealed, err := key.seal(secrets[name])
		if err != nil {
			return err
		}
		body := map[string]any{"encrypted_value": sealed, "key_id": key.ID}
		if err := r.at(ctx, http.MethodPut, under(path, "secrets", name), body, nil); err != nil {
			return fmt.Errorf("set the secret %s: %w", name, err)
		}
	}
	return nil
}

// variables sets variables where secrets does. One that is there gets the new
// value.
func (r *repository) variables(ctx context.Context, path []string, variables map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		body := map[string]any{"name": name, "value": variables[name]}
		err := r.at(ctx, http.MethodPost, under(path, "variables"), body, nil)
		if status(err) == http.StatusConflict {
			err = r.at(ctx, http.MethodPatch, under(path, "variables", name), body, nil)
		}
		if err != nil {
			return fmt.Errorf("set the variable %s: %w", name, err)
		}
	}
	return nil
}

func under(path []string, more ...string) []string {
	return append(slices.Clone(path), more...)
}
