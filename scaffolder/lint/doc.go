// Package lint finds what is wrong with a software template before anyone runs
// it.
//
// It owns the kinds of findings, each with a code that does not change, what
// they say and what to do about them: faults of the entity, of the pages of
// parameters, of steps and the inputs of their actions, of expressions and what
// they refer to, and of the skeletons that lie beside the template. It knows
// what the runner does with each of these, and reports what would fail, stay as
// raw text, be empty, or never run. The words of a template come parsed, with
// Places that say where each of them is written: reading files is the business
// of the caller, but for skeletons, which are read through an fs.FS.
//
// What only a run can tell is not judged: the value of an expression, what a
// placeholder stands for that could not be read, an action that another
// installation may have. A finding of level error is something that fails or
// does nothing in every run that gets there.
//
// A Linter does not change and is safe for concurrent use. Skeletons are read
// within the limits of package skeleton.
package lint
