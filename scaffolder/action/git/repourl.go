package git

import (
	"errors"
	"fmt"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
)

// ParseRepoURL reads the repoUrl of an input, such as
// github.com?owner=acme&repo=shop. What is wrong with it is an InputError.
func ParseRepoURL(repoURL string, hosts filters.Hosts) (filters.RepoURL, error) {
	at, err := filters.ParseRepoURL(repoURL, hosts)
	var invalid *filters.InvalidRepoURLError
	if errors.As(err, &invalid) {
		return filters.RepoURL{}, catalog.NewError(catalog.NameInput, invalid.Reason)
	}
	return at, err
}

// NoUserCredentials is the InputError of an action that got no token of the
// user for a host where scaffolder.requireScmUserCredentials asks for one.
func NoUserCredentials(host string) error {
	return catalog.NewError(catalog.NameInput, fmt.Sprintf(
		"No user credentials provided for host %s, but scaffolder.requireScmUserCredentials is enabled", host))
}
