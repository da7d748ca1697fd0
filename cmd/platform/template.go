package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// templateVerbs are what an author does with templates, without a server.
func templateVerbs() []verb {
	return []verb{templateLintVerb(), templateDryRunVerb(), templateRunVerb(), templateTestVerb()}
}

func templateVerb() verb {
	var names, lines []string
	for _, v := range templateVerbs() {
		names = append(names, v.name)
		lines = append(lines, fmt.Sprintf("  %-8s %s", v.name, v.summary))
	}
	return verb{
		name: "template", arguments: strings.Join(names, "|") + " [flags] PATH...", summary: "lint, run and test software templates without a server",
		details: "What there is:\n\n" + strings.Join(lines, "\n") + "\n\n`platform template VERB --help` says more about each.",
		prepare: func(*flag.FlagSet) action { return runTemplateVerb },
	}
}

func runTemplateVerb(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return &usageError{"template: what to do? `platform help template` lists it"}
	}
	for _, v := range templateVerbs() {
		if v.name != args[0] {
			continue
		}
		v.name = "template " + v.name
		flags := flag.NewFlagSet(v.name, flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		do := v.prepare(flags)
		rest, err := parseMixed(flags, args[1:])
		switch {
		case errors.Is(err, flag.ErrHelp):
			printVerb(stdout, v, flags)
			return nil
		case err != nil:
			return &usageError{fmt.Sprintf("%s: %s; `platform %s --help` says what there is", v.name, err, v.name)}
		}
		return do(ctx, rest, stdout, stderr)
	}
	return &usageError{fmt.Sprintf("template: there is no %q; `platform help template` lists what there is", args[0])}
}
