package config

import (
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/greenroom-idp/greenroom/api/signin/oidc"
)

// SignIn is what auth.* says of providers of accounts.
type SignIn struct {
	// ExtraOrigins is auth.experimentalExtraAllowedOrigins.
	ExtraOrigins []string
	// Secret is auth.session.secret, "" for none.
	Secret string
	// GitHub, GitLab and OIDC are by environment; nil: there is none.
	GitHub, GitLab, OIDC map[string]OAuthClient
	// Proxy is auth.providers.oauth2Proxy; nil: there is none.
	Proxy *HeaderProxy
}

// OAuthClient is one environment of a provider. What a provider does not have
// is "" or nil.
type OAuthClient struct {
	ClientID, ClientSecret string
	// URL is enterpriseInstanceUrl of GitHub, audience of GitLab, and metadataUrl
	// of OIDC.
	URL             string
	CallbackURL     string // "": the default
	Scopes          []string
	SessionDuration time.Duration // 0: the default
	Resolvers       []SignInResolver

	AuthMethod, Algorithm, Prompt string            // "": the defaults
	StartParameters               map[string]string // startUrlSearchParams
	Timeout                       time.Duration     // 0: the default
}

// HeaderProxy is the proxy that signs people in.
type HeaderProxy struct {
	Addresses            []netip.Prefix
	SecretHeader, Secret string
	Resolvers            []SignInResolver
}

// SignInResolver is an entry of signIn.resolvers.
type SignInResolver struct {
	Name           string
	AllowedDomains []string // nil: all
	WithoutUser    bool     // dangerouslyAllowSignInWithoutUserInCatalog
}

// defaultSecretHeader is where the proxy puts its shared secret.
const defaultSecretHeader = "X-Greenroom-Proxy-Secret"

func (r *reader) signIn(c *Config) SignIn {
	s := SignIn{
		ExtraOrigins: r.list(c.At("auth.experimentalExtraAllowedOrigins")),
		Secret:       r.text(c.At("auth.session.secret"), ""),
	}
	providers := c.At("auth.providers")
	if providers.Exists() && !providers.IsObject() {
		r.fault(providers.wrongType("object"))
	}
	for _, name := range providers.Keys() {
		switch v := providers.Child(name); name {
		case "guest":
			r.only(v, "dangerouslyAllowOutsideDevelopment", "userEntityRef", "ownershipEntityRefs")
		case signin.GitHub:
			s.GitHub = r.clients(v, name, "enterpriseInstanceUrl")
		case signin.GitLab:
			s.GitLab = r.clients(v, name, "audience")
		case signin.OIDC:
			s.OIDC = r.clients(v, name, "metadataUrl")
			if len(s.OIDC) > 0 && s.Secret == "" {
				r.fault(c.At("auth.session.secret").Fault("the provider oidc keeps sessions, which are sealed with this: set it to a long random text"))
			}
		case signin.OAuth2Proxy:
			s.Proxy = r.headerProxy(v)
		default:
			r.warnings = append(r.warnings, "auth.providers."+name+" is not a provider of this release, which has "+
				enumerate(signin.Known())+": nobody can sign in with it")
		}
	}
	return s
}

// only finds keys that nothing reads: in what decides who comes in, a slip of
// the pen must not go unseen.
func (r *reader) only(v Value, known ...string) {
	if v.Exists() && !v.IsObject() {
		r.fault(v.wrongType("object"))
	}
	for _, key := range v.Keys() {
		if !slices.Contains(known, key) {
			r.fault(v.Child(key).Fault("there is no such key here; there are %s", enumerate(known)))
		}
	}
}

// clients reads a provider: its keys are environments.
func (r *reader) clients(v Value, provider, urlKey string) map[string]OAuthClient {
	if !v.IsObject() {
		r.fault(v.wrongType("object"))
		return nil
	}
	out := map[string]OAuthClient{}
	for _, env := range v.Keys() {
		e := v.Child(env)
		if !e.IsObject() {
			r.fault(e.Fault("the keys of a provider are environments, such as development, with clientId and the others below"))
			continue
		}
		out[env] = r.client(e, provider, urlKey)
	}
	return out
}

