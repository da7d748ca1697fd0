package oauthserver

import (
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/wire"
)

// Metadata answers GET /.well-known/openid-configuration of the plugin, and
// /.well-known/oauth-authorization-server of the root: where things are.
func (s *Server) Metadata(*gin.Context) (any, error) {
	methods := []any{"none"}
	if s.o.Registration != nil {
		methods = []any{"client_secret_basic", "client_secret_post", "none"}
	}
	out := wire.Obj("issuer", s.issuer, "token_endpoint", s.issuer+"/v1/token", "userinfo_endpoint", s.issuer+"/v1/userinfo",
		"jwks_uri", s.issuer+"/.well-known/jwks.json", "authorization_endpoint", s.issuer+"/v1/authorize",
		"response_types_supported", []any{"code", "id_token"}, "subject_types_supported", []any{"public"},
		"id_token_signing_alg_values_supported", []any{"ES256"}, "scopes_supported", s.scopes(),
		"token_endpoint_auth_methods_supported", methods, "claims_supported", []any{"sub", "ent"},
		"grant_types_supported", s.grantTypes(), "code_challenge_methods_supported", []any{"S256"},
		"revocation_endpoint", s.issuer+"/v1/revoke", "authorization_response_iss_parameter_supported", true)
	if s.o.Registration != nil {
		out.Set("registration_endpoint", s.issuer+"/v1/register")
	}
	if s.o.Documents != nil {
		out.Set("client_id_metadata_document_supported", true)
	}
	return out, nil
}

func (s *Server) scopes() []any {
	if s.o.Refresh != nil {
		return []any{"openid", "offline_access"}
	}
	return []any{"openid"}
}

// ResourcePrefix is where the documents of resources are, below which comes the
// path of the resource.
const ResourcePrefix = "/.well-known/oauth-protected-resource"

// Resource answers GET below ResourcePrefix: who makes tokens for a resource.
func (s *Server) Resource(c *gin.Context) (any, error) {
	path := strings.TrimRight(c.Param("path"), "/")
	if !slices.Contains(s.o.Resources, path) {
		return nil, wire.NotFound("There is no resource " + excerpt(path) + " that tokens can be got for")
	}
	return wire.Obj("resource", s.base.String()+path, "authorization_servers", []any{s.issuer},
		"scopes_supported", s.scopes(), "bearer_methods_supported", []any{"header"}), nil
}

// Challenge is the value of WWW-Authenticate for a request without a good
// token to a path, "" for a path that is no resource.
func (s *Server) Challenge(path string) string {
	if !slices.Contains(s.o.Resources, path) {
		return ""
	}
	return `Bearer resource_metadata="` + s.base.String() + ResourcePrefix + path + `"`
}
