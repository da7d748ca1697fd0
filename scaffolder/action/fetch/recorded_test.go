package fetch_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action/debug"
	"github.com/greenroom-idp/greenroom/scaffolder/action/fetch"
	"github.com/greenroom-idp/greenroom/scaffolder/action/fs"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
)

// The recorded dry-runs lie in a folder beside this checkout.
const casesPath = "../../../../shared/conformance/cases/"

type uploaded struct {
	Path          string
	Executable    bool
	Base64Content string
}

// A recorded dry-run has the files that it was given and made, and a log that
// says which actions ran with which inputs.
type recorded struct {
	ID    string
	Steps []struct {
		Body struct {
			Template struct {
				Spec struct {
					Steps []struct{ Each any }
				}
			}
			DirectoryContents []uploaded
		}
		Expect struct {
			Status int
			Body   struct {
				DirectoryContents []uploaded
				Log               []struct {
					Body struct{ Message, Status, StepID string }
				}
			}
		}
	}
}

var started = regexp.MustCompile(`(?s)^info: Running (\S+) in dry-run mode with inputs \(secrets redacted\): (.*)$`)

// TestRecordedDryRuns runs the actions of recorded dry-runs of public templates
// and compares the files they leave, and how many lines they log.
func TestRecordedDryRuns(t *testing.T) {
	files := 0
	for _, name := range []string{"dry-run.json", "real-templates.json"} {
		data, err := os.ReadFile(casesPath + name)
		if os.IsNotExist(err) {
			t.Skip("SKIPPED: the recorded cases are not beside this checkout")
		}
		require.NoError(t, err)
		// Some scenarios are about bodies of other shapes; these are not here.
		var raw []json.RawMessage
		require.NoError(t, json.Unmarshal(data, &raw))
		for _, scenario := range raw {
			var r recorded
			if json.Unmarshal(scenario, &r) != nil || r.Steps[0].Expect.Status != 200 || iterates(r) {
				continue
			}
			t.Run(r.ID, func(t *testing.T) { files += replay(t, r) })
		}
	}
	require.Greater(t, files, 900, "files compared")
}

// iterates tells whether the log does not show all inputs.
func iterates(r recorded) bool {
	for _, s := range r.Steps[0].Body.Template.Spec.Steps {
		if s.Each != nil {
			return true
		}
	}
	return false
}

func allActions(t *testing.T) *action.Registry {
	list := fetch.Actions(fetch.Options{Reader: &reader{}, Engine: skeleton.NewEngine(skeleton.EngineOptions{
		Filters: filters.Funcs(filters.Backstage(nil)), Compatible: filters.Compatible()})})
	list = append(append(list, fs.Actions()...), debug.Actions()...)
	registry, err := action.NewRegistry(append(list, catalog.Actions(catalog.Options{})...)...)
	require.NoError(t, err)
	return registry
}

func replay(t *testing.T, r recorded) (files int) {
	registry := allActions(t)
	given := map[string]string{}
	for _, f := range r.Steps[0].Body.DirectoryContents {
		content, err := base64.StdEncoding.DecodeString(f.Base64Content)
		require.NoError(t, err)
		given[f.Path] = string(content)
	}
	c, recorder := actiontest.NewContext(t)
	beside(given)(t, c)
	c.DryRun, c.Template.EntityRef = true, "template:default/dry-run"
	expect := r.Steps[0].Expect.Body
	for i, entry := range expect.Log {
		m := started.FindStringSubmatch(entry.Body.Message)
		if m == nil {
			continue
		}
		a, err := registry.Lookup(m[1])
		if err != nil || !a.DryRun() || a.ID() == "catalog:fetch" {
			continue // not of this package
		}
		before := len(recorder.Lines())
		require.NoError(t, recorder.Run(t.Context(), a, c, m[2]), "%s %s", a.ID(), m[2])
		lines := 0
		for _, later := range expect.Log[i+1:] {
			if later.Body.Status != "" {
				break
			}
			lines++
		}
		require.Equal(t, lines, len(recorder.Lines())-before, "lines of %s", a.ID())
	}
	got := contents(t, c)
	maps.DeleteFunc(got, func(name, _ string) bool { return strings.HasSuffix(name, "/") })
	for _, f := range expect.DirectoryContents {
		content, err := base64.StdEncoding.DecodeString(f.Base64Content)
		require.NoError(t, err)
		require.Contains(t, slices.Collect(maps.Keys(got)), f.Path)
		// In the log from which the inputs come, such ids are replaced.
		require.Equal(t, uuid.ReplaceAllString(string(content), "<uuid>"), uuid.ReplaceAllString(got[f.Path], "<uuid>"), f.Path)
	}
	require.Len(t, got, len(expect.DirectoryContents))
	return len(got)
}

var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
