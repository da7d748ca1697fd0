package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/cmd/platform/templatecase"
	"github.com/greenroom-idp/greenroom/cmd/platform/templatefile"
	"github.com/greenroom-idp/greenroom/ingest/forge"
	"github.com/greenroom-idp/greenroom/ingest/recorded"
	"github.com/greenroom-idp/greenroom/scaffolder"
	gitaction "github.com/greenroom-idp/greenroom/scaffolder/action/git"
	"github.com/greenroom-idp/greenroom/scaffolder/lint"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/templatetest"
)

func templateTestVerb() verb {
	return verb{
		name: "test", arguments: "[flags] PATH...", summary: "run the test cases beside templates",
		details: `
A case is a folder tests/<case> beside a template, with

  case.yaml       what goes in: values, secrets, user, entities, dryRun, template,
                  integrations, description
  exchanges.yaml  the calls to Git hosts with their answers; no other is made
  expected.yaml   what comes out: failure, steps, output, log, registered
  expected/       the files in the workspace at the end

Of expected what is not there is not compared. --update writes it anew, --record
makes the calls for real, with the integrations of --config, and writes
exchanges.yaml as well. The exit status is 1 when a case fails, and 2 when there
are none.`,
		prepare: func(flags *flag.FlagSet) action {
			var o caseOptions
			flags.Var((*listFlag)(&o.configs), "config", "configuration `file`, for --record and scaffolder.*; may be given several times")
			flags.StringVar(&o.pick, "run", "*", "`glob` of the cases to run")
			flags.BoolVar(&o.update, "update", false, "write what is expected anew")
			flags.BoolVar(&o.record, "record", false, "make the calls for real and record them; implies --update")
			flags.StringVar(&o.output, "output", "text", "`format` of the report: text, json or junit")
			return func(ctx context.Context, args []string, stdout, _ io.Writer) error {
				return templateTest(ctx, o, args, stdout)
			}
		},
	}
}

type caseOptions struct {
	configs        []string
	pick, output   string
	update, record bool
	settings       *config.Settings
}

func templateTest(ctx context.Context, o caseOptions, paths []string, stdout io.Writer) (err error) {
	write := map[string]func(templatetest.Report, io.Writer) error{"text": templatetest.Report.WriteText,
		"json": templatetest.Report.WriteJSON, "junit": templatetest.Report.WriteJUnit}[o.output]
	_, badPick := path.Match(o.pick, "")
	switch {
	case write == nil:
		return &usageError{fmt.Sprintf("template test: output %q is not one of text, json, junit", o.output)}
	case badPick != nil:
		return &usageError{fmt.Sprintf("template test: --run: %q is no glob", o.pick)}
	case len(paths) == 0:
		return &usageError{"template test: name a template or a folder"}
	case o.record && len(o.configs) == 0:
		return &usageError{"template test: --record needs --config with the integrations to sign in with"}
	}
	if o.settings, err = authorSettings(o.configs); err != nil {
		return err
	}
	templates, findings, err := templatefile.Read(paths, os.Stdin)
	if err != nil {
		return readError("test", err)
	}
	if len(findings) > 0 {
		return errors.Join(lint.NewReport(len(templates), findings).WriteText(stdout), errReported)
	}
	cases, err := templatecase.Find(templates, o.pick)
	if err != nil {
		return err
	}
	if len(cases) == 0 {
		return &usageError{"template test: there are no cases: make a folder tests/<name> beside the template with a case.yaml in it"}
	}
	var report templatetest.Report
	for _, c := range cases {
		v, err := trial{c}.verdict(ctx, o)
		if err != nil {
			return err
		}
		report.Cases = append(report.Cases, v)
	}
	if err := write(report, stdout); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if report.Failed() > 0 {
		return errReported
	}
	return nil
}

// A trial is a case that is run.
type trial struct{ templatecase.Folder }

// verdict runs the case and judges it. The error is that it cannot be run.
func (c trial) verdict(ctx context.Context, o caseOptions) (v templatetest.Verdict, err error) {
	start := time.Now()
	v = templatetest.Verdict{Template: c.Template.File, Case: c.Name}
	want, err := c.Expectation()
	if err != nil {
		return v, err
	}
	got, err := c.run(ctx, o)
	if err != nil {
		return v, fmt.Errorf("%s: %w", c.Path, err)
	}
	v.Took = time.Since(start)
	switch {
	case o.update || o.record:
		want = templatetest.Update(want, got)
		v.Differences = templatetest.Compare(want, got) // calls that are not recorded
		if len(v.Differences) == 0 {
			v.Updated, err = true, c.Write(want, got.Order)
		}
	case !c.Expects():
		v.Differences = append(templatetest.Compare(want, got), "nothing is expected: --update writes down what happens, for you to look at")
	default:
		v.Differences = templatetest.Compare(want, got)
	}
	return v, err
}

