package descriptor_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/descriptor"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
)

const conformance = "../../../shared/conformance"

// A dryRun is what the recordings of public descriptors hold: one request to
// register the file, and the answer.
type dryRun struct {
	ID    string `json:"id"`
	Steps []struct {
		Expect struct {
			Status int `json:"status"`
			Body   struct {
				Error    struct{ Message string } `json:"error"`
				Entities []struct {
					Kind     string                `json:"kind"`
					Metadata struct{ Name string } `json:"metadata"`
				} `json:"entities"`
			} `json:"body"`
		} `json:"expect"`
	} `json:"steps"`
}

// TestRealFiles judges public descriptors like the reference: those that it
// refused as YAML, in the same words, and no others; and of the accepted ones
// each entity that it emitted is here.
func TestRealFiles(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(conformance, "cases/real-catalogs.json"))
	require.NoError(t, err, "the recorded cases must be beside the checkout")
	var runs []dryRun
	require.NoError(t, json.Unmarshal(data, &runs))
	refused, entities := 0, 0
	for _, run := range runs {
		name := strings.TrimPrefix(run.ID, "real-catalogs/")
		answer := run.Steps[0].Expect
		message, names := read(t, name)
		byYAML := strings.HasPrefix(answer.Body.Error.Message, "Error: YAML error") || strings.HasPrefix(answer.Body.Error.Message, "Error: Expected object")
		switch {
		case byYAML:
			require.Equal(t, answer.Body.Error.Message, message, name)
			refused++
		case answer.Status == 201:
			require.Empty(t, message, name)
			for _, e := range answer.Body.Entities {
				if !strings.HasPrefix(e.Metadata.Name, "generated-") {
					require.Contains(t, names, e.Kind+" "+e.Metadata.Name, name)
					entities++
				}
			}
		default:
			require.Empty(t, message, name)
		}
	}
	require.Greater(t, refused, 3)
	require.Greater(t, entities, 100)
}

// read returns the first error of a file as a dry run shows it, and the kinds
// and names of its entities.
func read(t *testing.T, name string) (string, []string) {
	data, err := os.ReadFile(filepath.Join(conformance, "fixtures/real", name))
	require.NoError(t, err)
	var message string
	var names []string
	location := catalog.LocationRef{Type: "url", Target: "http://127.0.0.1:8099/real/" + name}
	for _, d := range descriptor.Parse(data, location, yaml.Limits{}) {
		if d.Err != nil && message == "" {
			message = catalog.Describe(d.Err)
		}
		if d.Err == nil {
			names = append(names, d.Entity.Kind()+" "+d.Entity.Name())
		}
	}
	return message, names
}

// TestAllRealFilesAreRead: whatever the verdict, each file has documents.
func TestAllRealFilesAreRead(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(conformance, "fixtures/real/*.yaml"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 183)
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		require.NotEmpty(t, descriptor.Parse(data, catalog.LocationRef{}, yaml.Limits{}), f)
	}
}

func TestParse(t *testing.T) {
	location := catalog.LocationRef{Type: "url", Target: "https://example.com/x.yaml"}
	for _, c := range []struct{ name, in, want string }{
		{"a string", "just text", "Error: Expected object at root, got string"},
		{"a number", "12", "Error: Expected object at root, got number"},
		{"a boolean", "true", "Error: Expected object at root, got boolean"},
		{"a list", "- a", "Error: Expected object at root, got object"},
		{"a repeated key", "a: 1\na: 2", "Error: YAML error at url:https://example.com/x.yaml, YAMLParseError: Map keys must be unique at line 2, column 1:\n\na: 1\na: 2\n^\n"},
		{"an alias of nothing", "a: *b", "Error: Unable to read url, Unresolved alias (the anchor must be set before the alias): b"},
		{"invalid UTF-8", "a: \xff", "Error: YAML error at url:https://example.com/x.yaml, YAMLParseError: Invalid UTF-8 byte at line 1, column 4"},
		{"nothing but an object is needed here", "a: b", ""},
		{"JSON", `{"kind": "Component"}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			documents := descriptor.Parse([]byte(c.in), location, yaml.Limits{})
			require.Len(t, documents, 1)
			if c.want == "" {
				require.NoError(t, documents[0].Err)
				return
			}
			require.Nil(t, documents[0].Entity.Object)
			require.Equal(t, c.want, catalog.Describe(documents[0].Err))
		})
	}
}

func TestOneBrokenDocument(t *testing.T) {
	documents := descriptor.Parse([]byte("kind: A\n---\nkind: [\n---\nkind: C\n"), catalog.LocationRef{Type: "file", Target: "/x.yaml"}, yaml.Limits{})
	require.Len(t, documents, 3)
	require.Equal(t, "A", documents[0].Entity.Kind())
	require.ErrorContains(t, documents[1].Err, "at line 4, column 1")
	require.Equal(t, 3, documents[1].Line)
	require.Equal(t, "C", documents[2].Entity.Kind())
}

func TestParseValues(t *testing.T) {
	values, err := descriptor.ParseValues([]byte("a\n---\n---\n- 1\n"))
	require.NoError(t, err)
	require.Equal(t, []any{"a", []any{1.0}}, values)
	_, err = descriptor.ParseValues([]byte("a\n---\n["))
	require.ErrorContains(t, err, "YAMLParseError: Flow sequence must end with a ]")
}

func TestLooks(t *testing.T) {
	known := func(apiVersion, kind string) bool { return apiVersion == "acme.com/v1" && kind == "Gadget" }
	for _, c := range []struct {
		in       string
		looks    bool
		skeleton bool
		why      string
	}{
		{"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: a}", true, false, "a descriptor"},
		{"apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: a}", true, false, "of a subgroup"},
		{"apiVersion: acme.com/v1\nkind: Gadget\nmetadata: {name: a}", true, false, "of a kind that the catalog was told of"},
		{"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}", false, false, "Kubernetes' own"},
		{"apiVersion: notbackstage.io/v1\nkind: X\nmetadata: {name: a}", false, false, "a domain that only ends alike"},
		{"apiVersion: backstage.io/v1alpha1\nkind: Component", false, false, "without metadata"},
		{"kind: Component\nmetadata: {name: a}", false, false, "without apiVersion"},
		{"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: '${{ values.name }}'}", true, true, "a skeleton's"},
		{"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {{ name }}", true, true, "a skeleton's without quotes, which is a mapping"},
		{"apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: a}\nspec: {x: '${{ parameters.x }}'}", true, false, "a template's own expressions are elsewhere"},
	} {
		e := descriptor.Parse([]byte(c.in), catalog.LocationRef{}, yaml.Limits{})[0].Entity
		require.Equal(t, c.looks, descriptor.Looks(e, known), c.why)
		require.Equal(t, c.skeleton, descriptor.Skeleton(e), c.why)
	}
}
