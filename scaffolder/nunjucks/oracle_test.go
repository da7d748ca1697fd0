package nunjucks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dop251/goja"
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
// and off again.
const oracleScript = `(function (nunjucks) {
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
	if g.templates != nil {
		templates = o.vm.ToValue(g.templates)
	}
	v, err := o.render(goja.Undefined(), o.vm.ToValue(g.source), o.vm.ToValue(grammarContext), templates,
		o.vm.ToValue(g.trim), o.vm.ToValue(g.lstrip), o.vm.ToValue(g.compat))
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
	o := nunjucks.Options{Tags: nunjucks.ScaffolderTags(), TrimBlocks: g.trim, LstripBlocks: g.lstrip, Compat: g.compat, CacheTemplates: -1}
	if g.templates != nil {
		o.Loader = nunjucks.MapLoader(g.templates)
	}
	t, err := nunjucks.New(o).Compile("", g.source)
	if err != nil {
		return "", err
	}
	vars, err := nunjucks.ParseJSON([]byte(grammarContext))
	if err != nil {
		return "", err
	}
	return t.Render(context.Background(), vars)
}

// agreement says how the two answers differ, or nothing if they do not.
func agreement(o *oracle, g generated) string {
	want, wantErr := o.ask(g)
	got, err := renderGenerated(g)
	if (err == nil) == (wantErr == nil) && got == want || excused(g, want, wantErr, err) {
		return ""
	}
	templates, _ := json.Marshal(g.templates)
	return fmt.Sprintf("template  %q\ntemplates %s\ntrim %v lstrip %v compat %v\nreference %q %v\nhere      %q %v",
		g.source, templates, g.trim, g.lstrip, g.compat, want, wantErr, got, err)
}

// excused tells whether a difference is one that is meant.
func excused(g generated, want string, wantErr, err error) bool {
	var fault *nunjucks.Error
	switch {
	case wantErr != nil && err == nil && accident(wantErr):
		return true // the reference generates code that is no JavaScript
	case errors.Is(wantErr, errTooSlow):
		return true
	case wantErr == nil && errors.As(err, &fault) && fault.Template != "":
		return true // the reference may lose the errors of included templates
	case wantErr == nil && (strings.Contains(want, "function ") || strings.Contains(want, "FUNCTION ")):
		return true // the source text of JavaScript functions
	}
	return errors.Is(err, nunjucks.ErrLimit)
}

// accident tells whether the reference failed for what its generated code
// looks like and not for what the template says.
func accident(err error) bool {
	return strings.Contains(err.Error(), "SyntaxError") || strings.Contains(err.Error(), "is not defined")
}

// Generated templates mean the same here as to the reference. The seeds are
// fixed, so a failure can be repeated; NUNJUCKS_ORACLE_TIME=1h goes on with
// others for that long.
func TestReferenceAgrees(t *testing.T) {
	o := newOracle(t)
	const first = 1
	count, until := 1200, time.Time{}
	if testing.Short() {
		count = 100
	}
	if s := os.Getenv("NUNJUCKS_ORACLE_TIME"); s != "" {
		d, err := time.ParseDuration(s)
		require.NoError(t, err)
		count, until = 1<<40, time.Now().Add(d)
	}
	seed, _ := strconv.Atoi(os.Getenv("NUNJUCKS_ORACLE_SEED"))
	failed, done := 0, 0
	for i := first + seed; i < first+seed+count && failed < 30; i++ {
		if !until.IsZero() && time.Now().After(until) {
			break
		}
		g := generate(chooser{rng: rand.New(rand.NewPCG(uint64(i), 0))})
		if diff := agreement(o, g); diff != "" {
			t.Errorf("seed %d\n%s", i, diff)
			failed++
		}
		done++
	}
	t.Logf("compared %d templates with nunjucks 3.2.4, %d differ", done, failed)
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
		if diff := agreement(o, generate(chooser{bytes: choices})); diff != "" {
			t.Error(diff)
		}
	})
}
