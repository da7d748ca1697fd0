package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/cmd/platform/templatefile"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/lint"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/once"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
	"github.com/greenroom-idp/greenroom/scaffolder/templatetest"
)

// taskOptions are the flags of the verbs that run one template.
type taskOptions struct {
	verb                                  string
	configs                               []string
	values, secrets, user, entities, into string
	defaults                              bool
}

func (o *taskOptions) flags(flags *flag.FlagSet) {
	flags.Var((*listFlag)(&o.configs), "config", "configuration `file`, for integrations and scaffolder.*; may be given several times")
	flags.StringVar(&o.values, "values", "", "YAML or JSON `file` with the parameters; - is the standard input")
	flags.StringVar(&o.secrets, "secrets", "", "YAML or JSON `file` with the secrets, an object of texts")
	flags.StringVar(&o.user, "user", "", "`ref` of the user who runs it, as user:default/jane")
	flags.StringVar(&o.entities, "entities", "", "YAML `file` with entities, for catalog:fetch and the user")
	flags.BoolVar(&o.defaults, "defaults", false, "fill in the defaults of the form where there is no value, as the portal does")
	flags.StringVar(&o.into, "output-dir", "", "`folder` to write what is in the workspace at the end to; new or empty")
}

// A taskInput is what one run needs, read and checked.
type taskInput struct {
	template   *templatefile.Template
	parsed     *scaffolder.Template
	submission scaffolder.Submission
	secrets    map[string]string
	catalog    *benchCatalog
	// values are where those of the submission are written, nil for nowhere.
	values *templatefile.Data
}

// readInput reads what the flags name, and checks it as a server does. Faults of
// the template and the values are written to stdout, with errReported.
func (o taskOptions) readInput(args []string, stdout, stderr io.Writer) (in taskInput, err error) {
	if len(args) != 1 {
		return in, &usageError{"template " + o.verb + ": name one template"}
	}
	if in.template, err = oneTemplate(args[0], o.verb, stdout); err != nil {
		return in, err
	}
	values, written, err := readObject("values", o.values)
	if err != nil {
		return in, err
	}
	in.values = written
	secrets, _, err := readObject("secrets", o.secrets)
	if err != nil {
		return in, err
	}
	if in.secrets, err = templatetest.Texts(secrets); err != nil {
		return in, fmt.Errorf("%s: %w", o.secrets, err)
	}
	entities, err := readEntities(o.entities)
	if err != nil {
		return in, err
	}
	if in.catalog, err = newBenchCatalog(entities); err != nil {
		return in, fmt.Errorf("%s: %w", o.entities, err)
	}
	if in.parsed, err = scaffolder.NewTemplate(in.template.Entity()); err != nil {
		return in, fmt.Errorf("%s: %w", in.template.File, err)
	}
	if o.defaults {
		fillDefaults(values, in.parsed.Pages)
	}
	if in.submission, err = in.catalog.submission(values, o.user, in.template, stderr); err != nil {
		return in, err
	}
	return in, in.check(o, stdout)
}

// oneTemplate reads the one template that a path stands for.
func oneTemplate(path, verb string, stdout io.Writer) (*templatefile.Template, error) {
	templates, findings, err := templatefile.Read([]string{path}, os.Stdin)
	if err != nil {
		return nil, readError(verb, err)
	}
	if len(findings) > 0 {
		return nil, errors.Join(lint.NewReport(len(templates), findings).WriteText(stdout), errReported)
	}
	if len(templates) != 1 {
		var names []string
		for _, t := range templates {
			names = append(names, t.File)
		}
		return nil, &usageError{fmt.Sprintf("template %s: %s holds %d templates, name one: %s", verb, path, len(templates), strings.Join(names, ", "))}
	}
	return templates[0], nil
}

// submission returns what is submitted in the name of a user.
func (c *benchCatalog) submission(values *jsonvalue.Object, user string, t *templatefile.Template, stderr io.Writer) (s scaffolder.Submission, err error) {
	s = scaffolder.Submission{Values: values, TemplateRef: t.Entity().Ref().String()}
	if t.Path() != "" {
		s.BaseURL = "file://" + filepath.ToSlash(t.Path())
	}
	if user == "" {
		return s, nil
	}
	ref, err := catalog.ParseEntityRef(user, "user", "")
	if err != nil {
		return s, &usageError{"template: --user: " + err.Error()}
	}
	known := false
	if s.User, known = c.user(ref); !known {
		fmt.Fprintf(stderr, "note: %s is not among the entities, so its entity has nothing but a name\n", ref)
	}
	s.UserRef = ref.String()
	return s, nil
}

