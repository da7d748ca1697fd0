// Package gitlab is the connector of package signin to GitLab, at gitlab.com or
// elsewhere.
//
// GitLab gives refresh tokens, each of which serves once, and says which scopes
// were granted. An e-mail address that is still to be confirmed proves nothing,
// and is left out.
package gitlab
