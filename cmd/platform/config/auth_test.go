package config_test

import (
	"testing"

	"github.com/greenroom-idp/greenroom/api/discovery"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/stretchr/testify/require"
)

func TestKeysOfTokens(t *testing.T) {
	s, err := read(t, `
backend:
  baseUrl: http://x
  auth:
    pluginKeyStore: {type: static, static: {keys: [{keyId: p, publicKeyFile: p.pub}]}}
auth:
  identityTokenAlgorithm: EdDSA
  keyStore:
    provider: static
    static:
      keys:
        - {keyId: a, publicKeyFile: a.pub, privateKeyFile: a.key, algorithm: RS256}
        - {keyId: b, publicKeyFile: b.pub, privateKeyFile: b.key}
`)
	require.NoError(t, err)
	require.Equal(t, "EdDSA", s.Auth.Algorithm)
	require.Equal(t, config.KeyStore{Files: []config.KeyFile{
		{ID: "a", Algorithm: "RS256", Public: "a.pub", Private: "a.key"}, {ID: "b", Public: "b.pub", Private: "b.key"},
	}}, s.Auth.Keys)
	require.Equal(t, config.KeyStore{Files: []config.KeyFile{{ID: "p", Public: "p.pub"}}}, s.Auth.PluginKeys)

	s, err = read(t, "backend: {baseUrl: 'http://x', auth: {pluginKeyStore: {type: database}}}\nauth: {keyStore: {provider: memory}}")
	require.NoError(t, err)
	require.Equal(t, config.KeyStore{Memory: true}, s.Auth.Keys)
	require.Zero(t, s.Auth.PluginKeys)

	for text, says := range map[string]string{
		"auth: {keyStore: {provider: firestore}}":                                                            "'firestore' is not a key store of this release",
		"auth: {keyStore: {provider: redis}}":                                                                "'redis' is not one of database, memory, static",
		"auth: {keyStore: {provider: static}}":                                                               "one entry at least",
		"auth: {keyStore: {provider: static, static: {keys: [{keyId: a}]}}}":                                 "auth.keyStore.static.keys[0].publicKeyFile",
		"auth: {keyStore: {provider: static, static: {keys: [{publicKeyFile: a}]}}}":                         "auth.keyStore.static.keys[0].keyId",
		"auth: {keyStore: {provider: static, static: {keys: [{keyId: a, publicKeyFile: a, algorithm: X}]}}}": "'X' is not one of ES256",
		"auth: {identityTokenAlgorithm: HS256}":                                                              "'HS256' is not one of ES256, ES384",
	} {
		_, err := read(t, "backend: {baseUrl: 'http://x'}\n"+text)
		require.ErrorContains(t, err, says, text)
	}
	_, err = read(t, "backend: {baseUrl: 'http://x', auth: {pluginKeyStore: {type: memory}}}")
	require.ErrorContains(t, err, "'memory' is not one of database, static")
}

func TestExternalAccessByKeySet(t *testing.T) {
	s, err := read(t, `
backend:
  baseUrl: http://x
  auth:
    externalAccess:
      - type: jwks
        options: {url: 'https://idp/keys', algorithm: [ES256, RS256], issuer: 'https://idp', audience: 'portal, other', subjectPrefix: idp, subject: ['repo:acme/*', robot]}
        accessRestrictions: [{plugin: catalog}]
      - {type: jwks, options: {url: 'https://idp/keys'}}
    keys: [{secret: c2VjcmV0, accessRestrictions: [{plugin: search}]}]
`)
	require.NoError(t, err)
	require.Equal(t, []config.ExternalAccess{
		{Type: "jwks", URL: "https://idp/keys", SubjectPrefix: "idp", Algorithms: []string{"ES256", "RS256"}, Issuers: []string{"https://idp"},
			Audiences: []string{"portal", "other"}, Subjects: []string{"repo:acme/*", "robot"}, Restrictions: []config.AccessRestriction{{Plugin: "catalog"}}},
		{Type: "jwks", URL: "https://idp/keys"},
		{Type: "legacy", Secret: "c2VjcmV0", Subject: "external:backstage-plugin", Restrictions: []config.AccessRestriction{{Plugin: "search"}}},
	}, s.Auth.External)
	require.Contains(t, s.Warnings, "backend.auth.keys is deprecated: move the secret to backend.auth.externalAccess, with type legacy")
}

func TestWherePluginsLive(t *testing.T) {
	s, err := read(t, `
backend: {baseUrl: http://x}
discovery:
  endpoints:
    - {target: 'https://all/api/{{pluginId}}', plugins: ['*']}
    - {target: {internal: 'http+srv://todo.svc/api/{{pluginId}}', external: 'https://outside/{{pluginId}}'}, plugins: [todo, badges]}
    - {target: {external: 'https://outside/{{pluginId}}'}, plugins: [search]}
`)
	require.NoError(t, err)
	require.Equal(t, []discovery.Endpoint{
		{Target: "https://all/api/{{pluginId}}", Plugins: []string{"*"}},
		{Target: "http+srv://todo.svc/api/{{pluginId}}", Plugins: []string{"todo", "badges"}},
	}, s.Discovery)
	for text, says := range map[string]string{
		"{plugins: [a]}":                       "discovery.endpoints[0].target",
		"{target: 'http://a'}":                 "discovery.endpoints[0].plugins",
		"{target: 'http://a', plugins: []}":    "discovery.endpoints[0].plugins",
		"{target: 'http://a', plugins: a}":     "got string, wanted array",
		"{target: 'ftp://a', plugins: [a]}":    "neither http nor https",
		"{target: '/a', plugins: [a]}":         "not an absolute URL",
		"{target: 'http://a', plugins: [a/b]}": "'a/b' is not the id of a plugin",
		"{target: 5, plugins: [a]}":            "got number, wanted string",
	} {
		_, err := read(t, "backend: {baseUrl: 'http://x'}\ndiscovery: {endpoints: ["+text+"]}")
		require.ErrorContains(t, err, says, text)
	}
}
