package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

// objectValue makes an object of keys and values in turn.
func objectValue(pairs ...any) nunjucks.Value {
	members := make([]nunjucks.Member, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		members = append(members, nunjucks.Member{Key: pairs[i].(string), Value: pairs[i+1].(nunjucks.Value)})
	}
	return nunjucks.ObjectValue(members...)
}

// toJSON is the inverse of nunjucks.ValueOf.
func toJSON(v nunjucks.Value) any {
	return v.Export(func(int) (any, func(string, any)) {
		o := jsonvalue.NewObject()
		return o, func(key string, value any) { o.Set(key, value) }
	})
}

// prepareValues converts what does not change during the run.
func (x *run) prepareValues() error {
	var err error
	if x.parameters, err = nunjucks.ValueOf(x.task.Spec.Parameters()); err != nil {
		return fmt.Errorf("parameters: %w", err)
	}
	if user := x.task.Spec.Object.Object("user"); user.Len() > 0 {
		if x.user, err = nunjucks.ValueOf(user); err != nil {
			return fmt.Errorf("user: %w", err)
		}
	}
	x.context = objectValue("task", objectValue("id", nunjucks.StringValue(x.task.ID)))
	if x.secrets, err = nunjucks.ValueOf(x.task.Secrets); err != nil {
		return fmt.Errorf("secrets: %w", err)
	}
	starred := map[string]string{}
	for name := range x.task.Secrets {
		starred[name] = "***"
	}
	x.starred, err = nunjucks.ValueOf(starred)
	return err
}

// A scope says what an expression sees beside what all see.
type scope struct {
	secrets secretsView
	each    *iteration
	// probe is told whether the expression asked how the task goes; nil where
	// it cannot ask.
	probe *probe
}

// A secretsView is what expressions see of secrets.
type secretsView uint8

const (
	noSecrets    secretsView = iota // the name is not known
	emptySecrets                    // there are none
	starSecrets                     // each is ***
	realSecrets
)

// A probe is told that always() or failure() was called.
type probe struct{ asked bool }

func (x *run) vars(s scope) nunjucks.Value {
	environment := x.environment
	if s.secrets == realSecrets && !x.task.DryRun {
		environment = x.withSecrets
	}
	members := []nunjucks.Member{
		{Key: "parameters", Value: x.parameters},
		{Key: "steps", Value: nunjucks.ObjectValue(x.outputs...)},
		{Key: "user", Value: x.user},
		{Key: "context", Value: x.context},
		{Key: "environment", Value: environment},
	}
	switch s.secrets {
	case emptySecrets:
		members = append(members, nunjucks.Member{Key: "secrets", Value: nunjucks.ObjectValue()})
	case starSecrets:
		members = append(members, nunjucks.Member{Key: "secrets", Value: x.starred})
	case realSecrets:
		members = append(members, nunjucks.Member{Key: "secrets", Value: x.secrets})
	}
	if s.each != nil {
		members = append(members, nunjucks.Member{Key: "each", Value: s.each.variable})
	}
	if p := s.probe; p != nil {
		status := func(answer bool) nunjucks.Func {
			return func(context.Context, nunjucks.Args) (nunjucks.Value, error) {
				p.asked = true
				return nunjucks.BoolValue(answer), nil
			}
		}
		members = append(members,
			nunjucks.Member{Key: "always", Value: nunjucks.FuncValue("always", status(true))},
			nunjucks.Member{Key: "failure", Value: nunjucks.FuncValue("failure", status(x.failure != nil))})
	}
	return nunjucks.ObjectValue(members...)
}

// render renders all strings in a value of the spec; undefined is for no value
// at all. A string that is in error stays as it is, and is one of the faults.
func (x *run) render(ctx context.Context, raw any, s scope) (nunjucks.Value, []nunjucks.Fault, error) {
	return x.env.RenderValue(ctx, raw, x.vars(s))
}

// renderSecretly renders with secrets, and masks from now on every text that
// would be another one without them.
func (x *run) renderSecretly(ctx context.Context, raw any, s scope) (nunjucks.Value, []nunjucks.Fault, error) {
	s.secrets = realSecrets
	with, faults, err := x.render(ctx, raw, s)
	if err != nil || !mentionsSecrets(raw) {
		return with, faults, err
	}
	s.secrets = emptySecrets
	without, _, err := x.render(ctx, raw, s)
	if err != nil {
		return with, faults, err
	}
	x.maskDifferences(toJSON(with), toJSON(without))
	return with, faults, nil
}

