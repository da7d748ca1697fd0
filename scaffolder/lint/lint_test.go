package lint_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/cmd/platform/templatefile"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action/debug"
	"github.com/greenroom-idp/greenroom/scaffolder/action/fetch"
	fsaction "github.com/greenroom-idp/greenroom/scaffolder/action/fs"
	"github.com/greenroom-idp/greenroom/scaffolder/action/github"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
	"github.com/greenroom-idp/greenroom/scaffolder/lint"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
	"github.com/greenroom-idp/greenroom/schemas"
)

type noHosts struct{}

func (noHosts) HostKind(string) (string, bool) { return "", false }

func linter(t testing.TB, foreign, foreignFilters []string) *lint.Linter {
	t.Helper()
	added := filters.Funcs(filters.Backstage(noHosts{}))
	engine := skeleton.NewEngine(skeleton.EngineOptions{Filters: added, Compatible: filters.Compatible()})
	var all []action.Action
	for _, list := range [][]action.Action{debug.Actions(), fsaction.Actions(), catalog.Actions(catalog.Options{}),
		fetch.Actions(fetch.Options{Engine: engine}), github.Actions(github.Options{})} {
		all = append(all, list...)
	}
	registry, err := action.NewRegistry(all...)
	require.NoError(t, err)
	kinds, err := schemas.New(schemas.Options{})
	require.NoError(t, err)
	l, err := lint.New(lint.Options{Actions: registry, Kinds: kinds, Filters: added, Skeletons: engine, Foreign: foreign, ForeignFilters: foreignFilters})
	require.NoError(t, err)
	return l
}

// write puts files into a folder.
func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
}

// run lints files, of which template.yaml is the template.
func run(t testing.TB, l *lint.Linter, files map[string]string) []lint.Finding {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files)
	templates, findings, err := templatefile.Read([]string{filepath.Join(dir, "template.yaml")}, nil)
	require.NoError(t, err)
	for _, tmpl := range templates {
		found, err := l.Template(t.Context(), tmpl.Document)
		require.NoError(t, err)
		findings = append(findings, found...)
	}
	for i := range findings {
		rel, err := filepath.Rel(dir, findings[i].File)
		require.NoError(t, err)
		findings[i].File = filepath.ToSlash(rel)
	}
	return lint.Sort(findings)
}

const head = "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: t}\nspec:\n  type: service\n"

// withSteps returns a template whose steps begin in line 9.
func withSteps(lines ...string) map[string]string {
	return map[string]string{"template.yaml": head + "  parameters:\n    properties: {name: {type: string}, my-name: {}, repo: {ui:options: {requestUserCredentials: {secretsKey: TOKEN}}}}\n  steps:\n    " + strings.Join(lines, "\n    ") + "\n"}
}

func with(files map[string]string, more ...string) map[string]string {
	files = maps.Clone(files)
	for i := 0; i < len(more); i += 2 {
		files[more[i]] = more[i+1]
	}
	return files
}

// fetchStep renders a skeleton with one value.
const fetchStep = "- {id: f, action: 'fetch:template', input: {url: ./s, values: {name: x}}}"

