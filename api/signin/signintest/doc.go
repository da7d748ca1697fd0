// Package signintest holds doubles of those at whom people have accounts, for
// tests, the walk in the browser and whoever follows the documents: a GitHub, a
// GitLab, and a real provider of OpenID Connect made from a published library.
//
// The doubles are as strict as what they stand for: they check the client, its
// secret and callback, PKCE, and that a code and a refresh token of GitLab serve
// once. They keep everything in memory, and are safe for concurrent use. No
// part of the program imports this package.
package signintest
