// Package account gives those who write at Gitea and Bitbucket Cloud what they
// need for that: where the API is, a client that signs requests, and what to
// push with.
//
// It owns which credentials of an integration are sent in which form, that they
// are sent to the API of the host they are for and nowhere else, and that
// requests keep to the budget of the host and are sent again where that does no
// harm. What is asked is the business of the actions; reading from these hosts
// is that of package git beside it.
//
// Accounts are safe for concurrent use.
package account