// check says what of values and secrets does not fit the template.
func (in taskInput) check(o taskOptions, stdout io.Writer) error {
	var fault *scaffolder.ParameterError
	err := in.parsed.CheckValues(in.submission.Values)
	file := o.values
	if err == nil {
		file, err = o.secrets, in.parsed.CheckSecrets(in.secrets)
	}
	if !errors.As(err, &fault) {
		return err
	}
	what, name := "values", "--values"
	if fault.Secrets {
		what, name = "secrets", "--secrets"
	}
	if file == "" {
		file = "there is no " + name
	}
	for _, f := range fault.Faults {
		at := file
		if in.values != nil && !fault.Secrets {
			at = in.values.Place(f.Names()).String()
		}
		fmt.Fprintf(stdout, "%s: %s\n", at, strings.TrimPrefix(strings.TrimPrefix(f.Stack(), "instance."), "instance "))
	}
	fmt.Fprintf(stdout, "the %s do not fit the parameters of %s; correct them there%s\n", what, in.template.File, in.defaultsHint(o, fault))
	return errReported
}

// defaultsHint tells of --defaults where it would help.
func (in taskInput) defaultsHint(o taskOptions, fault *scaffolder.ParameterError) string {
	if o.defaults || fault.Secrets {
		return ""
	}
	values, _ := jsonvalue.Clone(in.submission.Values).(*jsonvalue.Object)
	fillDefaults(values, in.parsed.Pages)
	if in.parsed.CheckValues(values) != nil {
		return ""
	}
	return ", or use --defaults, which fills in those of the form"
}

// readFlag reads the file that a flag names, nil if it names none.
func readFlag(flag, path string) (*templatefile.Data, error) {
	if path == "" {
		return nil, nil
	}
	d, err := templatefile.ReadData(path, os.Stdin)
	var missing *fs.PathError
	if errors.As(err, &missing) {
		return nil, &usageError{fmt.Sprintf("template: --%s: %s", flag, err)}
	}
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	return d, nil
}

// readObject reads the file of a flag, which holds one object; without the flag
// that is an empty one.
func readObject(flag, path string) (*jsonvalue.Object, *templatefile.Data, error) {
	d, err := readFlag(flag, path)
	if d == nil || err != nil {
		return jsonvalue.NewObject(), nil, err
	}
	o, err := d.Object()
	return o, d, err
}

func readEntities(path string) ([]*jsonvalue.Object, error) {
	d, err := readFlag("entities", path)
	if d == nil || err != nil {
		return nil, err
	}
	return d.Objects()
}

// fillDefaults gives fields without a value the default of the form.
func fillDefaults(values *jsonvalue.Object, pages []*jsonvalue.Object) {
	for _, page := range pages {
		for name, v := range page.Object("properties").All() {
			field, ok := v.(*jsonvalue.Object)
			if !ok {
				continue
			}
			if d, there := field.Get("default"); there && !values.Has(name) {
				values.Set(name, jsonvalue.Clone(d))
			}
			if inner := values.Object(name); inner != nil {
				fillDefaults(inner, []*jsonvalue.Object{field})
			}
		}
	}
}

// A runWay says how a template is run.
type runWay struct {
	dryRun bool
	id     string // "": a new one
	event  func([]byte)
	fault  func(stepID string, f nunjucks.Fault)
	known  func(key string) ([]byte, bool)
}

// A performance is a run that has ended.
type performance struct {
	*once.Result
	spec      scaffolder.Spec
	workspace string // which is gone
}

// perform runs the template. Nothing but what the steps do remains.
func (in taskInput) perform(ctx context.Context, b *bench, way runWay) (p performance, err error) {
	dir, err := os.MkdirTemp(b.settings.Scaffolder.WorkingDirectory, "greenroom-")
	if err != nil {
		return p, fmt.Errorf("a folder for the workspace cannot be made: %w: set TMPDIR to one that can be written", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if way.id == "" {
		way.id = uuid.NewString()
		if way.dryRun {
			way.id = "dry-run-" + way.id
		}
	}
	ctx, release := cancellable(ctx)
	defer release()
	p.spec, p.workspace = scaffolder.NewSpec(in.parsed, in.submission), filepath.Join(dir, way.id)
	p.Result, err = once.Run(ctx, b.runner, once.Task{ID: way.id, Spec: p.spec, Secrets: in.secrets, DryRun: way.dryRun,
		Workspace: p.workspace, Quota: b.settings.Scaffolder.WorkspaceQuota, Event: way.event, Fault: way.fault, Known: way.known})
	return p, err
}

// cancellable makes the end of a context, which a signal brings, one that the
// runner takes for a cancel: the step that runs ends, and no other begins.
func cancellable(ctx context.Context) (_ context.Context, release func()) {
	out, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { cancel(runner.ErrCancelled) })
	return out, func() { stop(); cancel(nil) }
}
