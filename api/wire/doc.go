// Package wire is what the handlers of all plugins agree on with the edge that
// runs them: the forms of an answer, the names of errors that only exist on
// the wire, how a JSON body and a path parameter are read.
//
// It owns no route and knows no plugin. The values it hands out belong to one
// request and are not shared between goroutines.
package wire
