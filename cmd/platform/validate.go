package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/cmd/platform/offline"
)

func validateVerb() verb {
	return verb{
		name: "validate", arguments: "[flags] PATH...", summary: "check descriptor files without a network",
		details: `
A PATH is a file, or a folder of which every .yaml and .yml file is checked.
Files that a Location among them names by a relative path are checked too. What
stands at an absolute URL is not read, and taken to be fine.

With --config, the configuration says which kinds are allowed (catalog.rules,
those without locations), and which kinds there are (catalog.kinds).

The exit status is 1 when a file is not valid.`,
		prepare: func(flags *flag.FlagSet) action {
			var o validateOptions
			flags.Var((*listFlag)(&o.configs), "config", "configuration `file`; may be given several times")
			flags.Var((*listFlag)(&o.skip), "skip", "`glob` of paths below a folder to leave out, as '**/skeleton/**'; may be given several times")
			flags.StringVar(&o.output, "output", "text", "`format` of the report, json or text")
			return func(ctx context.Context, args []string, stdout, _ io.Writer) error {
				return validate(ctx, o, args, stdout)
			}
		},
	}
}

type validateOptions struct {
	configs, skip []string
	output        string
}

func validate(ctx context.Context, o validateOptions, paths []string, stdout io.Writer) error {
	write, err := reportWriter(o.output)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return &usageError{"validate: name at least one file or folder"}
	}
	settings := &config.Settings{}
	if len(o.configs) > 0 {
		if _, settings, err = loadConfig(o.configs); err != nil {
			return err
		}
	}
	checker, err := newChecker(settings, len(o.configs) > 0, o.skip)
	if err != nil {
		return err
	}
	report, err := checker.Check(ctx, paths)
	if err != nil {
		return err
	}
	if err := write(stdout, report); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if report.Summary.Invalid > 0 {
		return errReported
	}
	return nil
}

func reportWriter(format string) (func(io.Writer, *offline.Report) error, error) {
	switch format {
	case "json":
		return writeJSON, nil
	case "text":
		return writeText, nil
	}
	return nil, &usageError{fmt.Sprintf("validate: output %q is not one of json, text", format)}
}

func writeJSON(w io.Writer, r *offline.Report) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// writeText writes a line for each fault, as compilers do, and a summary.
func writeText(w io.Writer, r *offline.Report) error {
	b := bufio.NewWriter(w)
	for _, f := range r.Files {
		for _, e := range f.Errors {
			fmt.Fprintf(b, "%s:%d: ", f.Path, e.Line)
			if e.Ref != "" {
				fmt.Fprintf(b, "%s: ", e.Ref)
			}
			fmt.Fprintf(b, "%s: %s\n", e.Name, e.Message)
		}
		for _, note := range f.Notes {
			fmt.Fprintf(b, "%s: note: %s\n", f.Path, note)
		}
	}
	s := r.Summary
	fmt.Fprintf(b, "%d files with %d valid entities: %d files are valid, %d are not, %d errors\n",
		s.Files, s.Entities, s.Files-s.Invalid, s.Invalid, s.Errors)
	return b.Flush()
}
