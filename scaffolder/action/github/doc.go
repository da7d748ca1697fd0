// Package github holds the actions that publish to GitHub: repositories with
// their settings, pull requests, webhooks, issues, environments, deploy keys,
// protections and the rest of the ids that begin with publish:github and
// github:, and what forms offer of GitHub while they are filled in (Completer).
//
// It owns what is asked of GitHub's API for each action, the order of it, and
// what may be done twice. Which hosts there are, what signs requests to them and
// how often they may be asked is plugged in as Hosts; commits are the business
// of package git beside it. Types of go-github do not leave this package.
//
// A repository that an action makes carries the id of its task in its
// description until its content is there. An action that is run again goes on
// with a repository that carries it, and touches no other. Secrets are sealed
// before they are sent; tokens go into no log, URL or error.
//
// All actions are safe for concurrent use.
package github