// Every kind of finding, with its place and what it says.
var cases = []struct {
	name  string
	code  lint.Code
	level lint.Level
	files map[string]string
	place string
	says  []string // parts of the message and the hint
}{
	{"wrong indentation", lint.CodeYAML, lint.Error, map[string]string{"template.yaml": head + "  steps:\n    - id: a\n     action: b\n"}, "template.yaml:8:1", []string{"indentation"}},
	{"an empty file", lint.CodeEmpty, lint.Error, map[string]string{"template.yaml": ""}, "template.yaml:1:1", []string{"the file is empty", "kind: Template"}},
	{"no template", lint.CodeEmpty, lint.Error, map[string]string{"template.yaml": "a: b"}, "template.yaml:1:1", []string{"holds no template"}},
	{"a placeholder for nothing", lint.CodePlaceholder, lint.Error, map[string]string{"template.yaml": head + "  steps:\n    - $yaml: ./no.yaml\n"}, "template.yaml:7:14", []string{"no.yaml", "relative to"}},
	{"an old version", lint.CodeAPIVersion, lint.Error, map[string]string{"template.yaml": strings.Replace(head, "v1beta3", "v1beta2", 1)}, "template.yaml:1:13", []string{"v1beta2", "v1beta3"}},
	{"another kind", lint.CodeAPIVersion, lint.Error, map[string]string{"template.yaml": strings.Replace(head, "kind: Template", "kind: Tempalte", 1)}, "template.yaml:2:7", []string{"Tempalte", "kind: Template"}},
	{"no steps", lint.CodeSchema, lint.Error, map[string]string{"template.yaml": head}, "template.yaml:5:3", []string{"spec must have required property 'steps'", "indentation"}},
	{"a misspelt key", lint.CodeUnknownKey, lint.Warning, withSteps("- {acton: x, action: 'debug:log', inputs: {message: a}}"), "template.yaml:9:39", []string{"the key inputs", "did you mean input?"}},
	{"a misspelt key of the spec", lint.CodeUnknownKey, lint.Warning, map[string]string{"template.yaml": head + "  steps: []\n  outputs: {}\n"}, "template.yaml:7:3", []string{"did you mean output?"}},
	{"a name with blanks", lint.CodeName, lint.Error, map[string]string{"template.yaml": strings.Replace(head, "{name: t}", "{name: my template}", 1) + "  steps: []\n"}, "template.yaml:3:18", []string{"my template"}},

	{"a page that is no schema", lint.CodeParameterSchema, lint.Error, map[string]string{"template.yaml": head + "  steps: []\n  parameters:\n    - enum: x\n"}, "template.yaml:8:7", []string{"JSON Schema", "no task can be created"}},
	{"a default outside of its enum", lint.CodeParameterDefault, lint.Warning, map[string]string{"template.yaml": head + "  steps: []\n  parameters:\n    properties:\n      a: {enum: [x], default: y}\n"}, "template.yaml:9:31", []string{"default of a"}},
	{"required and not there", lint.CodeRequired, lint.Error, map[string]string{"template.yaml": head + "  steps: []\n  parameters:\n    required: [nam]\n    properties:\n      name: {}\n"}, "template.yaml:8:16", []string{"nam is required", "did you mean name?"}},

	{"a misspelt action", lint.CodeUnknownAction, lint.Error, withSteps("- {id: a, action: 'fetch:templat', input: {}}"), "template.yaml:9:23", []string{"fetch:templat", "did you mean fetch:template?"}},
	{"actions of a plugin", lint.CodeUnknownAction, lint.Warning, withSteps("- {action: 'acme:b'}", "- {action: 'acme:a'}", "- {action: 'acme:b'}"), "template.yaml:9:16", []string{"acme:a and no acme:b", "(3 times)", "--action 'acme:**'"}},
	{"an action of a module", lint.CodeUnknownAction, lint.Warning, withSteps("- {action: 'publish:gerrit'}"), "template.yaml:9:16", []string{"module of Backstage"}},
	{"two steps of one id", lint.CodeDuplicateStep, lint.Warning, withSteps("- {id: a, action: 'debug:log'}", "- {id: a, action: 'debug:log'}"), "template.yaml:10:12", []string{"step a"}},
	{"a step that is switched off", lint.CodeUnreachableStep, lint.Warning, withSteps("- {if: false, action: 'debug:log'}"), "template.yaml:9:12", []string{"never runs"}},
	{"a condition that never holds", lint.CodeUnreachableStep, lint.Warning, withSteps("- {if: '${{ false }}', action: 'debug:log'}"), "template.yaml:9:12", []string{"never runs"}},
	{"an empty list", lint.CodeUnreachableStep, lint.Warning, withSteps("- {each: [], action: 'debug:log'}"), "template.yaml:9:14", []string{"does nothing"}},
	{"the text false", lint.CodeCondition, lint.Error, withSteps("- {if: 'false', action: 'debug:log'}"), "template.yaml:9:12", []string{"always runs", "without quotes"}},
	{"a condition without braces", lint.CodeCondition, lint.Error, withSteps("- {if: parameters.name, action: 'debug:log'}"), "template.yaml:9:12", []string{"${{ parameters.name }}"}},
	{"two expressions", lint.CodeCondition, lint.Error, withSteps("- {if: '${{ parameters.name }} && ${{ parameters.repo }}', action: 'debug:log'}"), "template.yaml:9:12", []string{"${{ a and b }}"}},
	{"blanks around a condition", lint.CodeCondition, lint.Error, withSteps("- if: |", "    ${{ parameters.name }}", "  action: debug:log"), "template.yaml:9:11", []string{">-"}},
	{"an input that is missing", lint.CodeMissingInput, lint.Error, withSteps("- action: fetch:plain", "  input: {ulr: x}"), "template.yaml:10:14", []string{"needs the input url"}},
	{"an input that is not known", lint.CodeUnknownInput, lint.Error, withSteps("- action: fetch:plain", "  input: {url: https://x/y, targetPaht: z}"), "template.yaml:10:33", []string{"targetPaht", "did you mean targetPath?"}},
	{"an input inside", lint.CodeUnknownInput, lint.Error, withSteps("- {action: 'fs:rename', input: {files: [{from: a, to: b, over: true}]}}"), "template.yaml:9:62", []string{"files.0 of fs:rename has no input over"}},
	{"an input of earlier releases", lint.CodeRetiredInput, lint.Note, withSteps("- {action: 'publish:github', input: {repoUrl: x, allowedHosts: []}}"), "template.yaml:9:54", []string{"allowedHosts"}},
	{"an input of another type", lint.CodeInputValue, lint.Error, withSteps("- {action: 'fs:delete', input: {files: a}}"), "template.yaml:9:44", []string{"files of fs:delete", "array"}},
	{"an input beside input", lint.CodeMissingInput, lint.Error, withSteps("- action: fetch:plain", "  url: x"), "template.yaml:9:7", []string{"below input:"}},
	{"braces without quotes", lint.CodeInputValue, lint.Error, withSteps("- action: debug:log", "  input:", "    message: {{ parameters.name }}"), "template.yaml:11:18", []string{"must be of type string", "${{ … }}"}},
	{"a number for a text", lint.CodeInputValue, lint.Error, withSteps("- {action: 'debug:log', input: {message: 1}}"), "template.yaml:9:46", []string{"quotes"}},
	{"steps that are no list", lint.CodeSchema, lint.Error, map[string]string{"template.yaml": head + "  steps: {a: {action: 'debug:log'}}\n"}, "template.yaml:6:10", []string{"begin each with a dash"}},
	{"one of several forms", lint.CodeMissingInput, lint.Error, withSteps("- {action: 'catalog:register', input: {optional: '${{ parameters.name }}'}}"), "template.yaml:9:43", []string{"needs the input catalogInfoUrl", "; or repoContentsUrl, "}},
	{"no skeleton", lint.CodeMissingFile, lint.Error, withSteps(fetchStep), "template.yaml:9:54", []string{"there is no", "/s"}},
	{"a file for a skeleton", lint.CodeMissingFile, lint.Error, with(withSteps(fetchStep), "s", "x"), "template.yaml:9:54", []string{"is a file"}},
	{"an expression in a key", lint.CodeNotRendered, lint.Warning, withSteps("- action: debug:log", "  input: {message: x, '${{ parameters.name }}': y}"), "template.yaml:10:27", []string{"keys are taken as they are"}},
	{"an expression in a name", lint.CodeNotRendered, lint.Warning, withSteps("- {action: 'debug:log', name: '${{ parameters.name }}'}"), "template.yaml:9:35", []string{"name is not rendered"}},
	{"braces of earlier versions", lint.CodeNotRendered, lint.Warning, withSteps("- {action: 'debug:log', input: {message: '{{ parameters.name }}'}}"), "template.yaml:9:47", []string{"${{"}},

	{"no expression", lint.CodeExpression, lint.Error, withSteps("- {action: 'debug:log', input: {message: 'a ${{ parameters. }}'}}"), "template.yaml:9:65", []string{"stays unrendered"}},
	{"no expression in a condition", lint.CodeExpression, lint.Error, withSteps("- {action: 'debug:log', if: '${{ ( }}'}"), "template.yaml:9:40", []string{"always holds"}},
	{"a misspelt filter", lint.CodeUnknownFilter, lint.Error, withSteps("- {action: 'debug:log', input: {message: '${{ parameters.name | uper }}'}}"), "template.yaml:9:69", []string{"uper", "did you mean upper? Otherwise the text stays unrendered"}},
	{"a filter of another language", lint.CodeUnknownFilter, lint.Error, withSteps("- {action: 'debug:log', input: {message: '${{ parameters.name | lowercase }}'}}"), "template.yaml:9:69", []string{"did you mean lower?"}},
	{"a filter of a plugin", lint.CodeUnknownFilter, lint.Warning, withSteps("- {action: 'debug:log', input: {message: '${{ parameters.name | acmeSlug }}${{ 1 | acmeSlug }}'}}"), "template.yaml:9:69", []string{"(2 times)", "--filter acmeSlug"}},
	{"a test that is not there", lint.CodeUnknownTest, lint.Error, withSteps("- {action: 'debug:log', if: '${{ parameters.name is definde }}'}"), "template.yaml:9:57", []string{"did you mean defined?"}},
	{"a function that is not there", lint.CodeUnknownFunction, lint.Error, withSteps("- {action: 'debug:log', input: {message: '${{ rang(3) }}'}}"), "template.yaml:9:51", []string{"did you mean range?"}},
	{"a status outside of conditions", lint.CodeUnknownFunction, lint.Error, withSteps("- {action: 'debug:log', input: {message: '${{ failure() }}'}}"), "template.yaml:9:51", []string{"failure() is not known in input"}},
	{"a branch that is never taken", lint.CodeUnreachable, lint.Warning, withSteps("- {action: 'debug:log', input: {message: '${{ 1 if true else 2 }}'}}"), "template.yaml:9:66", []string{"always true"}},
	{"not before a comparison", lint.CodePrecedence, lint.Warning, withSteps("- {action: 'debug:log', if: '${{ not parameters.name == 1 }}'}"), "template.yaml:9:38", []string{"parentheses"}},
	{"an argument that is ignored", lint.CodeIgnoredArgument, lint.Warning, withSteps("- {action: 'debug:log', input: {message: '${{ parameters.name | upper(1) }}'}}"), "template.yaml:9:75", []string{"ignores"}},
	{"a method that is gone", lint.CodeDeprecated, lint.Note, withSteps("- {action: 'debug:log', input: {message: '${{ parameters.name.replaceAll(1, 2) }}'}}"), "template.yaml:9:51", []string{"replaceAll"}},
	{"a name that nothing has", lint.CodeUnknownVariable, lint.Warning, withSteps("- {action: 'debug:log', input: {message: '${{ parametres.name }}'}}"), "template.yaml:9:51", []string{"did you mean parameters?"}},
	{"the name of skeletons", lint.CodeUnknownVariable, lint.Error, withSteps("- {action: 'debug:log', input: {message: '${{ values.name }}'}}"), "template.yaml:9:51", []string{"write parameters"}},
	{"a field that is not there", lint.CodeUnknownParameter, lint.Warning, withSteps("- action: debug:log", "  input:", "    message: >-", "      a ${{ parameters.name }}", "      ${{ parameters.nam }}"), "template.yaml:13:15", []string{"did you mean parameters.name?"}},
	{"a step that is not there", lint.CodeUnknownStep, lint.Error, withSteps("- {id: one, action: 'debug:log'}", "- {action: 'debug:log', input: {message: '${{ steps.onee.output.x }}'}}"), "template.yaml:10:51", []string{"there is no step onee", "did you mean steps.one?"}},
	{"a step that runs later", lint.CodeLaterStep, lint.Error, withSteps("- {action: 'debug:log', input: {message: '${{ steps.two.output.x }}'}}", "- {id: two, action: 'debug:log'}"), "template.yaml:9:51", []string{"move the step"}},
	{"the step itself", lint.CodeLaterStep, lint.Error, withSteps("- {id: one, action: 'debug:log', input: {message: '${{ steps.one.output.x }}'}}"), "template.yaml:9:60", []string{"before it has run"}},
	{"a dash in a step", lint.CodeDash, lint.Error, withSteps("- {id: a-b, action: 'debug:log'}", "- {action: 'debug:log', input: {message: '${{ steps.a-b.output.x }}'}}"), "template.yaml:10:51", []string{"steps['a-b']"}},
	{"a dash in a parameter", lint.CodeDash, lint.Error, withSteps("- {action: 'debug:log', input: {message: '${{ parameters.my-name }}'}}"), "template.yaml:9:51", []string{"parameters['my-name']"}},
	{"output left out", lint.CodeStepOutput, lint.Error, withSteps("- {id: a, action: 'debug:log'}", "- {action: 'debug:log', input: {message: '${{ steps.a.x }}'}}"), "template.yaml:10:51", []string{"steps.a.output.x"}},
	{"an output that is not there", lint.CodeUnknownOutput, lint.Warning, withSteps("- {id: a, action: 'fs:readdir', input: {paths: [x]}}", "- {action: 'debug:log', input: {message: '${{ steps.a.output.file }}'}}"), "template.yaml:10:51", []string{"no output file", "did you mean output.files?"}},
	{"a secret that nothing sets", lint.CodeUnknownSecret, lint.Warning, withSteps("- {action: 'fetch:plain', input: {url: https://x, token: '${{ secrets.TOKNE }}'}}"), "template.yaml:9:67", []string{"did you mean secrets.TOKEN?"}},
	{"a secret in a condition", lint.CodeSecret, lint.Error, withSteps("- {action: 'debug:log', if: '${{ secrets.TOKEN }}'}"), "template.yaml:9:38", []string{"empty in if"}},
	{"a secret in the output", lint.CodeSecret, lint.Error, map[string]string{"template.yaml": head + "  steps: []\n  output:\n    a: ${{ secrets.TOKEN }}\n"}, "template.yaml:8:12", []string{"empty in output"}},
	{"a secret of the environment in a condition", lint.CodeSecret, lint.Error, withSteps("- {action: 'debug:log', if: '${{ environment.secrets.a }}'}"), "template.yaml:9:38", []string{"environment.secrets.a is empty"}},
	{"a secret in a skeleton", lint.CodeSecret, lint.Error, with(withSteps(fetchStep), "s/a", "x ${{ secrets.TOKEN }}"), "s/a:1:7", []string{"see nothing but values"}},
	{"each without iteration", lint.CodeEach, lint.Error, withSteps("- {action: 'debug:log', input: {message: '${{ each.value }}'}}"), "template.yaml:9:51", []string{"add each"}},
	{"a value that is not given", lint.CodeUnknownValue, lint.Warning, with(withSteps(fetchStep), "s/a", "${{ values.nmae }} ${{ values.nmae }}"), "s/a:1:5", []string{"values.nmae (and 1 more", "did you mean values.name?"}},
	{"a parameter in a skeleton", lint.CodeUnknownVariable, lint.Error, with(withSteps(fetchStep), "s/a", "${{ parameters.name }}"), "s/a:1:5", []string{"hand it on", "${{ parameters.… }}"}},
	{"what is for another program", lint.CodeUnknownVariable, lint.Warning, with(withSteps(fetchStep), "s/.github/ci.yaml", "${{ github.sha }} ${{ github.ref }}"), "s/.github/ci.yaml:1:5", []string{"{% raw %}", "(and 1 more"}},
	{"a skeleton that is no template", lint.CodeExpression, lint.Error, with(withSteps(fetchStep), "s/a", "x\n{% if %}"), "s/a:2:7", []string{"copyWithoutTemplating"}},
	{"a name that is no template", lint.CodeExpression, lint.Error, with(withSteps(fetchStep), "s/${{ a", ""), "s/${{ a", []string{"in the name"}},
	{"a filter in a skeleton", lint.CodeUnknownFilter, lint.Error, with(withSteps(fetchStep), "s/a", "${{ values.name | uper }}"), "s/a:1:19", []string{"the step fails"}},
	{"cookiecutter in plain skeletons", lint.CodeUnknownVariable, lint.Error, with(withSteps(fetchStep), "s/a", "${{ cookiecutter.name }}"), "s/a:1:5", []string{"below values"}},
	{"a single file", lint.CodeUnknownValue, lint.Warning, with(withSteps("- {action: 'fetch:template:file', input: {url: ./s/a.txt, targetPath: b, values: {}}}"), "s/a.txt", "${{ values.x }}", "s/b", "${{ bad"), "s/a.txt:1:5", []string{"values.x"}},
}

