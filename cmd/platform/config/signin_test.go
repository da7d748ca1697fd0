package config_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

func TestSignInProviders(t *testing.T) {
	s, err := read(t, minimal+`
auth:
  environment: production
  session: {secret: of-the-sessions}
  experimentalExtraAllowedOrigins: ['https://*.example.com']
  providers:
    github:
      production:
        clientId: id
        clientSecret: of-the-client
        enterpriseInstanceUrl: https://ghe.example.com
        callbackUrl: https://portal.example.com/back
        additionalScopes: 'repo, workflow'
        sessionDuration: {hours: 24}
        signIn:
          resolvers:
            - {resolver: userIdMatchingUserEntityAnnotation}
            - {resolver: emailLocalPartMatchingUserEntityName, allowedDomains: [example.com], dangerouslyAllowSignInWithoutUserInCatalog: true}
            - {resolver: emailMatchingUserEntityProfileEmail, allowedDomains: []}
      development: {clientId: dev, clientSecret: of-dev}
    gitlab:
      production: {clientId: id, clientSecret: s, audience: 'https://gitlab.example.com/', additionalScopes: [api]}
    oidc:
      production:
        clientId: id
        clientSecret: s
        metadataUrl: https://id.example.com/.well-known/openid-configuration
        tokenEndpointAuthMethod: client_secret_post
        tokenSignedResponseAlg: ES256
        prompt: auto
        timeout: 5000
        startUrlSearchParams: {audience: x}
    oauth2Proxy:
      trustedProxies: [10.0.0.5, '10.1.2.3/16', '::1']
      sharedSecret: {secret: a-long-secret-of-the-proxy}
      signIn: {resolvers: [{resolver: forwardedUserMatchingUserEntityName}]}
`)
	require.NoError(t, err)
	require.Empty(t, s.Warnings)
	require.Equal(t, config.SignIn{
		ExtraOrigins: []string{"https://*.example.com"}, Secret: "of-the-sessions",
		GitHub: map[string]config.OAuthClient{
			"development": {ClientID: "dev", ClientSecret: "of-dev"},
			"production": {
				ClientID: "id", ClientSecret: "of-the-client", URL: "https://ghe.example.com", CallbackURL: "https://portal.example.com/back",
				Scopes: []string{"repo", "workflow"}, SessionDuration: 24 * time.Hour,
				Resolvers: []config.SignInResolver{
					{Name: "userIdMatchingUserEntityAnnotation"},
					{Name: "emailLocalPartMatchingUserEntityName", AllowedDomains: []string{"example.com"}, WithoutUser: true},
					{Name: "emailMatchingUserEntityProfileEmail", AllowedDomains: []string{}},
				},
			},
		},
		GitLab: map[string]config.OAuthClient{"production": {ClientID: "id", ClientSecret: "s", URL: "https://gitlab.example.com/", Scopes: []string{"api"}}},
		OIDC: map[string]config.OAuthClient{"production": {
			ClientID: "id", ClientSecret: "s", URL: "https://id.example.com/.well-known/openid-configuration",
			AuthMethod: "client_secret_post", Algorithm: "ES256", Prompt: "auto", Timeout: 5 * time.Second, StartParameters: map[string]string{"audience": "x"},
		}},
		Proxy: &config.HeaderProxy{
			Addresses:    []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32"), netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("::1/128")},
			SecretHeader: "X-Greenroom-Proxy-Secret", Secret: "a-long-secret-of-the-proxy",
			Resolvers: []config.SignInResolver{{Name: "forwardedUserMatchingUserEntityName"}},
		},
	}, s.Auth.SignIn)
	seen, err := json.Marshal(s.Portal.Frontend)
	require.NoError(t, err)
	require.JSONEq(t, `{"backend":{"baseUrl":"http://localhost:7007/"},"auth":{"environment":"production","providers":{
		"github":{"production":{"signIn":{}}},"gitlab":{},"oidc":{},"oauth2Proxy":{}}}}`, string(seen), "browsers see what there is, and nothing of it")
}

