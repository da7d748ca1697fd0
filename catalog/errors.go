package catalog

import (
	"errors"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// Names of errors, as Backstage clients match them.
const (
	NameError       = "Error"
	NameTypeError   = "TypeError"
	NameInput       = "InputError"
	NameNotAllowed  = "NotAllowedError"
	NameNotFound    = "NotFoundError"
	NameConflict    = "ConflictError"
	NameUnavailable = "ServiceUnavailableError"
)

// Conditions for errors.Is.
var (
	// ErrInput: what was asked cannot be done as it stands, for whoever asks.
	ErrInput = &Error{Name: NameInput}
	// ErrNotAllowed: it is forbidden by a rule or a setting.
	ErrNotAllowed = &Error{Name: NameNotAllowed}
	// ErrNotFound: the entity, location or file does not exist.
	ErrNotFound = &Error{Name: NameNotFound}
	// ErrConflict: something of that name is there already.
	ErrConflict = &Error{Name: NameConflict}
	// ErrUnavailable: not now, as during start and shutdown.
	ErrUnavailable = &Error{Name: NameUnavailable}
)

// An Error is an error in the form that Backstage clients read: a name, a
// message, and sometimes what caused it. It matches the condition of the same
// name with errors.Is.
type Error struct {
	Name    string
	Message string
	Cause   error
}

// NewError returns an error of that name.
func NewError(name, message string) *Error { return &Error{Name: name, Message: message} }

// WrapError returns an error of that name whose message says what caused it.
func WrapError(name, message string, cause error) *Error {
	return &Error{Name: name, Message: message + "; caused by " + Describe(cause), Cause: cause}
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is tells whether target is the condition of this error's name.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Message == "" && t.Name == e.Name
}

// ErrorName returns the name of err: its own, or that of the first *Error it
// wraps, or "Error".
func ErrorName(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Name
	}
	return NameError
}

// Describe returns "<name>: <message>", as in status items and logs.
func Describe(err error) string { return ErrorName(err) + ": " + err.Error() }

// ErrorObject returns err as an object with name, message and, where there is
// one, cause.
func ErrorObject(err error) *jsonvalue.Object {
	o := jsonvalue.NewObject(
		jsonvalue.Member{Key: "name", Value: ErrorName(err)},
		jsonvalue.Member{Key: "message", Value: err.Error()},
	)
	var e *Error
	if errors.As(err, &e) && e.Cause != nil {
		o.Set("cause", ErrorObject(e.Cause))
	}
	return o
}

// ErrorFromObject is the inverse of ErrorObject.
func ErrorFromObject(o *jsonvalue.Object) *Error {
	e := &Error{Name: o.String("name"), Message: o.String("message")}
	if cause := o.Object("cause"); cause != nil {
		e.Cause = ErrorFromObject(cause)
	}
	return e
}
