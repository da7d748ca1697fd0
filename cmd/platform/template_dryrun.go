package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/greenroom-idp/greenroom/scaffolder/once"
	"github.com/greenroom-idp/greenroom/scaffolder/treediff"
)

func templateDryRunVerb() verb {
	return verb{
		name: "dry-run", arguments: "[flags] PATH", summary: "run a template without effects, and see what it renders",
		details: `
Runs the steps of a template as a dry-run of the server does: actions that cannot
do without effects, such as those that publish, are skipped with a made-up output.
What is in the workspace at the end is listed, written to a folder with
--output-dir, or compared with one by --diff-against.

The exit status is 1 when a step fails or the values do not fit the template.`,
		prepare: func(flags *flag.FlagSet) action {
			o := taskOptions{verb: "dry-run"}
			o.flags(flags)
			var against string
			flags.StringVar(&against, "diff-against", "", "show how the result differs from this `folder`")
			return func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
				return templateDryRun(ctx, o, against, args, stdout, stderr)
			}
		},
	}
}

func templateDryRun(ctx context.Context, o taskOptions, against string, args []string, stdout, stderr io.Writer) error {
	var before []once.File
	if against != "" {
		_, err := os.ReadDir(against)
		if err == nil {
			before, err = treediff.Read(os.DirFS(against))
		}
		if err != nil {
			return &usageError{"template dry-run: --diff-against: " + err.Error()}
		}
	}
	// The diff alone is what goes to a file; the log is beside it.
	log := stdout
	if against != "" {
		log = stderr
	}
	return templateRun(ctx, o, args, true, func(r *once.Result) error {
		switch {
		case against != "":
			for _, c := range treediff.Diff(before, r.Files, "a", "b") {
				fmt.Fprint(stdout, c.Diff)
			}
		case o.into != "":
			fmt.Fprintf(stdout, "%d files are in %s\n", len(r.Files), o.into)
		default:
			listFiles(stdout, r.Files)
		}
		return nil
	}, log, stderr)
}

func listFiles(w io.Writer, files []once.File) {
	fmt.Fprintf(w, "files:\n")
	for _, f := range files {
		mark := ""
		if f.Executable {
			mark = ", executable"
		}
		fmt.Fprintf(w, "  %s (%d bytes%s)\n", f.Path, len(f.Content), mark)
	}
}

// checkOutputDir refuses a folder that has something in it.
func checkOutputDir(dir string) error {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return &usageError{"template: --output-dir: " + err.Error()}
	case len(entries) > 0:
		return &usageError{fmt.Sprintf("template: --output-dir: %s is not empty: name a new folder", dir)}
	}
	return nil
}
