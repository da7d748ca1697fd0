// Package cookiecutter understands templates of the tool of that name without
// it, as far as they consist of files: cookiecutter.json with its defaults,
// choices and private variables, one folder whose name is a template, and what
// lies below it.
//
// It owns how the variables are found, which files are only copied, and what
// Jinja offers beyond nunjucks: the methods of Python's strings and a few
// filters. Rendering is for package skeleton. Hooks are programs and never run,
// extensions are Python modules and are not loaded; both are reported, so that
// whoever calls can say so.
//
// Where it differs from the tool: a variable that does not exist prints as
// nothing instead of ending the run, and booleans print as true and false.
//
// What is read is bounded and not trusted. A Template does not change and is
// safe for concurrent use.
package cookiecutter
