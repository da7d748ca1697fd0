package signin

import (
	"encoding/hex"
	"net/url"

	"github.com/greenroom-idp/greenroom/api/wire"
)

// maxState bounds the state of a callback, in characters.
const maxState = 16 << 10

// A state goes to the provider with a person and comes back with them. It is
// not secret, and proves nothing but by its nonce. Fields that are "" are left
// out.
type state struct {
	Nonce, Env                       string // required
	Origin, RedirectURL, Flow, Scope string
}

// redirects tells whether the whole page went to the provider, not a popup.
func (s state) redirects() bool { return s.Flow == "redirect" }

// encode returns the hex form of a query string.
func (s state) encode() string {
	q := url.Values{}
	for key, value := range map[string]string{
		"nonce": s.Nonce, "env": s.Env, "origin": s.Origin, "redirectUrl": s.RedirectURL, "flow": s.Flow, "scope": s.Scope,
	} {
		if value != "" {
			q.Set(key, value)
		}
	}
	return hex.EncodeToString([]byte(q.Encode()))
}

func decodeState(text string) (state, error) {
	if len(text) > maxState {
		return state{}, wire.InputError("OAuth state is too long")
	}
	data, err := hex.DecodeString(text)
	if err != nil {
		return state{}, wire.InputError("OAuth state is invalid, it is not hexadecimal")
	}
	q, err := url.ParseQuery(string(data))
	if err != nil {
		return state{}, wire.InputError("OAuth state is invalid, it holds no query string")
	}
	s := state{
		Nonce: q.Get("nonce"), Env: q.Get("env"), Origin: q.Get("origin"),
		RedirectURL: q.Get("redirectUrl"), Flow: q.Get("flow"), Scope: q.Get("scope"),
	}
	switch {
	case s.Env == "":
		return state{}, wire.NotAllowed("OAuth state is invalid, missing env")
	case s.Nonce == "":
		return state{}, wire.NotAllowed("OAuth state is invalid, missing nonce")
	}
	return s, nil
}
