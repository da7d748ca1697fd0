package nunjucks_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dop251/goja"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

// The oracle is the npm package nunjucks in a JavaScript engine in Go: a
// second opinion on what a template means that nobody here has written.
type oracle struct {
	program *goja.Program
	vm      *goja.Runtime
	render  goja.Callable
}

// oracleScript renders in an environment that serves all templates with the
// same options. Compatibility with Python is switched on for the whole package,
// and off again. The engine below takes a < b < c for a < (b < c), so that
// comparisons are compiled to what JavaScript makes of them, in parentheses: those
// by order first, each from the left, and a `not` for the first operand alone.
const oracleScript = `(function (nunjucks) {
  var compiler = nunjucks.compiler.Compiler.prototype, nodes = nunjucks.nodes;
  var isEquality = function (op) { return /^[!=]/.test(op.type); };
  compiler.compileCompare = function (node, frame) {
    var ops = node.ops, equalities = ops.filter(isEquality).length;
    var open = function (from) {
      for (var to = from; to < ops.length && !isEquality(ops[to]); to++);
      return '('.repeat(to - from);
    };
    this._emit('('.repeat(equalities) + open(0));
    this.compile(node.expr, frame);
    ops.forEach(function (op, i) {
      var last = i + 1 === ops.length || isEquality(ops[i + 1]);
      this._emit(' ' + op.type + ' ' + (isEquality(op) ? open(i + 1) : ''));
      this.compile(op.expr, frame);
      this._emit((isEquality(op) ? '' : ')') + (last && ops.slice(0, i + 1).some(isEquality) ? ')' : ''));
    }, this);
  };
  var compileNot = compiler.compileNot;
  compiler.compileNot = function (node, frame) {
    var all = node, first = function (operand) { return operand; };
    while (all instanceof nodes.Not) {
      first = (function (outer, not) {
        return function (operand) { return outer(new nodes.Not(not.lineno, not.colno, operand)); };
      })(first, all);
      all = all.target;
    }
    if (!(all instanceof nodes.Compare)) {
      return compileNot.call(this, node, frame);
    }
    return this.compile(new nodes.Compare(all.lineno, all.colno, first(all.expr), all.ops), frame);
  };
  var templates = null, environments = {};
  var loader = {
    getSource: function (name) {
      return Object.prototype.hasOwnProperty.call(templates, name)
        ? { src: templates[name], path: name, noCache: true } : null;
    },
  };
  function environment(loading, trim, lstrip) {
    var key = [loading, trim, lstrip].join();
    if (!environments[key]) {
      environments[key] = new nunjucks.Environment(loading ? [loader] : [], {
        autoescape: false, trimBlocks: trim, lstripBlocks: lstrip,
        tags: { variableStart: '${{' },
      });
    }
    return environments[key];
  }
  return function (source, context, loaded, trim, lstrip, compat) {
    templates = loaded;
    var env = environment(loaded !== null, trim, lstrip);
    var uninstall = compat ? nunjucks.installJinjaCompat() : null;
    try {
      return { out: env.renderString(source, JSON.parse(context)) };
    } catch (e) {
      return { error: String(e && e.message || e) };
    } finally {
      if (uninstall) uninstall();
    }
  };
})`

var oracleInstall = sync.OnceValue(func() error {
	if _, err := os.Stat("oracle/node_modules/nunjucks/browser/nunjucks.js"); err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = "oracle"
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in scaffolder/nunjucks/oracle: %w\n%s", err, out)
	}
	return nil
})

// newOracle returns the reference, or skips the test where npm cannot get it.
func newOracle(t testing.TB) *oracle {
	if err := oracleInstall(); err != nil {
		t.Skipf("SKIPPED, nothing was compared: the reference is not installed (%v)", err)
	}
	source, err := os.ReadFile(filepath.FromSlash("oracle/node_modules/nunjucks/browser/nunjucks.js"))
	require.NoError(t, err)
	program, err := goja.Compile("nunjucks.js", string(source), false)
	require.NoError(t, err)
	o := &oracle{program: program}
	require.NoError(t, o.start())
	return o
}