func TestFindings(t *testing.T) {
	l := linter(t, nil, nil)
	seen := map[lint.Code]bool{}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			found := run(t, l, c.files)
			i := slices.IndexFunc(found, func(f lint.Finding) bool { return f.Code == c.code })
			require.GreaterOrEqual(t, i, 0, "%+v", found)
			require.Equal(t, c.level, found[i].Level)
			require.Equal(t, c.place, found[i].Place.String(), found[i].Message)
			for _, part := range c.says {
				require.Contains(t, found[i].Message+" / "+found[i].Hint, part)
			}
			for _, f := range found {
				require.True(t, f.Code == c.code || f.Code == lint.CodeMissingInput || f.Code == lint.CodeUnknownInput, "something else is said too: %+v", f)
			}
		})
		seen[c.code] = true
	}
	for _, k := range lint.Kinds() {
		require.True(t, seen[k.Code], "there is no case for %s", k.Code)
		require.NotEmpty(t, k.Summary)
		delete(seen, k.Code)
	}
	require.Empty(t, seen, "codes that Kinds leaves out")
}

// What is right is not found fault with.
func TestNothingToFind(t *testing.T) {
	l := linter(t, []string{"acme:**"}, []string{"acmeSlug"})
	for name, files := range map[string]map[string]string{
		"references": withSteps("- {id: a-b, action: 'fs:readdir', input: {paths: ['${{ parameters.name }}']}}",
			"- {action: 'debug:log', if: \"${{ steps['a-b'].output.files.length > 0 and always() }}\", input: {message: '${{ user.entity.metadata.name }} ${{ context.task.id }} ${{ environment.parameters.x }}'}}"),
		"each":                        withSteps("- {action: 'fetch:plain', each: '${{ parameters.name }}', if: '${{ each.value and secrets.TOKEN }}', input: {url: '${{ each.value }}', targetPath: '${{ each.key }}', token: '${{ secrets.TOKEN }}'}}"),
		"block conditions":            withSteps("- {action: 'debug:log', if: '{% if parameters.name %}true{% endif %}'}", "- {action: 'debug:log', if: 'true'}"),
		"what is declared foreign":    withSteps("- {id: x, action: 'acme:deep:thing', input: {a: '${{ parameters.name | acmeSlug }}'}}", "- {action: 'debug:log', input: {message: '${{ steps.x.output.y.z }}'}}"),
		"values that only runs know":  withSteps("- {action: 'fs:delete', input: {files: '${{ parameters.name }}'}}", "- {action: 'debug:wait', input: {seconds: '${{ parameters.name }}'}}", "- {action: 'fs:rename', input: {files: [{from: a, to: b, overwrite: '${{ true }}'}]}}"),
		"names of fields":             {"template.yaml": head + "  steps: []\n  parameters:\n    required: [a]\n    properties:\n      a: {}\n      required: {type: array}\n      default: {type: string}\n    dependencies:\n      a:\n        oneOf:\n          - required: [b]\n            properties: {b: {}}\n"},
		"a field of another page":     {"template.yaml": head + "  parameters: [{properties: {a: {}}}, {properties: {b: {}}}]\n  steps: [{action: 'debug:log', input: {message: '${{ parameters.a + parameters.b }}'}}]\n"},
		"open forms":                  {"template.yaml": head + "  parameters: {additionalProperties: true, properties: {a: {ui:field: AcmePicker}}}\n  steps: [{action: 'debug:log', input: {message: '${{ parameters.x }}${{ secrets.y }}'}}]\n"},
		"an absolute placeholder":     {"template.yaml": head + "  parameters: [{$yaml: 'https://example.com/p.yaml'}]\n  steps:\n    - {$yaml: 'https://example.com/s.yaml'}\n    - {action: 'debug:log', input: {message: '${{ steps.x.output.y }}${{ parameters.z }}'}}\n"},
		"parts of a template":         {"template.yaml": head + "  parameters: {$yaml: ./p.yaml}\n  steps:\n    - {$yaml: ./s.yaml}\n", "p.yaml": "properties: {a: {}}", "s.yaml": "action: debug:log\ninput: {message: '${{ parameters.a }}'}"},
		"a skeleton":                  with(withSteps(fetchStep), "s/${{ values.name }}", "{% for i in range(2) %}${{ loop.index }}${{ values.name | parseEntityRef }}{% endfor %}", "s/x.png", "\x89PNG\x00${{ bad"),
		"raw files":                   with(withSteps("- {action: 'fetch:template', input: {url: ./s, copyWithoutTemplating: ['.github']}}"), "s/.github/x/y", "${{ github.sha | bad }}"),
		"a skeleton of cookiecutter":  with(withSteps("- {action: 'fetch:template', input: {url: ./s, cookiecutterCompat: true, values: {name: x}}}"), "s/a", "{{ cookiecutter.name | jsonify }}"),
		"a switch that a run decides": with(withSteps("- {action: 'fetch:template', input: {url: ./s, cookiecutterCompat: '${{ parameters.name }}'}}"), "s/a", "${{ bad"),
		"values that a run decides":   with(withSteps("- {action: 'fetch:template', input: {url: ./s, values: '${{ parameters }}'}}"), "s/a", "${{ values.x }}"),
		"a skeleton above":            withSteps("- {action: 'fetch:template', input: {url: ../../s}}"),
		"an unknown action in a step that is switched off by a parameter": withSteps("- {if: '${{ parameters.name }}', action: 'acme:x'}"),
	} {
		t.Run(name, func(t *testing.T) { require.Empty(t, run(t, l, files)) })
	}
}

