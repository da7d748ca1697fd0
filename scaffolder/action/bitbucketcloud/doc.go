// Package bitbucketcloud holds the actions that publish to Bitbucket Cloud:
// repositories, pull requests, runs of pipelines and branch restrictions, and
// what forms offer of Bitbucket while they are filled in (Complete).
//
// It owns what is asked of Bitbucket's API for each action, the order of it, and
// what may be done twice. Which hosts there are and what signs requests to them
// is plugged in as Hosts; commits that are pushed are the business of package
// git beside it.
//
// A repository that an action makes carries the id of its task in its
// description until its content is there. An action that is run again goes on
// with a repository that carries it, and touches no other. Credentials go into no
// URL, output or error.
//
// All actions are safe for concurrent use.
package bitbucketcloud
