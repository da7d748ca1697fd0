package signintest

import (
	"net/http"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"golang.org/x/text/language"
)

// Password is the one of all accounts of NewOIDC.
const Password = "verysecure"

// NewOIDC returns a provider of OpenID Connect at an issuer such as
// http://localhost:9000. Its page asks for the login of an account and for
// Password.
func NewOIDC(issuer string, app ClientApp, accounts ...Account) http.Handler {
	clients := map[string]*storage.Client{app.ID: storage.WebClient(app.ID, app.Secret, app.CallbackURL)}
	return exampleop.SetupServer(issuer, storage.NewStorageWithClients(users(accounts), clients), nil, false)
}

// users are the accounts in the form of the library.
type users []Account

func (u users) find(match func(Account) bool) *storage.User {
	for _, a := range u {
		if match(a) {
			return &storage.User{
				ID: a.Login + "-id", Username: a.Login, Password: Password, FirstName: a.Name, Email: a.Email, EmailVerified: !a.Unconfirmed,
				PreferredLanguage: language.English,
			}
		}
	}
	return nil
}

// GetUserByID finds an account by what the provider calls it.
func (u users) GetUserByID(id string) *storage.User {
	return u.find(func(a Account) bool { return a.Login+"-id" == id })
}

// GetUserByUsername finds an account by its login.
func (u users) GetUserByUsername(name string) *storage.User {
	return u.find(func(a Account) bool { return a.Login == name })
}

// ExampleClientID is the one of a service, of which there is none.
func (u users) ExampleClientID() string { return "no-service" }
