package keyset

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

const (
	maxKeys = 100
	// RSA keys are refused below what is safe and above what is cheap.
	minRSABits, maxRSABits = 2048, 8192
)

// Algorithms are those of which tokens may be, all with a public key.
var algorithms = [...]string{"ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"}

// Algorithms returns the signature algorithms that there are.
func Algorithms() []string { return slices.Clone(algorithms[:]) }

// Allows tells whether an algorithm fits a public key.
func Allows(public crypto.PublicKey, algorithm string) bool {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		curve := map[string]string{"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}[k.Curve.Params().Name]
		return curve == algorithm
	case *rsa.PublicKey:
		bits := k.N.BitLen()
		return bits >= minRSABits && bits <= maxRSABits && slices.Contains(algorithms[3:9], algorithm)
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false // among them all private keys, which nobody should publish
}

// A key of a set. Algorithm is the one that it is for, "" if it does not say.
type key struct {
	id, algorithm string
	public        crypto.PublicKey
}

func match(keys []key, id, algorithm string) (crypto.PublicKey, bool) {
	var found crypto.PublicKey
	for _, k := range keys {
		if id != "" && k.id != id || k.algorithm != "" && k.algorithm != algorithm || !Allows(k.public, algorithm) {
			continue
		}
		if found != nil {
			return nil, false // which one is meant cannot be told
		}
		found = k.public
	}
	return found, found != nil
}

// parse reads a set. Keys that are not of use are left out, as RFC 7517 says;
// a set that is none is an error.
func parse(body []byte) ([]key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("it is not a key set: %w", err)
	}
	if set.Keys == nil {
		return nil, errors.New("it is not a key set: it has no keys")
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("it has more than %d keys", maxKeys)
	}
	var out []key
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) != nil || !k.Valid() || k.Use != "" && k.Use != "sig" {
			continue
		}
		out = append(out, key{k.KeyID, k.Algorithm, k.Key})
	}
	return out, nil
}
