package debug

import "github.com/greenroom-idp/greenroom/scaffolder/action"

// Actions returns the actions of this package.
func Actions() []action.Action { return []action.Action{logInput(), wait()} }
