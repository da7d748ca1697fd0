package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue/yamltext"
	"github.com/greenroom-idp/greenroom/cmd/platform/templatecase"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/once"
)

func templateRunVerb() verb {
	return verb{
		name: "run", arguments: "[flags] PATH", summary: "run a template for real, from this terminal",
		details: `
Runs the steps of a template as a server does, with everything that they do at
Git hosts. What signs in there are the integrations of --config, or tokens that
steps take from --secrets. Skeletons are read from the disk, beside the template.

There is no catalog: catalog:fetch finds what --entities holds, and what is
registered is named at the end.

The exit status is 1 when a step fails or the values do not fit the template.`,
		prepare: func(flags *flag.FlagSet) action {
			o := taskOptions{verb: "run"}
			o.flags(flags)
			return func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
				return templateRun(ctx, o, args, false, nil, stdout, stderr)
			}
		},
	}
}

// templateRun runs a template and shows what becomes of it. Show is given the
// result of a run that succeeded, nil for nothing beside the output.
func templateRun(ctx context.Context, o taskOptions, args []string, dryRun bool, show func(*once.Result) error, stdout, stderr io.Writer) (err error) {
	settings, err := authorSettings(o.configs)
	if err != nil {
		return err
	}
	in, err := o.readInput(args, stdout, stderr)
	if err != nil {
		return err
	}
	if err := checkOutputDir(o.into); err != nil {
		return err
	}
	var notes []string
	note := func(text string) { notes = append(notes, text) }
	in.catalog.note = note
	b, err := newBench(benchOptions{settings: settings, root: in.template.Root(), catalog: in.catalog, notices: benchNotices{note}})
	if err != nil {
		return err
	}
	defer closing(&err, b)
	result, err := in.perform(ctx, b, runWay{dryRun: dryRun, event: newProgress(stdout).event, fault: func(step string, f nunjucks.Fault) {
		note(unrenderedText(step, f))
	}})
	if err != nil {
		return err
	}
	if o.into != "" {
		if err := templatecase.WriteTree(o.into, result.Files); err != nil {
			return err
		}
	}
	for _, text := range notes {
		fmt.Fprintf(stderr, "note: %s\n", text)
	}
	if result.Err != nil {
		return fmt.Errorf("the template failed: %w", result.Err)
	}
	if show != nil {
		if err := show(result.Result); err != nil {
			return err
		}
	}
	return writeOutput(stdout, result.Output)
}

// unrenderedText says which string could not be rendered.
func unrenderedText(step string, f nunjucks.Fault) string {
	if step != "" {
		step = "step " + step + ": "
	}
	return step + f.Path + " could not be rendered and stayed as it is: " + f.Err.Error()
}

// writeOutput writes what the template puts out, if anything.
func writeOutput(w io.Writer, output any) error {
	if o, ok := output.(*jsonvalue.Object); !ok || o.Len() == 0 {
		return nil
	}
	_, err := w.Write(yamltext.Append(nil, jsonvalue.NewObject(jsonvalue.Member{Key: "output", Value: output})))
	return err
}