func TestSignInFaults(t *testing.T) {
	const client = "clientId: id, clientSecret: s"
	const openID = client + ", metadataUrl: 'https://id.example.com'"
	const session = "session: {secret: x}, "
	for text, want := range map[string]string{
		"providers: []":                                                                                                                                  "Invalid type in config for key 'auth.providers'",
		"providers: {github: {development: {}}}":                                                                                                         "Missing required config value at 'auth.providers.github.development.clientId'",
		"providers: {github: {development: {clientId: id}}}":                                                                                             "Missing required config value at 'auth.providers.github.development.clientSecret'",
		"providers: {github: {" + client + "}}":                                                                                                          "the keys of a provider are environments",
		"providers: {github: x}":                                                                                                                         "wanted object",
		"providers: {github: {d: {" + client + ", clientID: x}}}":                                                                                        "config key 'auth.providers.github.d.clientID'",
		"providers: {github: {d: {" + client + ", audience: x}}}":                                                                                        "there is no such key here; there are clientId, clientSecret, enterpriseInstanceUrl, callbackUrl",
		"providers: {github: {d: {" + client + ", enterpriseInstanceUrl: x}}}":                                                                           "'x' is not an http or https URL",
		"providers: {github: {d: {" + client + ", callbackUrl: 'https://u:p@x/'}}}":                                                                      "is not an http or https URL",
		"providers: {github: {d: {" + client + ", sessionDuration: x}}}":                                                                                 "'x' is not a duration",
		"providers: {github: {d: {" + client + ", sessionDuration: {milliseconds: 1}}}}":                                                                 "it must be a second or more",
		"providers: {github: {d: {" + client + ", signIn: {resolver: []}}}}":                                                                             "there is no such key here; there are resolvers",
		"providers: {github: {d: {" + client + ", signIn: {resolvers: [{}]}}}}":                                                                          "Missing required config value at 'auth.providers.github.d.signIn.resolvers[0].resolver'",
		"providers: {github: {d: {" + client + ", signIn: {resolvers: [{resolver: x}]}}}}":                                                               "Sign-in resolver 'x' is not available; github has emailMatching",
		"providers: {gitlab: {d: {" + client + ", signIn: {resolvers: [{resolver: forwardedUserMatchingUserEntityName}]}}}}":                             "is not available; gitlab has",
		"providers: {github: {d: {" + client + ", signIn: {resolvers: [{resolver: emailMatchingUserEntityProfileEmail, allowedDomain: x}]}}}}":           "there is no such key here; there are resolver, dangerouslyAllowSignInWithoutUserInCatalog, allowedDomains",
		"providers: {github: {d: {" + client + ", signIn: {resolvers: [{resolver: usernameMatchingUserEntityName, allowedDomains: [x]}]}}}}":             "there is no such key here",
		"providers: {github: {d: {" + client + ", signIn: {resolvers: [{resolver: emailMatchingUserEntityProfileEmail, allowedDomains: '${UNSET}'}]}}}}": "it has no value",
		"providers: {oidc: {d: {" + openID + "}}}":                                                                                                       "config key 'auth.session.secret'",
		session + "providers: {oidc: {d: {" + client + "}}}":                                                                                             "Missing required config value at 'auth.providers.oidc.d.metadataUrl'",
		session + "providers: {oidc: {d: {" + openID + ", scope: openid}}}":                                                                              "put others into additionalScopes",
		session + "providers: {oidc: {d: {" + openID + ", tokenSignedResponseAlg: none}}}":                                                               "'none' is not one of RS256",
		session + "providers: {oidc: {d: {" + openID + ", tokenSignedResponseAlg: HS256}}}":                                                              "'HS256' is not one of RS256",
		session + "providers: {oidc: {d: {" + openID + ", tokenEndpointAuthMethod: none}}}":                                                              "'none' is not one of client_secret_basic, client_secret_post",
		session + "providers: {oidc: {d: {" + openID + ", startUrlSearchParams: {state: x}}}}":                                                           "this parameter is set by the sign-in itself",
		session + "providers: {oidc: {d: {" + openID + ", timeout: {hours: 1}}}}":                                                                        "from 10 milliseconds to 5 minutes",
		"providers: {oauth2Proxy: {trustedProxies: [x]}}":                                                                                                "'x' is neither an address nor a network",
		"providers: {oauth2Proxy: {sharedSecret: {header: X}}}":                                                                                          "Missing required config value at 'auth.providers.oauth2Proxy.sharedSecret.secret'",
		"providers: {oauth2Proxy: {trusted: [x]}}":                                                                                                       "there is no such key here",
		"providers: {guest: {userEntityref: x}}":                                                                                                         "config key 'auth.providers.guest.userEntityref'",
	} {
		_, err := read(t, minimal+"auth: {"+text+"}")
		require.ErrorContains(t, err, want, text)
	}
}

func TestSignInWarnings(t *testing.T) {
	s, err := read(t, minimal+`auth: {session: {secret: x}, providers: {google: {development: {clientId: x}},
  oidc: {d: {clientId: id, clientSecret: s, metadataUrl: 'http://id.internal'}, e: {clientId: id, clientSecret: s, metadataUrl: 'http://127.0.0.1:9000'}}}}`)
	require.NoError(t, err)
	require.Equal(t, []string{
		"auth.providers.google is not a provider of this release, which has guest, github, gitlab, oidc, oauth2Proxy: nobody can sign in with it",
		"auth.providers.oidc.d.metadataUrl is not https: whoever is between here and there can sign in as anybody",
	}, s.Warnings)
}

// block is YAML in a document, or in a list of one.
var block = regexp.MustCompile("(?ms)^( *)```yaml\n(.*?)^ *```")

// What the documents say is what the program reads.
func TestTheDocumentsAreRead(t *testing.T) {
	pages, err := filepath.Glob("../../../docs/sign-in/*.md")
	require.NoError(t, err)
	require.Len(t, pages, 6)
	found := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range block.FindAllStringSubmatch(string(text), -1) {
			example := regexp.MustCompile("(?m)^"+m[1]).ReplaceAllString(m[2], "")
			if !strings.Contains(example, "auth:\n") {
				continue
			}
			found++
			if !strings.Contains(example, "backend:") {
				example = minimal + example
			}
			s, err := config.Read(load(t, example, map[string]string{
				"AUTH_GITHUB_CLIENT_ID": "id", "AUTH_GITHUB_CLIENT_SECRET": "s", "AUTH_GITLAB_CLIENT_ID": "id", "AUTH_GITLAB_CLIENT_SECRET": "s",
				"AUTH_OIDC_CLIENT_ID": "id", "AUTH_OIDC_CLIENT_SECRET": "s", "AUTH_SESSION_SECRET": "s", "PROXY_SECRET": "a-secret-of-the-proxy",
			}))
			require.NoError(t, err, "%s:\n%s", page, example)
			require.Empty(t, s.Warnings, page)
			require.True(t, s.Auth.Guest != nil || s.Auth.SignIn.Proxy != nil || len(s.Auth.SignIn.GitHub)+len(s.Auth.SignIn.GitLab)+len(s.Auth.SignIn.OIDC) == 1, page)
		}
	}
	require.Equal(t, 9, found)
}
