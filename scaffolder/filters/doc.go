// Package filters holds the filters that the scaffolder adds to the template
// language, for the inputs of steps and for files alike: parseRepoUrl,
// projectSlug, parseEntityRef and pick, and jsonify of the compatible mode.
//
// It owns what they do and how they describe themselves to clients, and the
// form of repository URLs, which actions that publish read too. Which Git
// hosts there are is for the caller to say, by the interface Hosts; nothing is
// read from a network. A filter that cannot answer returns an error, and what
// becomes of that is the business of who renders.
//
// Everything here is a pure function of its arguments and safe for concurrent
// use.
package filters
