package action

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A Registry is the set of actions that steps can call. It does not change.
type Registry struct {
	byID map[string]Action
	list []Action
}

// NewRegistry returns a registry of these actions. Two of one id, an action
// without an id, and types that make no schema are errors, all reported
// together.
func NewRegistry(actions ...Action) (*Registry, error) {
	r := &Registry{byID: make(map[string]Action, len(actions)), list: slices.Clone(actions)}
	var errs []error
	for _, a := range actions {
		switch _, there := r.byID[a.ID()]; {
		case a.err != nil:
			errs = append(errs, a.err)
		case a.ID() == "" || a.run == nil:
			errs = append(errs, errors.New("an action without an id, or not made by New"))
		case there:
			errs = append(errs, catalog.NewError(catalog.NameConflict,
				fmt.Sprintf("Template action with ID '%s' has already been registered", a.ID())))
		}
		r.byID[a.ID()] = a
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.SortFunc(r.list, func(a, b Action) int { return cmp.Compare(a.ID(), b.ID()) })
	return r, nil
}

// Lookup returns the action of that id, or a NotFoundError.
func (r *Registry) Lookup(id string) (Action, error) {
	a, ok := r.byID[id]
	if !ok {
		return Action{}, catalog.NewError(catalog.NameNotFound, fmt.Sprintf("Template action with ID '%s' is not registered. "+
			"See https://backstage.io/docs/features/software-templates/builtin-actions/ on how to add a new action module.", id))
	}
	return a, nil
}

// Actions returns all actions by id. The caller must not change the slice.
func (r *Registry) Actions() []Action { return r.list }