// mentionsSecrets tells whether an expression in a value may see a secret.
func mentionsSecrets(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, "secrets") || strings.Contains(v, "environment")
	case []any:
		for _, x := range v {
			if mentionsSecrets(x) {
				return true
			}
		}
	case *jsonvalue.Object:
		for _, x := range v.All() {
			if mentionsSecrets(x) {
				return true
			}
		}
	}
	return false
}

// maskDifferences masks the texts in a that are not the same in b.
func (x *run) maskDifferences(a, b any) {
	switch a := a.(type) {
	case string:
		if a != b {
			x.masker.Add(a)
		}
	case []any:
		other, _ := b.([]any)
		for i, v := range a {
			var w any
			if i < len(other) {
				w = other[i]
			}
			x.maskDifferences(v, w)
		}
	case *jsonvalue.Object:
		other, _ := b.(*jsonvalue.Object)
		for k, v := range a.All() {
			x.maskDifferences(v, other.Value(k))
		}
	}
}

// condition renders an if and tells whether it holds: lists do if they have an
// element, everything else as in JavaScript.
func (x *run) condition(ctx context.Context, raw string, s scope) (bool, []nunjucks.Fault, error) {
	v, faults, err := x.render(ctx, raw, s)
	return holds(v), faults, err
}

func holds(v nunjucks.Value) bool {
	if v.Kind() == nunjucks.KindArray {
		return v.Len() > 0
	}
	return v.Truthy()
}

// runsAfterFailure tells whether a step wants to run although one before it
// failed: its condition must have asked. After a cancel none does.
func (x *run) runsAfterFailure(ctx context.Context, s scaffolder.Step) bool {
	v, _ := s.Condition()
	raw, ok := v.(string)
	if !ok || isCancelled(ctx) {
		return false
	}
	p := &probe{}
	_, _, err := x.condition(ctx, raw, scope{probe: p})
	return err == nil && p.asked
}

// output renders what the task puts out. Of links and texts those are left out
// whose condition does not hold.
func (x *run) output(ctx context.Context) (any, error) {
	v, faults, err := x.render(ctx, x.task.Spec.Value("output"), scope{})
	if err != nil {
		return nil, err
	}
	for _, f := range faults {
		x.tell("", nunjucks.Fault{Path: "output." + f.Path, Err: f.Err})
	}
	out, ok := toJSON(v).(*jsonvalue.Object)
	if !ok {
		return jsonvalue.NewObject(), nil
	}
	raw := x.task.Spec.Object.Object("output")
	for _, key := range []string{"links", "text"} {
		if list, ok := out.Value(key).([]any); ok {
			before, _ := raw.Value(key).([]any)
			out.Set(key, withCondition(list, before))
		}
	}
	return out, nil
}

// withCondition returns the elements whose condition holds, without it. A
// condition that rendered to nothing does not hold.
func withCondition(list, raw []any) []any {
	out := []any{}
	for i, item := range list {
		o, ok := item.(*jsonvalue.Object)
		conditional := o.Has("if")
		if i < len(raw) {
			before, _ := raw[i].(*jsonvalue.Object)
			conditional = conditional || before.Has("if")
		}
		if ok && conditional {
			if !truthyJSON(o.Value("if")) {
				continue
			}
			o.Delete("if")
		}
		out = append(out, item)
	}
	return out
}

func truthyJSON(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0 && !math.IsNaN(v)
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	}
	return true
}

// text is JavaScript's conversion to a string.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return v
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			if x != nil {
				parts[i] = text(x)
			}
		}
		return strings.Join(parts, ",")
	case *jsonvalue.Object:
		return "[object Object]"
	}
	return string(jsonvalue.Append(nil, v))
}

// indented is JSON with two blanks for each level.
func indented(v any) string {
	var out bytes.Buffer
	if err := json.Indent(&out, jsonvalue.Append(nil, v), "", "  "); err != nil {
		return text(v) // cannot be: it was JSON
	}
	return out.String()
}
