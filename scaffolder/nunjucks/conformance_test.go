package nunjucks_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

// The cases lie in a folder beside this checkout; NUNJUCKS_CASES names another
// file of them.
const casesPath = "../../../shared/conformance/nunjucks/cases.jsonl"

// A conformanceCase is one line of the file, whose README explains it.
type conformanceCase struct {
	ID        string            `json:"id"`
	Group     string            `json:"group"`
	Mode      string            `json:"mode"`
	Template  json.RawMessage   `json:"template"`
	Context   json.RawMessage   `json:"context"`
	Templates map[string]string `json:"templates"`
	Options   caseOptions       `json:"options"`
	Expected  json.RawMessage   `json:"expected"`
	Error     bool              `json:"error"`
	Undefined bool              `json:"undefined"`
	Reference *struct {
		Expected json.RawMessage `json:"expected"`
		Error    bool            `json:"error"`
	} `json:"reference"`
}

type caseOptions struct {
	Autoescape   bool          `json:"autoescape"`
	TrimBlocks   bool          `json:"trimBlocks"`
	LstripBlocks bool          `json:"lstripBlocks"`
	JinjaCompat  bool          `json:"jinjaCompat"`
	Tags         nunjucks.Tags `json:"tags"`
}

// knownFailures are the cases that may fail, each with the reason.
var knownFailures = map[string]string{}

func (c *conformanceCase) env() *nunjucks.Env {
	o := nunjucks.Options{
		Tags:         c.Options.Tags,
		TrimBlocks:   c.Options.TrimBlocks,
		LstripBlocks: c.Options.LstripBlocks,
		Autoescape:   c.Options.Autoescape,
		Compat:       c.Options.JinjaCompat,
		Filters:      backstageFilters(),
	}
	if c.Options.JinjaCompat {
		o.Filters["jsonify"] = jsonify
	}
	if c.Templates != nil {
		o.Loader = nunjucks.MapLoader(c.Templates)
	}
	return nunjucks.New(o)
}

// A result is what a case led to: text or JSON, nothing, or an error.
type result struct {
	out       string
	undefined bool
	err       error
}

func (c *conformanceCase) run(t *testing.T) result {
	vars, err := nunjucks.ParseJSON(c.Context)
	require.NoError(t, err)
	template, err := nunjucks.ParseJSON(c.Template)
	require.NoError(t, err)
	if c.Mode == "native" {
		v, _, err := c.env().RenderValue(context.Background(), template, vars)
		require.NoError(t, err)
		out, err := json.Marshal(v)
		require.NoError(t, err)
		return result{out: string(out), undefined: v.IsUndefined()}
	}
	source, _ := template.Text()
	compiled, err := c.env().Compile(c.ID, source)
	if err != nil {
		return result{err: err}
	}
	out, err := compiled.Render(context.Background(), vars)
	return result{out: out, err: err}
}

// agrees tells whether r is what the case, or its reference, asks for.
func (c *conformanceCase) agrees(t *testing.T, r result) bool {
	if c.Reference != nil && c.same(t, r, c.Reference.Expected, c.Reference.Error, false) {
		return true
	}
	return c.same(t, r, c.Expected, c.Error, c.Undefined)
}

func (c *conformanceCase) same(t *testing.T, r result, expected json.RawMessage, fails, undefined bool) bool {
	if fails || r.err != nil {
		return fails == (r.err != nil)
	}
	if undefined || r.undefined {
		return undefined == r.undefined
	}
	want, err := nunjucks.ParseJSON(expected)
	require.NoError(t, err)
	if text, ok := want.Text(); ok && c.Mode != "native" {
		return r.out == text
	}
	canonical, err := json.Marshal(want)
	require.NoError(t, err)
	return r.out == string(canonical)
}

func (c *conformanceCase) String() string {
	s := fmt.Sprintf("%s: %s\n  options %+v\n  context %s\n  want %s", c.ID, c.Template, c.Options, c.Context, c.Expected)
	if c.Error {
		s += " an error"
	}
	if c.Undefined {
		s += " nothing"
	}
	return s
}

func readCases(t *testing.T) []*conformanceCase {
	path := casesPath
	if other := os.Getenv("NUNJUCKS_CASES"); other != "" {
		path = other
	}
	f, err := os.Open(path)
	if os.IsNotExist(err) && path == casesPath {
		t.Skip("SKIPPED: the conformance cases are not beside this checkout; set NUNJUCKS_CASES to a file of them")
	}
	require.NoError(t, err)
	defer f.Close()
	var cases []*conformanceCase
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		c := &conformanceCase{}
		require.NoError(t, json.Unmarshal(lines.Bytes(), c))
		cases = append(cases, c)
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, cases, path)
	return cases
}

// Every case passes, or is in the list above with a reason.
func TestConformance(t *testing.T) {
	type count struct{ passed, failed int }
	groups := map[string]*count{}
	total := count{}
	for _, c := range readCases(t) {
		if groups[c.Group] == nil {
			groups[c.Group] = &count{}
		}
		r := c.run(t)
		ok := c.agrees(t, r)
		reason, known := knownFailures[c.ID]
		switch {
		case ok && known:
			t.Errorf("%s passes now; take it off the list (%s)", c.ID, reason)
		case !ok && !known:
			t.Errorf("%s\n  got  %q undefined=%v err=%v", c, r.out, r.undefined, r.err)
		}
		if ok {
			groups[c.Group].passed++
			total.passed++
		} else {
			groups[c.Group].failed++
			total.failed++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		t.Logf("%-24s %4d passed %4d failed", name, groups[name].passed, groups[name].failed)
	}
	t.Logf("%-24s %4d passed %4d failed", "all", total.passed, total.failed)
}
