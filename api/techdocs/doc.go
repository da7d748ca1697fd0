// Package techdocs is the HTTP side of the documentation: the routes that the
// reader of the portal calls, below /api/techdocs.
//
// It owns their shapes, who may ask, which content types files have, and the
// events by which a client follows a build. Pages are sent as plain text, as
// are vector graphics and XML, so that no file of a site can run as a page of
// the portal's origin. Where sites come from is for a Library to say: package
// builder makes them here, package published serves those that others have
// made.
//
// Everybody may ask who may read the entity; static files are also for
// browsers that have nothing but the cookie. It is safe for concurrent use.
package techdocs
