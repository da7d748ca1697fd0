package engine

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
)

// KeySize is how many bytes the key has that seals secrets.
const KeySize = 32

// A vault seals what must not be read in the store: with AES-256-GCM, bound to
// the task whose secrets they are.
//
// A sealed text is a byte 1, a nonce of 12 bytes, and the ciphertext with its
// tag.
type vault struct{ aead cipher.AEAD }

const sealVersion = 1

func newVault(key []byte) (*vault, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the key for secrets must have %d bytes, not %d", KeySize, len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &vault{aead}, err
}

// secrets are what a task knows and nobody else may.
type secrets struct {
	Secrets     map[string]string `json:"secrets,omitempty"`
	Credentials string            `json:"credentials,omitempty"`
}

func (v *vault) seal(task string, s secrets) ([]byte, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("seal secrets: %w", err)
	}
	nonce := make([]byte, v.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	out := append([]byte{sealVersion}, nonce...)
	return v.aead.Seal(out, nonce, plain, []byte(task)), nil
}

// errSealed is returned for secrets that cannot be opened: with another key, of
// another task, or damaged.
var errSealed = errors.New("the secrets of the task cannot be opened: was the key file replaced? Retry the task, or create it anew")

func (v *vault) open(task string, sealed []byte) (s secrets, err error) {
	if sealed == nil {
		return s, nil
	}
	n := v.aead.NonceSize()
	if len(sealed) <= n || sealed[0] != sealVersion {
		return s, errSealed
	}
	plain, err := v.aead.Open(nil, sealed[1:1+n], sealed[1+n:], []byte(task))
	if err != nil || json.Unmarshal(plain, &s) != nil {
		return secrets{}, errSealed
	}
	return s, nil
}
