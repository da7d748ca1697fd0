package config

import "time"

// OAuth is what lets programs get tokens from users: keys below auth.
type OAuth struct {
	// Registration is experimentalDynamicClientRegistration, and Documents
	// clientIdMetadataDocuments; nil where they are not enabled.
	Registration *OAuthClients
	Documents    *OAuthClients
	// Refresh is experimentalRefreshToken; nil where it is not enabled.
	Refresh *OAuthRefresh
}

// OAuthClients say which clients there are; nil lists are the default.
type OAuthClients struct {
	IDs       []string // allowedClientIdPatterns
	Redirects []string // allowedRedirectUriPatterns
}

// OAuthRefresh are limits of refresh tokens; 0: the default.
type OAuthRefresh struct {
	Lifetime, MaxLifetime time.Duration
	PerUser               int
	GoneUsers             bool
}

func (r *reader) oauth(auth Value) OAuth {
	documents := auth.At("clientIdMetadataDocuments")
	if !documents.Exists() {
		documents = auth.At("experimentalClientIdMetadataDocuments") // its name before
	}
	return OAuth{
		Registration: r.oauthClients(auth.At("experimentalDynamicClientRegistration")),
		Documents:    r.oauthClients(documents),
		Refresh:      r.oauthRefresh(auth.At("experimentalRefreshToken")),
	}
}

func (r *reader) oauthClients(v Value) *OAuthClients {
	if !r.boolean(v.At("enabled"), false) {
		return nil
	}
	return &OAuthClients{IDs: r.urlPatterns(v.At("allowedClientIdPatterns")), Redirects: r.urlPatterns(v.At("allowedRedirectUriPatterns"))}
}

// urlPatterns reads a list that, being empty, allows nothing.
func (r *reader) urlPatterns(v Value) []string {
	if !v.Exists() {
		return nil
	}
	return append([]string{}, r.list(v)...)
}

func (r *reader) oauthRefresh(v Value) *OAuthRefresh {
	if !r.boolean(v.At("enabled"), false) {
		return nil
	}
	out := &OAuthRefresh{
		Lifetime: r.milliseconds(v.At("tokenLifetime"), 0), MaxLifetime: r.milliseconds(v.At("maxRotationLifetime"), 0),
		PerUser: r.integer(v.At("maxTokensPerUser"), 0), GoneUsers: r.boolean(v.At("dangerouslyDisableCatalogPresenceCheck"), false),
	}
	if n := v.At("maxTokensPerUser"); n.Exists() && out.PerUser < 1 {
		r.fault(n.Fault("it must be 1 or more"))
	}
	if out.Lifetime != 0 && out.MaxLifetime != 0 && out.MaxLifetime <= out.Lifetime {
		r.fault(v.At("maxRotationLifetime").Fault("it must be longer than tokenLifetime"))
	}
	return out
}
