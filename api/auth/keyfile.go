package auth

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/api/auth/keyset"
)

// A KeyFile is a pair of keys in PEM files.
type KeyFile struct {
	// ID is the key id in tokens. Required.
	ID string
	// Algorithm is what the key signs with; "": ES256.
	Algorithm string
	// Public and Private are the paths. The key that signs, the first, needs
	// both.
	Public, Private string
}

// maxKeyFile bounds a file, in bytes.
const maxKeyFile = 64 << 10

// openKeyFiles returns a keyring that signs with the first key, and publishes
// all of them for as long as it lives.
func openKeyFiles(files []KeyFile, use string, now func() time.Time) (*keyring, error) {
	if len(files) == 0 {
		return nil, errors.New("static keys: there must be one key at least")
	}
	k := &keyring{use: use, now: now}
	for i, f := range files {
		key, err := k.addFile(f)
		if err != nil {
			return nil, fmt.Errorf("static key %q: %w", f.ID, err)
		}
		if i == 0 {
			k.current = key
		}
	}
	if k.current == nil {
		return nil, fmt.Errorf("static key %q: the first key signs, so it needs a private key", files[0].ID)
	}
	return k, nil
}

// addFile publishes a key, and returns the one to sign with, nil if the file
// of that is not named.
func (k *keyring) addFile(f KeyFile) (*signingKey, error) {
	if f.Algorithm == "" {
		f.Algorithm = defaultAlgorithm
	}
	switch {
	case f.ID == "":
		return nil, errors.New("it has no id")
	case slices.ContainsFunc(k.public, func(v verifyingKey) bool { return v.id == f.ID }):
		return nil, errors.New("the id is there twice")
	case !slices.Contains(keyset.Algorithms(), f.Algorithm):
		return nil, fmt.Errorf("algorithm %q is not one of %s", f.Algorithm, strings.Join(keyset.Algorithms(), ", "))
	}
	public, err := readPublic(f.Public)
	if err != nil {
		return nil, err
	}
	if !keyset.Allows(public, f.Algorithm) {
		return nil, fmt.Errorf("%s holds no key for %s", f.Public, f.Algorithm)
	}
	k.public = append(k.public, verifyingKey{id: f.ID, algorithm: f.Algorithm, key: public})
	if f.Private == "" {
		return nil, nil
	}
	private, err := readPrivate(f.Private)
	if err != nil {
		return nil, err
	}
	if same, ok := public.(interface{ Equal(crypto.PublicKey) bool }); !ok || !same.Equal(private.Public()) {
		return nil, fmt.Errorf("%s and %s are not halves of one key", f.Public, f.Private)
	}
	return &signingKey{id: f.ID, algorithm: f.Algorithm, private: private}, nil
}

// readBlock returns the first block of a PEM file that is a key. Parameters of
// curves, which openssl writes before it, are passed over.
func readBlock(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxKeyFile {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxKeyFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, " KEY") {
			return block.Bytes, nil
		}
	}
	return nil, fmt.Errorf("%s holds no key in PEM", path)
}

func readPublic(path string) (crypto.PublicKey, error) {
	der, err := readBlock(path)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("%s holds no public key: make one with openssl pkey -pubout", path)
	}
	return key, nil
}

// readPrivate reads PKCS #8, and the older forms of openssl.
func readPrivate(path string) (crypto.Signer, error) {
	der, err := readBlock(path)
	if err != nil {
		return nil, err
	}
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	return nil, fmt.Errorf("%s holds no private key without a passphrase: make one with openssl genpkey", path)
}