func (r *reader) client(v Value, provider, urlKey string) OAuthClient {
	known := []string{"clientId", "clientSecret", urlKey, "callbackUrl", "additionalScopes", "sessionDuration", "signIn"}
	o := OAuthClient{
		ClientID: r.required(v.At("clientId")), ClientSecret: r.required(v.At("clientSecret")),
		URL: r.httpURL(v.At(urlKey)), CallbackURL: r.httpURL(v.At("callbackUrl")),
		SessionDuration: r.duration(v.At("sessionDuration"), 0), Resolvers: r.resolvers(v.At("signIn"), provider),
	}
	o.Scopes = r.words(v.At("additionalScopes"))
	if d := v.At("sessionDuration"); d.Exists() && o.SessionDuration < time.Second {
		r.fault(d.Fault("it must be a second or more"))
	}
	if provider != signin.OIDC {
		r.only(v, known...)
		return o
	}
	if scope := v.At("scope"); scope.Exists() {
		r.fault(scope.Fault("the scopes openid, profile and email are always asked for: leave the key out, and put others into additionalScopes"))
		known = append(known, "scope")
	}
	r.required(v.At(urlKey))
	r.openID(v, &o)
	r.only(v, append(known, "tokenEndpointAuthMethod", "tokenSignedResponseAlg", "prompt", "timeout", "startUrlSearchParams")...)
	return o
}

// openID reads what OIDC alone has.
func (r *reader) openID(v Value, o *OAuthClient) {
	o.AuthMethod = r.choice(v.At("tokenEndpointAuthMethod"), "", oidc.Basic, oidc.Post)
	o.Algorithm = r.choice(v.At("tokenSignedResponseAlg"), "", oidc.Algorithms()...)
	o.Prompt = r.text(v.At("prompt"), "")
	o.StartParameters = r.texts(v.At("startUrlSearchParams"))
	for key := range o.StartParameters {
		if oidc.Reserved(key) {
			r.fault(v.At("startUrlSearchParams").Child(key).Fault("this parameter is set by the sign-in itself"))
		}
	}
	o.Timeout = r.milliseconds(v.At("timeout"), 0)
	if t := v.At("timeout"); t.Exists() && (o.Timeout < 10*time.Millisecond || o.Timeout > 5*time.Minute) {
		r.fault(t.Fault("it must be from 10 milliseconds to 5 minutes"))
	}
	if u, err := url.Parse(o.URL); err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
		r.warnings = append(r.warnings, v.At("metadataUrl").Key()+" is not https: whoever is between here and there can sign in as anybody")
	}
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

func (r *reader) httpURL(v Value) string {
	text := r.text(v, "")
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		r.fault(v.Fault("'%s' is not an http or https URL", text))
		return ""
	}
	return text
}

// resolvers reads signIn of a provider.
func (r *reader) resolvers(v Value, provider string) (out []SignInResolver) {
	r.only(v, "resolvers")
	for item := range r.items(v.At("resolvers")) {
		known := []string{"resolver", "dangerouslyAllowSignInWithoutUserInCatalog"}
		name := r.required(item.At("resolver"))
		switch {
		case name != "" && !slices.Contains(signin.ResolversOf(provider), name):
			r.fault(item.At("resolver").Fault("Sign-in resolver '%s' is not available; %s has %s", name, provider, enumerate(signin.ResolversOf(provider))))
		case name == signin.ByEmail, name == signin.ByEmailLocalPart:
			known = append(known, "allowedDomains")
		}
		r.only(item, known...)
		resolver := SignInResolver{Name: name, WithoutUser: r.boolean(item.At("dangerouslyAllowSignInWithoutUserInCatalog"), false)}
		if domains := item.At("allowedDomains"); domains.Exists() {
			resolver.AllowedDomains = append([]string{}, r.list(domains)...)
		}
		out = append(out, resolver)
	}
	r.complete(v) // an option that comes to nothing would let in more than was meant
	return out
}

func (r *reader) headerProxy(v Value) *HeaderProxy {
	r.only(v, "trustedProxies", "sharedSecret", "signIn")
	p := &HeaderProxy{Resolvers: r.resolvers(v.At("signIn"), signin.OAuth2Proxy)}
	for _, text := range r.list(v.At("trustedProxies")) {
		prefix, err := netip.ParsePrefix(text)
		if a, err2 := netip.ParseAddr(text); err != nil && err2 == nil {
			prefix, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			r.fault(v.At("trustedProxies").Fault("'%s' is neither an address nor a network, such as 10.0.0.5 or 10.0.0.0/24", text))
			continue
		}
		p.Addresses = append(p.Addresses, prefix.Masked())
	}
	if secret := v.At("sharedSecret"); secret.Exists() {
		r.only(secret, "header", "secret")
		p.SecretHeader, p.Secret = r.text(secret.At("header"), defaultSecretHeader), r.required(secret.At("secret"))
	}
	return p
}
