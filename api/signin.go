package api

import "github.com/greenroom-idp/greenroom/api/signin"

// signInRoutes are those of the providers that are configured.
func (s *Server) signInRoutes(auth group) {
	for _, name := range s.signIn.Providers() {
		auth.get("/"+name+"/start", s.signIn.Start(name))
		auth.get("/"+name+"/handler/frame", s.signIn.Callback(name))
		auth.post("/"+name+"/handler/frame", s.signIn.Callback(name))
		auth.get("/"+name+"/refresh", s.signIn.Refresh(name))
		auth.post("/"+name+"/refresh", s.signIn.Refresh(name))
		auth.post("/"+name+"/logout", s.signIn.Logout(name))
	}
	if s.signIn.HasProxy() {
		const name = "/" + signin.OAuth2Proxy
		auth.get(name+"/start", s.signIn.ProxyRedirect)
		auth.get(name+"/handler/frame", s.signIn.ProxyRedirect)
		auth.post(name+"/handler/frame", s.signIn.ProxyRedirect)
		auth.get(name+"/refresh", s.signIn.ProxyRefresh)
		auth.post(name+"/refresh", s.signIn.ProxyRefresh)
	}
}
