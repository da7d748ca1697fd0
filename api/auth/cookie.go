package auth

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/wire"
)

// cookieMargin is how long a cookie must still hold not to be replaced.
const cookieMargin = 5 * time.Minute

// IssueCookie answers GET /.backstage/auth/v1/cookie of a plugin: it turns the
// user token into a cookie with the limited token, and says until when it
// holds. A cookie of the same user that holds a while longer stays.
func (s *Authority) IssueCookie(plugin string) wire.Handler {
	return func(c *gin.Context) (any, error) {
		v, err := s.credential(c.Request, plugin, false)
		if err != nil {
			return nil, err
		}
		if err := v.principal.NeedUser(); err != nil {
			return nil, err
		}
		if old, err := s.verify(c.Request.Context(), cookieToken(c.Request)); err == nil && s.stillGood(old, v) {
			return expiry(old.principal.Expires), nil
		}
		if v.principal.limited == "" {
			return nil, wire.Unauthenticated("the user token has no proof from which a limited token could be made")
		}
		c.Writer.Header().Add("Set-Cookie", s.cookie(v.principal.limited, v.principal.Expires))
		return expiry(v.principal.Expires), nil
	}
}

func (s *Authority) stillGood(old, now *verified) bool {
	return old.principal.Kind == User && old.principal.Subject == now.principal.Subject &&
		old.principal.Expires.Sub(s.now()) > cookieMargin
}

func expiry(t time.Time) any {
	return wire.Obj("expiresAt", t.UTC().Format("2006-01-02T15:04:05.000Z"))
}

// DropCookie answers DELETE /.backstage/auth/v1/cookie of every plugin.
func (s *Authority) DropCookie(c *gin.Context) (any, error) {
	c.Writer.Header().Add("Set-Cookie", s.cookie("", time.Unix(0, 0)))
	return wire.NoContent(), nil
}

// cookie writes the header. Browsers take localhost for secure, and only then
// send a cookie across sites, as between the two ports of a development set-up.
func (s *Authority) cookie(value string, expires time.Time) string {
	c := CookieName + "=" + value + "; Domain=" + s.base.Hostname() + "; Path=/; Expires=" +
		expires.UTC().Format(http.TimeFormat) + "; HttpOnly; Priority=High"
	if s.base.Scheme == "https" || s.base.Hostname() == "localhost" {
		return c + "; Secure; SameSite=None"
	}
	return c + "; SameSite=Lax"
}