// Findings in parts of a template name the part.
func TestPlacesInParts(t *testing.T) {
	found := run(t, linter(t, nil, nil), map[string]string{
		"template.yaml": head + "  steps:\n    - $yaml: ./parts/s.yaml\n",
		"parts/s.yaml":  "action: debug:log\ninput:\n  message: {$text: ./m.txt}\n  listWorkspce: true\n",
		"parts/m.txt":   "hello\n  ${{ steps.x.output.y }}\n",
	})
	require.Len(t, found, 2)
	require.Equal(t, "parts/m.txt:2:7", found[0].Place.String())
	require.Equal(t, "/spec/steps/0/input/message", found[0].Path)
	require.Equal(t, "parts/s.yaml:4:3", found[1].Place.String())
}

func TestALinterEnds(t *testing.T) {
	l := linter(t, nil, nil)
	dir := t.TempDir()
	write(t, dir, with(withSteps(fetchStep), "s/a", "x"))
	templates, _, err := templatefile.Read([]string{dir}, nil)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = l.Template(ctx, templates[0].Document)
	require.ErrorIs(t, err, context.Canceled)

	var lines []string
	for i := range 2000 {
		lines = append(lines, fmt.Sprintf("- {action: 'debug:log', id: s%d, input: {message: '${{ nothing%d }}'}}", i, i))
	}
	require.Len(t, run(t, l, withSteps(lines...)), 1000, "what is said of one template is bounded")
	for i := range 20_000 {
		lines = append(lines, fmt.Sprintf("- {action: 'debug:log', id: t%d, input: {message: '${{ steps.nothing%d }}'}}", i, i))
	}
	require.Len(t, run(t, l, withSteps(lines...)), 1000)
}

