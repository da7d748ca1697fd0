package git

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A SigningKey signs commits. It does not change, and is safe for concurrent
// use.
type SigningKey struct{ entity *openpgp.Entity }

// maxKey bounds an armored key.
const maxKey = 1 << 20

// ParseSigningKey reads an OpenPGP private key in ASCII armor, as gpg --armor
// --export-secret-keys writes it. Line breaks may be written as \n. Keys that
// need a passphrase, that are public, or that may not sign are errors, which
// hold nothing of the key.
func ParseSigningKey(armored string) (*SigningKey, error) {
	if len(armored) > maxKey {
		return nil, fmt.Errorf("the key has more than %d bytes", maxKey)
	}
	keys, err := openpgp.ReadArmoredKeyRing(strings.NewReader(strings.ReplaceAll(armored, `\n`, "\n")))
	switch {
	case err != nil || len(keys) == 0:
		return nil, errors.New("expected an OpenPGP private key in ASCII armor, as gpg --armor --export-secret-keys writes it")
	case len(keys) > 1:
		return nil, errors.New("expected one key, there are several")
	}
	k, ok := keys[0].SigningKey(time.Now())
	switch {
	case !ok:
		return nil, errors.New("the key may not sign, or is expired or revoked")
	case k.PrivateKey == nil:
		return nil, errors.New("the key is a public one: the private key signs")
	case k.PrivateKey.Encrypted:
		return nil, errors.New("the key needs a passphrase: export one that has none")
	case k.PrivateKey.Dummy():
		return nil, errors.New("the part of the key that signs is kept elsewhere, such as on a card")
	}
	return &SigningKey{entity: keys[0]}, nil
}

// sign returns the armored signature of a commit. The same key at the same time
// gives the same one, but for DSA and ECDSA, where each has a random number in
// it.
func (k *SigningKey) sign(c *object.Commit) (string, error) {
	encoded := &plumbing.MemoryObject{}
	if err := c.EncodeWithoutSignature(encoded); err != nil {
		return "", err
	}
	message, err := encoded.Reader()
	if err != nil {
		return "", err
	}
	random := false
	var out bytes.Buffer
	err = openpgp.ArmoredDetachSign(&out, k.entity, io.Reader(message), &packet.Config{
		Time: func() time.Time { return c.Committer.When }, NonDeterministicSignaturesViaNotation: &random})
	if err != nil {
		return "", fmt.Errorf("sign with the configured key: %w", err)
	}
	return out.String() + "\n", nil
}

// A Signing says which key signs what is pushed to which host.
type Signing struct {
	// Default is scaffolder.defaultCommitSigningKey; nil: none.
	Default *SigningKey
	// Hosts are the keys of integrations, by host.
	Hosts map[string]*SigningKey
}

// Key returns the key for a host; nil: commits are not signed.
func (s Signing) Key(host string) *SigningKey {
	if k := s.Hosts[host]; k != nil {
		return k
	}
	return s.Default
}

// Required returns the key for a host if an action is asked to sign, and nil if
// not. That there is none is an error then.
func (s Signing) Required(host string, sign bool) (*SigningKey, error) {
	if !sign {
		return nil, nil
	}
	if k := s.Key(host); k != nil {
		return k, nil
	}
	return nil, catalog.NewError(catalog.NameInput, "Signing commits is enabled but no signing key is provided in the configuration")
}