// start loads the package into a new engine.
func (o *oracle) start() error {
	vm := goja.New()
	vm.SetMaxCallStackSize(2000) // a template without an end would fill the memory before it is too slow
	err := errors.Join(vm.Set("window", vm.GlobalObject()), vm.Set("process", map[string]any{"env": map[string]any{}}),
		vm.Set("setTimeout", func(goja.FunctionCall) goja.Value { return goja.Undefined() }))
	if err != nil {
		return err
	}
	if _, err = vm.RunProgram(o.program); err != nil {
		return err
	}
	script, err := vm.RunString(oracleScript)
	if err != nil {
		return err
	}
	make, ok := goja.AssertFunction(script)
	if !ok {
		return errors.New("oracle: the script is no function")
	}
	f, err := make(goja.Undefined(), vm.Get("nunjucks"))
	if err != nil {
		return err
	}
	o.vm = vm
	o.render, _ = goja.AssertFunction(f)
	return nil
}

// errTooSlow is what a template leads to that keeps the oracle busy too long.
var errTooSlow = errors.New("oracle: too slow")

// ask returns what the reference makes of a template.
func (o *oracle) ask(g generated) (out string, err error) {
	stop := time.AfterFunc(5*time.Second, func() { o.vm.Interrupt(errTooSlow) })
	defer stop.Stop()
	templates := goja.Null()
	if g.Templates != nil {
		templates = o.vm.ToValue(g.Templates)
	}
	v, err := o.render(goja.Undefined(), o.vm.ToValue(g.Source), o.vm.ToValue(grammarContext), templates,
		o.vm.ToValue(g.Trim), o.vm.ToValue(g.Lstrip), o.vm.ToValue(g.Compat))
	if err != nil {
		if !stop.Stop() { // interrupted anywhere, so nothing in there can be relied on
			return "", errors.Join(errTooSlow, o.start())
		}
		return "", fmt.Errorf("oracle: %w", err)
	}
	r := v.ToObject(o.vm)
	if e := r.Get("error"); e != nil {
		return "", errors.New(e.String())
	}
	if goja.IsNull(r.Get("out")) {
		return "", errors.New("no result")
	}
	return r.Get("out").String(), nil
}

// renderGenerated is what this package makes of it.
func renderGenerated(g generated) (string, error) {
	o := nunjucks.Options{Tags: nunjucks.ScaffolderTags(), TrimBlocks: g.Trim, LstripBlocks: g.Lstrip, Compat: g.Compat, CacheTemplates: -1}
	if g.Templates != nil {
		o.Loader = nunjucks.MapLoader(g.Templates)
	}
	t, err := nunjucks.New(o).Compile("", g.Source)
	if err != nil {
		return "", err
	}
	vars, err := nunjucks.ParseJSON([]byte(grammarContext))
	if err != nil {
		return "", err
	}
	return t.Render(context.Background(), vars)
}

// agreement says how what this package makes of a template differs from the
// reference's answer, or nothing if it does not.
func agreement(g generated, want string, wantErr error) string {
	got, err := renderGenerated(g)
	if (err == nil) == (wantErr == nil) && got == want || excused(want, wantErr, err) {
		return ""
	}
	return fmt.Sprintf("%s\nreference %q %v\nhere      %q %v", jsonText(g), want, wantErr, got, err)
}

func jsonText(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // for a type that cannot be JSON
	}
	return b.Bytes()
}

// excused tells whether a difference is one that is meant.
func excused(want string, wantErr, err error) bool {
	var fault *nunjucks.Error
	switch {
	case wantErr != nil && err == nil && accident(wantErr):
		return true // the reference generates code that is no JavaScript
	case errors.Is(wantErr, errTooSlow):
		return true
	case wantErr == nil && errors.As(err, &fault) && fault.Template != "":
		return true // the reference may lose the errors of included templates
	case wantErr == nil && strings.Contains(strings.ToLower(want), "function "):
		return true // the source text of JavaScript functions
	case safeAsObject.MatchString(want), wantErr == nil && err != nil && strings.Contains(err.Error(), "safe string"):
		return true // safe strings are objects there
	}
	return errors.Is(err, nunjucks.ErrLimit)
}

// safeAsObject finds the JSON of a safe string, however often it has been
// quoted: the reference has it as the object that it is there.
var safeAsObject = regexp.MustCompile(`\{\W*val\W+:`)

// accident tells whether the reference failed for what its generated code
// looks like and not for what the template says.
func accident(err error) bool {
	return strings.Contains(err.Error(), "SyntaxError") || strings.Contains(err.Error(), "is not defined")
}

// seeded returns the template that a seed stands for.
func seeded(seed int) generated {
	return generate(chooser{rng: rand.New(rand.NewPCG(uint64(seed), 0))})
}

// A recorded template comes with what the reference made of it.
type recorded struct {
	generated
	Out   string `json:"out,omitempty"`
	Error string `json:"error,omitempty"`
}

