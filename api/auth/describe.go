package auth

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/wire"
)

// JWKS answers GET /.well-known/jwks.json: the keys that verify user tokens.
func (s *Authority) JWKS(*gin.Context) (any, error) { return s.keys.set(), nil }

// PluginJWKS answers the key route of a plugin: the keys that verify the tokens
// with which it calls plugins that live elsewhere.
func (s *Authority) PluginJWKS(plugin string) wire.Handler {
	return func(c *gin.Context) (any, error) {
		ring, err := s.plugins.ring(c.Request.Context(), plugin)
		if err != nil {
			return nil, err
		}
		return ring.set(), nil
	}
}

// UserInfo answers GET /v1/userinfo: what the user of a full or limited token
// owns, as recorded at the last sign-in.
func (s *Authority) UserInfo(c *gin.Context) (any, error) {
	v, err := s.credential(c.Request, "auth", true)
	if err != nil {
		return nil, err
	}
	if v.principal.Kind != User {
		return nil, wire.InputError("userinfo is about users: call it with the token of a user")
	}
	info, ok, err := s.store.User(c.Request.Context(), v.principal.Subject)
	if err != nil {
		return nil, err
	}
	if !ok {
		return wire.Text{Code: http.StatusNotFound, Body: "User info not found"}, nil
	}
	return struct {
		Claims UserInfo `json:"claims"`
	}{info}, nil
}

// Identify returns who sent a request by its bearer token, on routes that
// insist on one in plugins whose other paths are open.
func (s *Authority) Identify(r *http.Request, plugin string) (Principal, error) {
	v, err := s.credential(r, plugin, false)
	if err != nil {
		return Principal{}, err
	}
	return v.principal, nil
}

// credential is fromRequest for routes that insist on one.
func (s *Authority) credential(r *http.Request, plugin string, limited bool) (*verified, error) {
	token := bearer(r)
	if token == "" {
		return nil, errMissing
	}
	return s.authenticate(r.Context(), token, plugin, limited)
}

// discovery is the document of OpenID Connect Discovery.
type discovery struct {
	Issuer        string   `json:"issuer"`
	Token         string   `json:"token_endpoint"`
	UserInfo      string   `json:"userinfo_endpoint"`
	Keys          string   `json:"jwks_uri"`
	ResponseTypes []string `json:"response_types_supported"`
	SubjectTypes  []string `json:"subject_types_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	Scopes        []string `json:"scopes_supported"`
	ClientAuth    []string `json:"token_endpoint_auth_methods_supported"`
	Claims        []string `json:"claims_supported"`
	Grants        []string `json:"grant_types_supported"`
	Authorization string   `json:"authorization_endpoint"`
	Challenges    []string `json:"code_challenge_methods_supported"`
}

// Discovery answers GET /.well-known/openid-configuration. Like the reference
// it names authorization endpoints that need not be there, and all algorithms
// that tokens could have.
func (s *Authority) Discovery(*gin.Context) (any, error) {
	return discovery{
		Issuer: s.issuer, Token: s.issuer + "/v1/token", UserInfo: s.issuer + "/v1/userinfo",
		Keys: s.issuer + "/.well-known/jwks.json", Authorization: s.issuer + "/v1/authorize",
		ResponseTypes: []string{"code", "id_token"}, SubjectTypes: []string{"public"},
		Algorithms: []string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"},
		Scopes:     []string{"openid"}, ClientAuth: []string{"client_secret_basic", "client_secret_post"}, Claims: []string{"sub", "ent"},
		Grants: []string{"authorization_code"}, Challenges: []string{"S256", "plain"},
	}, nil
}
