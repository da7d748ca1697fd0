// Package scaffolder holds the words of software templates: templates, the
// tasks that run them, their states and events, as plain values.
//
// It owns what a template entity means to a run (pages of parameters, steps,
// output), the spec that a task is stored with, and the checking of submitted
// values and secrets. What is done with them lives below: runner takes a task
// through its steps, engine queues, keeps and resumes tasks, once runs one while
// the caller waits, lint and templatetest are for the authors of templates,
// boltstore is the file, action says what a step can call, nunjucks is the
// template language.
//
// Of the catalog it knows entities as plain values, and nothing of how they are
// stored or asked for. It knows nothing of HTTP. Values do not change once
// they are shared between goroutines.
package scaffolder