// run runs the template with the calls to hosts answered from the exchanges.
func (c trial) run(ctx context.Context, o caseOptions) (got templatetest.Outcome, err error) {
	in := c.Case
	exchanges, err := c.Exchanges()
	if err != nil {
		return got, err
	}
	player := recorded.NewPlayer(exchanges)
	settings := *o.settings
	hosts := network{next: player, sleep: func(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }}
	var recorder *recorded.Recorder
	if o.record {
		recorder = recorded.NewRecorder(forge.NewTransport(), secretsOf(settings.Integrations, in.Secrets))
		hosts = network{next: recorder}
	} else if in.Integrations != nil {
		settings.Integrations = jsonvalue.Plain(in.Integrations)
	} else if len(o.configs) == 0 {
		settings.Integrations = testIntegrations()
	}
	task := taskInput{template: c.Template, secrets: in.Secrets}
	if task.catalog, err = newBenchCatalog(in.Entities); err != nil {
		return got, fmt.Errorf("entities: %w", err)
	}
	if task.parsed, err = scaffolder.NewTemplate(c.Template.Entity()); err != nil {
		return got, fmt.Errorf("%s: %w", c.Template.File, err)
	}
	if task.submission, err = task.catalog.submission(in.Values, in.User, c.Template, io.Discard); err != nil {
		return got, err
	}
	if err := errors.Join(task.parsed.CheckValues(in.Values), task.parsed.CheckSecrets(in.Secrets)); err != nil {
		return templatetest.Outcome{Failure: err.Error(), Steps: map[string]string{}}, nil
	}
	b, err := newBench(benchOptions{settings: &settings, network: hosts, root: c.Template.Root(), catalog: task.catalog, notices: benchNotices{func(string) {}}})
	if err != nil {
		return got, err
	}
	defer closing(&err, b)
	if got, err = task.test(ctx, b, in.DryRun); err != nil {
		return got, err
	}
	got.Unmatched = player.Unmatched()
	for _, e := range player.Unused() {
		got.Unused = append(got.Unused, e.String())
	}
	if recorder != nil {
		got.Unused = nil
		err = c.WriteExchanges(recorder.Exchanges())
	}
	return got, err
}

// testTaskID is the id of the task of every case, and testTime the time of its
// commits, so that what they make is the same every time.
const (
	testTaskID = "00000000-0000-4000-8000-000000000000"
	testTime   = "1767225600" // 2026-01-01
)

// test runs the template as a case does.
func (in taskInput) test(ctx context.Context, b *bench, dryRun bool) (got templatetest.Outcome, err error) {
	var unrendered []string
	p, err := in.perform(ctx, b, runWay{dryRun: dryRun, id: testTaskID, fault: func(step string, f nunjucks.Fault) {
		unrendered = append(unrendered, unrenderedText(step, f))
	}, known: func(key string) ([]byte, bool) {
		return []byte(testTime), strings.Contains(key, "."+gitaction.TimeCheckpoint)
	}})
	if err != nil {
		return got, err
	}
	got = templatetest.NewOutcome(p.spec, p.Result, p.workspace)
	got.Unrendered = unrendered
	got.Registered = in.catalog.registered
	return got, nil
}

// testIntegrations are those of a case that names none.
func testIntegrations() map[string]any {
	return map[string]any{
		"github": []any{map[string]any{"host": "github.com", "token": "token-of-the-test"}},
		"gitlab": []any{map[string]any{"host": "gitlab.com", "token": "token-of-the-test", "apiBaseUrl": "https://gitlab.com/api/v4", "baseUrl": "https://gitlab.com"}},
	}
}

// secretsOf returns every text below keys that hold credentials, and the
// secrets of the case.
func secretsOf(integrations any, secrets map[string]string) (out []string) {
	for _, s := range secrets {
		out = append(out, s)
	}
	var walk func(v any, secret bool)
	walk = func(v any, secret bool) {
		switch v := v.(type) {
		case map[string]any:
			for key, x := range v {
				walk(x, secret || slices.Contains([]string{"token", "password", "privateKey", "clientSecret", "webhookSecret"}, key))
			}
		case []any:
			for _, x := range v {
				walk(x, secret)
			}
		case string:
			if secret {
				out = append(out, v)
			}
		}
	}
	walk(integrations, false)
	return out
}