func TestOptions(t *testing.T) {
	_, err := lint.New(lint.Options{})
	require.ErrorContains(t, err, "needs actions")
	good := linter(t, nil, nil)
	o := good.Options
	o.Foreign = []string{"acme:["}
	_, err = lint.New(o)
	require.ErrorContains(t, err, `"acme:[" is no glob`)
}

// No template makes the linter panic.
func FuzzTemplate(f *testing.F) {
	for _, c := range cases {
		f.Add(c.files["template.yaml"])
	}
	l := linter(f, nil, nil)
	f.Fuzz(func(t *testing.T, text string) {
		for _, finding := range run(t, l, map[string]string{"template.yaml": text}) {
			require.NotEmpty(t, finding.Message)
			require.NotEmpty(t, finding.Code)
			require.Positive(t, finding.Line)
		}
	})
}

func TestDocumentsWithoutFiles(t *testing.T) {
	v, err := jsonvalue.ParseObject([]byte(`{"apiVersion":"scaffolder.backstage.io/v1beta3","kind":"Template","metadata":{"name":"t"},"spec":{"type":"x","steps":[
		{"action":"fetch:template","input":{"url":"./s"}},{"action":"fetch:plain","input":{"url":"https://x/y"}},null,{"$yaml":"x"}]}}`))
	require.NoError(t, err)
	doc := lint.Document{Value: v, Places: nowhere{}}
	require.Empty(t, doc.Skeletons())
	_, err = linter(t, nil, nil).Template(t.Context(), doc)
	require.NoError(t, err)
	doc.Files, doc.Folder = os.DirFS(t.TempDir()), "a"
	require.Equal(t, []string{"a/s"}, doc.Skeletons())
}

type nowhere struct{}

func (nowhere) Place([]string, lint.Spot) lint.Place { return lint.Place{File: "x"} }
