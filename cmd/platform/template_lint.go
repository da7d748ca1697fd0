package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/greenroom-idp/greenroom/cmd/platform/templatefile"
	"github.com/greenroom-idp/greenroom/scaffolder/lint"
)

func templateLintVerb() verb {
	return verb{
		name: "lint", arguments: "[flags] PATH...", summary: "find what is wrong with templates before anyone runs them",
		details: `
A PATH is the file of a template, a folder of which every template is checked, or
- for the standard input. Checked are the entity, its parameters, the steps and
the inputs of their actions, every expression, and the skeletons that lie in the
repository of the template.

An error is what fails, stays unrendered or never happens; a warning is what is
probably not meant. The exit status is 1 when there is an error, and 2 when the
command line makes no sense or a folder holds no templates.`,
		prepare: func(flags *flag.FlagSet) action {
			var o lintVerbOptions
			flags.Var((*listFlag)(&o.configs), "config", "configuration `file`, for catalog.kinds; may be given several times")
			flags.Var((*listFlag)(&o.foreign), "action", "`glob` of actions that other plugins bring, as 'acme:**'; may be given several times")
			flags.Var((*listFlag)(&o.filters), "filter", "`name` of a filter that a plugin brings; may be given several times")
			flags.StringVar(&o.output, "output", "text", "`format` of the report: text, json or sarif")
			return func(ctx context.Context, args []string, stdout, _ io.Writer) error {
				return templateLint(ctx, o, args, stdout)
			}
		},
	}
}

type lintVerbOptions struct {
	configs, foreign, filters []string
	output                    string
}

func templateLint(ctx context.Context, o lintVerbOptions, paths []string, stdout io.Writer) (err error) {
	write, err := lintWriter(o.output)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return &usageError{"template lint: name a template, a folder, or - for the standard input"}
	}
	settings, err := authorSettings(o.configs)
	if err != nil {
		return err
	}
	b, err := newBench(benchOptions{settings: settings})
	if err != nil {
		return err
	}
	defer closing(&err, b)
	linter, err := b.linter(o.foreign, o.filters)
	if err != nil {
		return &usageError{"template lint: " + err.Error()}
	}
	templates, findings, err := templatefile.Read(paths, os.Stdin)
	if err != nil {
		return readError("lint", err)
	}
	for _, t := range templates {
		found, err := linter.Template(ctx, t.Document)
		if err != nil {
			return fmt.Errorf("%s: %w", t.File, err)
		}
		findings = append(findings, found...)
	}
	report := lint.NewReport(len(templates), findings)
	if err := write(report, stdout); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if report.Summary.Errors > 0 {
		return errReported
	}
	return nil
}

func lintWriter(format string) (func(lint.Report, io.Writer) error, error) {
	switch format {
	case "text":
		return lint.Report.WriteText, nil
	case "json":
		return lint.Report.WriteJSON, nil
	case "sarif":
		return func(r lint.Report, w io.Writer) error { return r.WriteSARIF(w, versionText()) }, nil
	}
	return nil, &usageError{fmt.Sprintf("template lint: output %q is not one of text, json, sarif", format)}
}

// readError is that of paths that name nothing to work with: the command line is
// to blame.
func readError(verb string, err error) error {
	var none *templatefile.NoTemplatesError
	if errors.As(err, &none) || errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return &usageError{"template " + verb + ": " + err.Error()}
	}
	return err
}