// recordedPath is a file of recorded templates, one a line.
const recordedPath = "testdata/reference.jsonl"

var update = flag.Bool("update", false, "ask the reference again for what is recorded of its answers")

// Recorded answers of the reference hold here, with or without npm.
func TestReferenceRecorded(t *testing.T) {
	if *update {
		record(t, 1200)
	}
	f, err := os.Open(recordedPath)
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	count := 0
	for ; lines.Scan(); count++ {
		var r recorded
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		var wantErr error
		if r.Error != "" {
			wantErr = errors.New(r.Error)
		}
		if diff := agreement(r.generated, r.Out, wantErr); diff != "" {
			t.Errorf("line %d\n%s", count+1, diff)
		}
	}
	require.NoError(t, lines.Err())
	require.GreaterOrEqual(t, count, 1000, "the file is not all there")
}

// record writes answers of the reference to the first seeds. Those that it
// takes too long for are left out.
func record(t *testing.T, count int) {
	o := newOracle(t)
	var out bytes.Buffer
	for seed := range count {
		r := recorded{generated: seeded(seed)}
		var err error
		if r.Out, err = o.ask(r.generated); err != nil {
			r.Error = err.Error()
		}
		if !errors.Is(err, errTooSlow) {
			out.Write(jsonText(r))
		}
	}
	require.NoError(t, os.WriteFile(recordedPath, out.Bytes(), 0o644))
}

// Generated templates mean the same here as to the reference. The seeds are
// fixed, so a failure can be repeated; NUNJUCKS_ORACLE_TIME=1h goes on with
// others for that long, from NUNJUCKS_ORACLE_SEED on.
func TestReferenceAgrees(t *testing.T) {
	o := newOracle(t)
	count, until := 100, time.Time{}
	if testing.Short() {
		count = 30
	}
	if s := os.Getenv("NUNJUCKS_ORACLE_TIME"); s != "" {
		d, err := time.ParseDuration(s)
		require.NoError(t, err)
		count, until = 1<<40, time.Now().Add(d)
	}
	first := 100_000 // beyond what is recorded
	if s := os.Getenv("NUNJUCKS_ORACLE_SEED"); s != "" {
		var err error
		first, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	failed, done := 0, 0
	for seed := first; seed < first+count && failed < 30; seed++ {
		if !until.IsZero() && time.Now().After(until) {
			break
		}
		g := seeded(seed)
		want, err := o.ask(g)
		if diff := agreement(g, want, err); diff != "" {
			t.Errorf("seed %d\n%s", seed, diff)
			failed++
		}
		done++
	}
	t.Logf("compared %d templates with nunjucks 3.2.4, %d differ", done, failed)
}

// The oracle compares as JavaScript does, also where the engine does not.
func TestReferenceComparesInChains(t *testing.T) {
	o := newOracle(t)
	for source, want := range map[string]string{
		"${{ 8080 > ml < 0 / 0 }}": "false", "${{ 0 / 0 < 1 < 1 }}": "true", "${{ 3 > 2 > 1 }}": "false", "${{ 1 == 1 }}": "true",
		"${{ 1 == 2 < 3 }}": "true", "${{ 2 < 3 == 1 }}": "true", "${{ 3 == 3 == 1 }}": "true", "${{ 3 != 3 > 2 > 1 == 1 }}": "true",
		"${{ not 3 > 2 > 1 }}": "false", "${{ not 0 == 1 }}": "true", "${{ not not 2 == 1 }}": "true", "${{ not 1 > 0 < 1 }}": "true", "${{ 5 > 4 < 1 == 2 > 1 < 3 != 0 }}": "false",
	} {
		got, err := o.ask(generated{Source: source})
		require.NoError(t, err)
		assert.Equal(t, want, got, source)
	}
}

func FuzzReferenceAgrees(f *testing.F) {
	for i := range 32 {
		b := make([]byte, 200)
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		for k := range b {
			b[k] = byte(rng.IntN(256))
		}
		f.Add(b)
	}
	var once sync.Once
	var o *oracle
	f.Fuzz(func(t *testing.T, choices []byte) {
		once.Do(func() { o = newOracle(t) })
		if o == nil {
			t.Skip("SKIPPED, nothing was compared: the reference is not installed")
		}
		g := generate(chooser{bytes: choices})
		want, err := o.ask(g)
		if diff := agreement(g, want, err); diff != "" {
			t.Error(diff)
		}
	})
}
