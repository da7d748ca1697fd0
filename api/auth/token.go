package auth

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// Types of token, as in the header's typ.
const (
	typeUser    = "vnd.backstage.user"
	typeLimited = "vnd.backstage.limited-user"
	typePlugin  = "vnd.backstage.plugin"
	audience    = "backstage"
)

// maxToken bounds tokens, in bytes, when they are issued and when they are
// read.
const maxToken = 32768

// claims are what a user token says. Ownership is left out when nil.
type claims struct {
	issuer, subject string
	ownership       []string
	issued, expires time.Time
}

// signUser returns a user token. Header and payload are written by hand, in
// the order of the reference and without escapes that JavaScript would not
// make: whoever holds the token rebuilds the limited token from its claims,
// and the proof in uip is a signature of exactly those bytes.
func signUser(k *signingKey, c claims) (string, error) {
	proof, err := sign(k, typeLimited, appendLimited(nil, c))
	if err != nil {
		return "", err
	}
	payload := append([]byte(`{"iss":`), jsonvalue.AppendString(nil, c.issuer)...)
	payload = append(payload, `,"sub":`...)
	payload = jsonvalue.AppendString(payload, c.subject)
	if c.ownership != nil {
		payload = append(payload, `,"ent":`...)
		payload = jsonvalue.Append(payload, wire.Strings(c.ownership))
	}
	payload = append(payload, `,"aud":"`+audience+`"`...)
	payload = appendTimes(payload, c)
	payload = append(payload, `,"uip":`...)
	payload = jsonvalue.AppendString(payload, proof.signature)
	payload = append(payload, '}')
	full, err := sign(k, typeUser, payload)
	if err != nil {
		return "", err
	}
	if token := full.String(); len(token) <= maxToken {
		return token, nil
	}
	return "", fmt.Errorf("token for %s is longer than %d characters", c.subject, maxToken)
}

// appendLimited writes the payload of the limited token.
func appendLimited(dst []byte, c claims) []byte {
	dst = append(dst, `{"sub":`...)
	dst = jsonvalue.AppendString(dst, c.subject)
	return append(appendTimes(dst, c), '}')
}

func appendTimes(dst []byte, c claims) []byte {
	dst = append(dst, `,"iat":`...)
	dst = strconv.AppendInt(dst, c.issued.Unix(), 10)
	dst = append(dst, `,"exp":`...)
	return strconv.AppendInt(dst, c.expires.Unix(), 10)
}

func appendHeader(dst []byte, typ, algorithm, keyID string) []byte {
	dst = append(dst, `{"typ":`...)
	dst = jsonvalue.AppendString(dst, typ)
	dst = append(dst, `,"alg":`...)
	dst = jsonvalue.AppendString(dst, algorithm)
	dst = append(dst, `,"kid":`...)
	dst = jsonvalue.AppendString(dst, keyID)
	return append(dst, '}')
}

// A signed is a JWS in its two parts: what was signed, and the signature.
type signed struct{ content, signature string }

func (s signed) String() string { return s.content + "." + s.signature }

func sign(k *signingKey, typ string, payload []byte) (signed, error) {
	content := base64.RawURLEncoding.EncodeToString(appendHeader(nil, typ, k.algorithm, k.id)) + "." +
		base64.RawURLEncoding.EncodeToString(payload)
	sig, err := jwt.GetSigningMethod(k.algorithm).Sign(content, k.private)
	if err != nil {
		return signed{}, fmt.Errorf("sign token: %w", err)
	}
	return signed{content, base64.RawURLEncoding.EncodeToString(sig)}, nil
}

// limitedToken builds the limited token out of what a user token says: its
// algorithm, the id of its key, its claims and its proof.
func limitedToken(algorithm, keyID, proof string, c claims) string {
	return base64.RawURLEncoding.EncodeToString(appendHeader(nil, typeLimited, algorithm, keyID)) + "." +
		base64.RawURLEncoding.EncodeToString(appendLimited(nil, c)) + "." + proof
}
