// Command accounts runs doubles of those at whom people have accounts, to try
// the ways to sign in: a GitHub, a GitLab and a provider of OpenID Connect, each
// at an address of its own on this machine.
//
// There are two accounts: amina.hassan, who is in the sample catalog, and mallory, who is
// not. The client is "greenroom" with the secret "a-secret-of-the-client". It is for trying and testing alone: whoever reaches it can be anybody.
package main
