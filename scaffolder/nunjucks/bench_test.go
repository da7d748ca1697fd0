package nunjucks_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

const smallTemplate = "${{ parameters.name | lower | replace(' ', '-') }}-${{ parameters.env or 'dev' }}"

// skeleton is a template of 1.2 KB as software templates have them, with what
// is given to it.
func skeleton(b testing.TB) (source string, vars nunjucks.Value) {
	text, err := os.ReadFile("testdata/skeleton.njk")
	require.NoError(b, err)
	data, err := os.ReadFile("testdata/skeleton.json")
	require.NoError(b, err)
	vars, err = nunjucks.ParseJSON(data)
	require.NoError(b, err)
	return string(text), vars
}

func uncached() *nunjucks.Env {
	return nunjucks.New(nunjucks.Options{Tags: nunjucks.ScaffolderTags(), CacheTemplates: -1})
}

func smallVars(b testing.TB) nunjucks.Value {
	v, err := nunjucks.ValueOf(map[string]any{"parameters": map[string]any{"name": "My Service"}})
	require.NoError(b, err)
	return v
}

func benchmarkCompileAndRender(b *testing.B, source string, vars nunjucks.Value) {
	env := uncached()
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		t, err := env.Compile("", source)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := t.Render(ctx, vars); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkRender(b *testing.B, source string, vars nunjucks.Value) {
	t, err := uncached().Compile("", source)
	require.NoError(b, err)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := t.Render(ctx, vars); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSmallCompileAndRender(b *testing.B) {
	benchmarkCompileAndRender(b, smallTemplate, smallVars(b))
}

func BenchmarkSmallRender(b *testing.B) { benchmarkRender(b, smallTemplate, smallVars(b)) }

func BenchmarkSmallNative(b *testing.B) {
	env := uncached()
	vars := smallVars(b)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		t, err := env.Compile("", "${{ parameters.name }}")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := t.RenderNative(ctx, vars); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSkeletonCompileAndRender(b *testing.B) {
	source, vars := skeleton(b)
	benchmarkCompileAndRender(b, source, vars)
}

func BenchmarkSkeletonCompile(b *testing.B) {
	source, _ := skeleton(b)
	env := uncached()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := env.Compile("", source); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSkeletonRender(b *testing.B) {
	source, vars := skeleton(b)
	benchmarkRender(b, source, vars)
}

func BenchmarkSkeletonCached(b *testing.B) {
	source, vars := skeleton(b)
	env := nunjucks.New(nunjucks.Options{Tags: nunjucks.ScaffolderTags()})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		t, err := env.Compile("", source)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := t.Render(ctx, vars); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoop(b *testing.B) {
	benchmarkRender(b, "{% for i in range(1000) %}${{ loop.index }}:${{ i * 2 }} {% endfor %}", nunjucks.Value{})
}
