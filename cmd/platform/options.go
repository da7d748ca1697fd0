package main

import (
	"os"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

// authOptions turns the settings of sign-in and tokens into those of auth.
func authOptions(s *config.Settings, keys auth.Store, users auth.Directory) auth.Options {
	o := auth.Options{
		BaseURL: s.Backend.BaseURL, Store: keys, Directory: users,
		TokenLifetime: s.Auth.TokenLifetime, IncludeOwnership: s.Auth.IncludeOwnership,
		DisableDefaultPolicy: s.Auth.DisableDefaultPolicy, Algorithm: s.Auth.Algorithm,
		KeyFiles: keyFiles(s.Auth.Keys), PluginKeyFiles: keyFiles(s.Auth.PluginKeys),
	}
	if s.Auth.Keys.Memory {
		o.Keys = auth.MemoryKeys()
	}
	if g := s.Auth.Guest; g != nil {
		o.Guest = &auth.Guest{
			Allowed:       g.AllowOutsideDevelopment || os.Getenv("NODE_ENV") == "development",
			UserEntityRef: g.UserEntityRef, Ownership: g.Ownership,
		}
	}
	for _, e := range s.Auth.External {
		access := auth.ExternalAccess{
			Type: e.Type, Token: e.Token, Secret: e.Secret, Subject: e.Subject, URL: e.URL, SubjectPrefix: e.SubjectPrefix,
			Algorithms: e.Algorithms, Issuers: e.Issuers, Audiences: e.Audiences, Subjects: e.Subjects,
		}
		if e.Restrictions != nil {
			access.Restrictions = []auth.Restriction{}
		}
		for _, r := range e.Restrictions {
			access.Restrictions = append(access.Restrictions, auth.Restriction(r))
		}
		o.External = append(o.External, access)
	}
	return o
}

func keyFiles(k config.KeyStore) (out []auth.KeyFile) {
	for _, f := range k.Files {
		out = append(out, auth.KeyFile(f))
	}
	return out
}

func corsOptions(c *config.CORS) *api.CORS {
	if c == nil {
		return nil
	}
	return &api.CORS{
		Origins: c.Origins, Methods: c.Methods, AllowedHeaders: c.AllowedHeaders, ExposedHeaders: c.ExposedHeaders,
		Credentials: c.Credentials, MaxAge: c.MaxAge,
	}
}
