// Package gitea holds the action publish:gitea, which makes a repository of an
// organisation at Gitea and pushes the workspace to it.
//
// It owns what is asked of Gitea's API, the order of it, and what may be done
// twice. Which hosts there are and what signs requests to them is plugged in as
// Hosts; commits that are pushed are the business of package git beside it.
//
// A repository that the action makes carries the id of its task in its
// description until its content is there. An action that is run again goes on
// with a repository that carries it, and touches no other.
//
// The action is safe for concurrent use.
package gitea
