// Package gitlab holds the actions that publish to GitLab: projects with their
// branches and variables, merge requests, groups, issues, pipelines, tokens and
// the rest of the ids that begin with publish:gitlab and gitlab:, and what forms
// offer of GitLab while they are filled in (Complete).
//
// It owns what is asked of GitLab's API for each action, the order of it, and
// what may be done twice. Which hosts there are, what signs requests to them and
// how often they may be asked is plugged in as Hosts; commits that are pushed
// are the business of package git beside it. Types of go-gitlab do not leave
// this package.
//
// A project that an action makes carries the id of its task in its description
// until its content is there. An action that is run again goes on with a project
// that carries it, and touches no other. Tokens that GitLab makes are masked in
// the log of the task; none goes into a URL or an error.
//
// All actions are safe for concurrent use.
package gitlab
