package runner

import (
	"context"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
)

// announceDryRun says what would run. A step whose action cannot do without
// effects is skipped, with an output made up from its schema.
func (e *execution) announceDryRun(ctx context.Context) (skipped bool, err error) {
	input := any(jsonvalue.NewObject())
	if raw := e.step.Input(); raw != nil {
		v, _, err := e.render(ctx, raw, scope{secrets: starSecrets})
		if err != nil {
			return false, err
		}
		input = toJSON(v)
	}
	e.logger().Info("Running " + e.action.ID() + " in dry-run mode with inputs (secrets redacted): " + indented(input))
	if e.action.DryRun() {
		return false, nil
	}
	output, ok := madeUp(e.action.OutputSchema()).(*jsonvalue.Object)
	if !ok {
		output = jsonvalue.NewObject()
	}
	e.record(e.index, scaffolder.Skipped, 0, nil, scaffolder.LogBody(
		"Skipping because "+e.action.ID()+" does not support dry-run", e.step.ID(), scaffolder.Skipped))
	e.observe(e.step, "skipped", e.started)
	return true, e.publish(e.step.ID(), output)
}

// madeUp returns a value that meets a schema, more or less.
func madeUp(schema *jsonvalue.Object) any {
	if schema == nil {
		return jsonvalue.NewObject()
	}
	if examples, ok := schema.Value("examples").([]any); ok && len(examples) > 0 {
		return examples[0]
	}
	switch schema.Value("type") {
	case "object":
		out := jsonvalue.NewObject()
		for name, property := range schema.Object("properties").All() {
			s, _ := property.(*jsonvalue.Object)
			out.Set(name, madeUp(s))
		}
		return out
	case "array":
		if items := schema.Object("items"); items != nil {
			return []any{madeUp(items)}
		}
		return []any{}
	case "string":
		return "<example>"
	case "number", "integer":
		return 0.0
	case "boolean":
		return false
	}
	return "<unknown>"
}
