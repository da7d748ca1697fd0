package nunjucks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

func Example() {
	env := nunjucks.New(nunjucks.Options{Tags: nunjucks.ScaffolderTags()})
	t, err := env.Compile("README.md", "# ${{ values.name | title }}\n{% for tag in values.tags %}- ${{ tag }}\n{% endfor %}")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := t.Render(context.Background(), map[string]any{
		"values": map[string]any{"name": "payment service", "tags": []any{"go", "grpc"}},
	})
	fmt.Print(text, err)
	// Output:
	// # Payment Service
	// - go
	// - grpc
	// <nil>
}

// A sole interpolation keeps its type; strings that are in error stay as they
// are.
func ExampleEnv_RenderValue() {
	env := nunjucks.New(nunjucks.Options{Tags: nunjucks.ScaffolderTags()})
	input := map[string]any{
		"replicas": "${{ parameters.replicas }}",
		"image":    "registry/${{ parameters.name }}:${{ parameters.tag or 'latest' }}",
		"labels":   "${{ parameters.labels }}",
		"broken":   "${{ parameters.name | shout }}",
	}
	vars := map[string]any{"parameters": map[string]any{"name": "app", "replicas": 3, "labels": []any{"a", "b"}}}
	v, faults, err := env.RenderValue(context.Background(), input, vars)
	if err != nil {
		fmt.Println(err)
		return
	}
	out, _ := json.Marshal(v)
	fmt.Println(string(out))
	for _, f := range faults {
		fmt.Println(f.Path, "-", f.Err)
	}
	// Output:
	// {"broken":"${{ parameters.name | shout }}","image":"registry/app:latest","labels":["a","b"],"replicas":3}
	// broken - broken:1:23: unknown filter "shout"; did you mean sort?
}

// Filters and globals are functions of Values.
func ExampleOptions_filters() {
	env := nunjucks.New(nunjucks.Options{
		Filters: map[string]nunjucks.Func{
			"slugify": func(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
				s, ok := args.At(0).Text()
				if !ok {
					return nunjucks.Value{}, errors.New("slugify needs a string")
				}
				return nunjucks.StringValue(strings.Join(strings.Fields(strings.ToLower(s)), "-")), nil
			},
		},
		Globals: map[string]nunjucks.Value{"company": nunjucks.StringValue("Acme")},
	})
	t, err := env.Compile("", "{{ company }}/{{ name | slugify }}")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Render(context.Background(), map[string]any{"name": "My New App"}))
	// Output: Acme/my-new-app <nil>
}

func ExampleTemplate_Lint() {
	env := nunjucks.New(nunjucks.Options{Tags: nunjucks.ScaffolderTags()})
	t, err := env.Compile("", "${{ values.nmae | lowercase }}\n{% if not values.kind == 'lib' %}x{% endif %}")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, issue := range t.Lint(nunjucks.Shape{"values": {"name": nil, "kind": nil}}) {
		fmt.Println(issue)
	}
	// Output:
	// 1:5: nothing provides values.nmae; did you mean name? (undefined-variable)
	// 1:19: unknown filter "lowercase"; did you mean lower? (unknown-filter)
	// 2:7: not applies to the first operand only, not to the comparison or sum; put what it is meant to negate in parentheses (precedence)
}

// Errors say where in which template they are, and how it might be meant.
func ExampleError() {
	env := nunjucks.New(nunjucks.Options{Loader: nunjucks.MapLoader{"footer": "\n{{ year | yaer }}"}})
	t, err := env.Compile("page", "{% include 'footer' %}")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = t.Render(context.Background(), nil)
	var e *nunjucks.Error
	if errors.As(err, &e) {
		fmt.Println(e.Template, e.Line, e.Column, e.Text)
		fmt.Println(e.Message)
	}
	// Output:
	// footer 2 11 yaer
	// unknown filter "yaer"
}

// An object's members keep JavaScript's order.
func ExampleParseJSON() {
	vars, err := nunjucks.ParseJSON([]byte(`{"ports": {"web": 80, "10": "ten", "2": "two"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	t, err := nunjucks.New(nunjucks.Options{}).Compile("", "{% for k, v in ports %}{{ k }}={{ v }} {% endfor %}")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Render(context.Background(), vars))
	// Output: 2=two 10=ten web=80  <nil>
}

// A loader makes other templates known by name; the options decide which.
func ExampleMapLoader() {
	env := nunjucks.New(nunjucks.Options{Loader: nunjucks.MapLoader{
		"base":  "<title>{% block title %}Home{% endblock %}</title>",
		"forms": `{% macro field(name, type="text") %}<input name="{{ name }}" type="{{ type }}">{% endmacro %}`,
	}})
	t, err := env.Compile("page", `{% extends "base" %}{% from "forms" import field %}`+
		`{% block title %}{{ super() }} {{ field("q", type="search") }}{% endblock %}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Render(context.Background(), nil))
	// Output: <title>Home <input name="q" type="search"></title> <nil>
}

// What a template may use up is bounded.
func ExampleLimits() {
	env := nunjucks.New(nunjucks.Options{Limits: nunjucks.Limits{Loops: 1000}})
	t, err := env.Compile("greedy", "{% for i in range(10) %}{% for j in range(1000) %}x{% endfor %}{% endfor %}")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = t.Render(context.Background(), nil)
	fmt.Println(errors.Is(err, nunjucks.ErrLimit), err)
	// Output: true greedy:1:28: loops run too often; limit loops
}
