package wire

import "github.com/greenroom-idp/greenroom/catalog"

// Names of errors that arise at the edge; package catalog has the others.
const (
	NameAuthentication  = "AuthenticationError"
	NameNotModified     = "NotModifiedError"
	NameNotImplemented  = "NotImplementedError"
	NameSyntax          = "SyntaxError"
	NamePayloadTooLarge = "PayloadTooLargeError"
	NameURI             = "URIError"

	NameUnsupportedMedia = "UnsupportedMediaTypeError"
)

// InputError says what is wrong with the request.
func InputError(message string) *catalog.Error {
	return catalog.NewError(catalog.NameInput, message)
}

// Unauthenticated says what is wrong with the credentials, or that there are
// none.
func Unauthenticated(message string) *catalog.Error {
	return catalog.NewError(NameAuthentication, message)
}

// NotAllowed says what forbids it. A permission that is denied has the empty
// message.
func NotAllowed(message string) *catalog.Error {
	return catalog.NewError(catalog.NameNotAllowed, message)
}

// NotFound says what is not there.
func NotFound(message string) *catalog.Error {
	return catalog.NewError(catalog.NameNotFound, message)
}

// NotImplemented is for routes that exist in name only.
func NotImplemented() *catalog.Error {
	return catalog.NewError(NameNotImplemented, "Not implemented")
}

// MalformedPath is for a path parameter that cannot be decoded.
func MalformedPath() *catalog.Error {
	return catalog.NewError(NameURI, "the path holds a percent sign that encodes no UTF-8")
}
