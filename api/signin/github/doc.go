// Package github is the connector of package signin to GitHub and to GitHub
// Enterprise Server.
//
// OAuth apps give tokens that do not expire and no refresh tokens; then the
// access token takes the place of one, marked as such, and a refresh reads the
// profile again, which fails once the person has revoked it. GitHub apps with
// expiring tokens refresh as usual.
package github
