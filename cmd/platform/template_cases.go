package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue/yamltext"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/cmd/platform/templatefile"
	"github.com/greenroom-idp/greenroom/ingest/forge"
	"github.com/greenroom-idp/greenroom/ingest/recorded"
	"github.com/greenroom-idp/greenroom/scaffolder"
	gitaction "github.com/greenroom-idp/greenroom/scaffolder/action/git"
	"github.com/greenroom-idp/greenroom/scaffolder/lint"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/templatetest"
	"github.com/greenroom-idp/greenroom/scaffolder/treediff"
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
	cases, err := findCases(templates, o.pick)
	if err != nil {
		return err
	}
	if len(cases) == 0 {
		return &usageError{"template test: there are no cases: make a folder tests/<name> beside the template with a case.yaml in it"}
	}
	var report templatetest.Report
	for _, c := range cases {
		v, err := c.verdict(ctx, o)
		if err != nil {
			return fmt.Errorf("%s: %w", c.folder, err)
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

// A caseFolder is one case of a template.
type caseFolder struct {
	template *templatefile.Template
	folder   string
	name     string
}

// The files of a case.
const (
	caseFile      = "case.yaml"
	exchangesFile = "exchanges.yaml"
	expectedFile  = "expected.yaml"
	expectedTree  = "expected"
)

// findCases returns the cases of templates whose names match a glob.
func findCases(templates []*templatefile.Template, pick string) (out []caseFolder, err error) {
	beside := map[string][]*templatefile.Template{}
	var folders []string
	for _, t := range templates {
		dir := filepath.Dir(t.File)
		if beside[dir] == nil {
			folders = append(folders, dir)
		}
		beside[dir] = append(beside[dir], t)
	}
	for _, dir := range folders {
		found, err := filepath.Glob(filepath.Join(escapeGlob(dir), "tests", "*", caseFile))
		if err != nil {
			return nil, err
		}
		for _, file := range found {
			c := caseFolder{folder: filepath.Dir(file)}
			c.name = filepath.Base(c.folder)
			if ok, _ := path.Match(pick, c.name); !ok {
				continue
			}
			if c.template, err = templateOf(file, beside[dir]); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if c.template != nil {
				out = append(out, c)
			}
		}
	}
	return out, nil
}

func escapeGlob(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(s)
}

// templateOf returns the template that a case is about, nil if it is none of
// these.
func templateOf(file string, all []*templatefile.Template) (*templatefile.Template, error) {
	o, err := readObject("case", file)
	if err != nil {
		return nil, err
	}
	c, err := templatetest.ParseCase(o)
	if err != nil {
		return nil, err
	}
	name := c.Template
	if name == "" { // the one that is called so, where there is one
		for _, usual := range []string{"template.yaml", "template.yml"} {
			if _, err := os.Stat(filepath.Join(filepath.Dir(all[0].File), usual)); err == nil {
				name = usual
				break
			}
		}
	}
	for _, t := range all {
		if name == filepath.Base(t.File) || name == "" && len(all) == 1 {
			return t, nil
		}
	}
	return nil, nil
}

// verdict runs the case and judges it. The error is that it cannot be run.
func (c caseFolder) verdict(ctx context.Context, o caseOptions) (v templatetest.Verdict, err error) {
	start := time.Now()
	v = templatetest.Verdict{Template: c.template.File, Case: c.name}
	raw, err := readObject("case", filepath.Join(c.folder, caseFile))
	if err != nil {
		return v, err
	}
	in, err := templatetest.ParseCase(raw)
	if err != nil {
		return v, fmt.Errorf("%s: %w", caseFile, err)
	}
	want, err := c.expectation()
	if err != nil {
		return v, err
	}
	got, err := c.run(ctx, in, o)
	if err != nil {
		return v, err
	}
	v.Took = time.Since(start)
	switch {
	case o.update || o.record:
		want = templatetest.Update(want, got)
		v.Differences = templatetest.Compare(want, got) // calls that are not recorded
		if len(v.Differences) == 0 {
			v.Updated, err = true, c.write(want, got)
		}
	case !c.has(expectedFile) && !c.has(expectedTree):
		v.Differences = append(templatetest.Compare(want, got), "nothing is expected: --update writes down what happens, for you to look at")
	default:
		v.Differences = templatetest.Compare(want, got)
	}
	return v, err
}

func (c caseFolder) has(name string) bool {
	_, err := os.Stat(filepath.Join(c.folder, name))
	return err == nil
}

// expectation reads what is expected, which may be nothing.
func (c caseFolder) expectation() (e templatetest.Expectation, err error) {
	if c.has(expectedFile) {
		o, err := readObject("expected", filepath.Join(c.folder, expectedFile))
		if err != nil {
			return e, err
		}
		if e, err = templatetest.ParseExpectation(o); err != nil {
			return e, fmt.Errorf("%s: %w", expectedFile, err)
		}
	}
	files, err := treediff.Read(os.DirFS(filepath.Join(c.folder, expectedTree)))
	if errors.Is(err, fs.ErrNotExist) {
		return e, nil
	}
	e.Files = files
	return e, err
}

// run runs the template with the calls to hosts answered from the exchanges.
func (c caseFolder) run(ctx context.Context, in templatetest.Case, o caseOptions) (got templatetest.Outcome, err error) {
	exchanges, err := c.exchanges()
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
	task := taskInput{template: c.template, secrets: in.Secrets}
	if task.catalog, err = newBenchCatalog(in.Entities); err != nil {
		return got, fmt.Errorf("%s: entities: %w", caseFile, err)
	}
	if task.parsed, err = scaffolder.NewTemplate(c.template.Entity()); err != nil {
		return got, fmt.Errorf("%s: %w", c.template.File, err)
	}
	if task.submission, err = task.catalog.submission(in.Values, in.User, c.template, io.Discard); err != nil {
		return got, err
	}
	if err := errors.Join(task.parsed.CheckValues(in.Values), task.parsed.CheckSecrets(in.Secrets)); err != nil {
		return templatetest.Outcome{Failure: err.Error(), Steps: map[string]string{}}, nil
	}
	b, err := newBench(benchOptions{settings: &settings, network: hosts, root: c.template.Root(), catalog: task.catalog, notices: benchNotices{func(string) {}}})
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
		err = c.writeExchanges(recorder.Exchanges())
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

func (c caseFolder) exchanges() ([]recorded.Exchange, error) {
	file := filepath.Join(c.folder, exchangesFile)
	if !c.has(exchangesFile) {
		return nil, nil
	}
	docs, err := readDocuments("exchanges", file)
	if err != nil {
		return nil, err
	}
	list, err := recorded.Parse(docs[0])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", exchangesFile, err)
	}
	return list, nil
}

func (c caseFolder) writeExchanges(list []recorded.Exchange) error {
	values := []any{}
	for _, e := range list {
		values = append(values, e.Object())
	}
	return os.WriteFile(filepath.Join(c.folder, exchangesFile), yamltext.Append(nil, values), 0o644)
}

// write writes what is expected anew.
func (c caseFolder) write(e templatetest.Expectation, got templatetest.Outcome) error {
	if err := os.WriteFile(filepath.Join(c.folder, expectedFile), yamltext.Append(nil, e.Object(got.Order)), 0o644); err != nil {
		return err
	}
	tree := filepath.Join(c.folder, expectedTree)
	if err := os.RemoveAll(tree); err != nil {
		return err
	}
	if len(e.Files) == 0 {
		return nil
	}
	return writeTree(tree, e.Files)
}
