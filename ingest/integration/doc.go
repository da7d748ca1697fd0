// Package integration knows the Git hosts that the configuration names, and
// the shapes of their URLs.
//
// It owns reading integrations.* of the configuration, finding the integration
// of a URL by host and port, resolving what a descriptor refers to, and
// rewriting URLs between the forms that show, edit and list a file, and finding
// repository, ref and path in them (Place). It reads nothing from a network;
// credentials are kept for those that do, appear in no error, and are Secrets,
// which print as ***. github.com and gitlab.com are always known.
//
// A Set does not change once made and is safe for concurrent use.
package integration
