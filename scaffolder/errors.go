package scaffolder

import (
	"fmt"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/jsonschema"
)

// NameInterrupted is the name of the error of a task whose step may not run
// twice and was running when the program ended.
const NameInterrupted = "InterruptedError"

// A ParameterError says which values or secrets do not fit the template.
type ParameterError struct {
	// Faults are what does not fit, at least one, in the order in which they
	// were found. Those of secrets hold no values.
	Faults []jsonschema.Fault
	// Secrets: the faults are about secrets.
	Secrets bool
}

func (e *ParameterError) Error() string {
	what := "value"
	if e.Secrets {
		what = "secret"
	}
	return fmt.Sprintf("%d %s(s) do not fit the template: %s", len(e.Faults), what, e.Faults[0].Stack())
}

// NoTask is the error for an id that no task has.
func NoTask(id string) *catalog.Error {
	return catalog.NewError(catalog.NameNotFound, fmt.Sprintf("No task with id '%s' found", id))
}
