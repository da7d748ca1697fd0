package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// A verb is one thing that the program does.
type verb struct {
	name, arguments, summary string
	// details end the usage text of the verb; "" for none.
	details string
	// prepare defines the flags, and returns what runs once they are parsed.
	prepare func(flags *flag.FlagSet) action
}

// An action does what a verb promises, with the arguments behind the flags.
type action func(ctx context.Context, args []string, stdout, stderr io.Writer) error

func verbs() []verb {
	return []verb{serveVerb(), validateVerb(), checkVerb(), providerVerb(), policyVerb(), tokenVerb(), userVerb(), templateVerb(), versionVerb()}
}

// run is the program: args are the command line without its name.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		printUsage(stderr)
		return &usageError{"which verb? See above"}
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		return help(args[1:], stdout)
	case "-v", "-version", "--version":
		args = []string{"version"}
	}
	v, ok := findVerb(args[0])
	if !ok {
		return &usageError{fmt.Sprintf("there is no verb %q; `platform help` lists them", args[0])}
	}
	flags := flag.NewFlagSet(v.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors become ours, usage goes to stdout
	do := v.prepare(flags)
	switch err := flags.Parse(args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		printVerb(stdout, v, flags)
		return nil
	case err != nil:
		return &usageError{fmt.Sprintf("%s: %s; `platform help %s` says what there is", v.name, err, v.name)}
	}
	return do(ctx, flags.Args(), stdout, stderr)
}

func findVerb(name string) (verb, bool) {
	for _, v := range verbs() {
		if v.name == name {
			return v, true
		}
	}
	return verb{}, false
}

func help(args []string, stdout io.Writer) error {
	if len(args) == 0 {
		printUsage(stdout)
		return nil
	}
	v, ok := findVerb(args[0])
	if !ok {
		return &usageError{fmt.Sprintf("there is no verb %q; `platform help` lists them", args[0])}
	}
	flags := flag.NewFlagSet(v.name, flag.ContinueOnError)
	v.prepare(flags)
	printVerb(stdout, v, flags)
	return nil
}

func printUsage(w io.Writer) {
	fmt.Fprint(w, "Greenroom is a software catalog that speaks the Backstage API.\n\nUsage: platform VERB [flags] [arguments]\n\n")
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %-10s %s\n", v.name, v.summary)
	}
	fmt.Fprintf(w, "  %-10s %s\n\n`platform help VERB` says more about a verb.\n", "help", "say what there is")
}

func printVerb(w io.Writer, v verb, flags *flag.FlagSet) {
	fmt.Fprintf(w, "%s\n\nUsage: platform %s %s\n", strings.ToUpper(v.summary[:1])+v.summary[1:]+".", v.name, v.arguments)
	first := true
	flags.VisitAll(func(f *flag.Flag) {
		if first {
			fmt.Fprint(w, "\nFlags:\n")
			first = false
		}
		value, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(w, "  --%-20s %s", strings.TrimSpace(f.Name+" "+value), usage)
		if f.DefValue != "" && f.DefValue != "false" {
			fmt.Fprintf(w, " (default %s)", f.DefValue)
		}
		fmt.Fprintln(w)
	})
	if v.details != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(v.details))
	}
}

// noArguments refuses what stands behind the flags.
func noArguments(args []string) error {
	if len(args) > 0 {
		return &usageError{fmt.Sprintf("unexpected argument %q", args[0])}
	}
	return nil
}

// listFlag is a flag that may be given several times.
type listFlag []string

func (l *listFlag) String() string { return strings.Join(*l, ",") }

// Set adds one value.
func (l *listFlag) Set(value string) error {
	if value == "" {
		return errors.New("a value is missing")
	}
	*l = append(*l, value)
	return nil
}
