package process_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/schemas"
)

// A world is what a pipeline reads: documents by location, files by URL.
type world struct {
	mu        sync.Mutex
	locations map[string]*process.ReadResult
	files     map[string]string
	requests  []process.ReadRequest
}

func (w *world) ReadLocation(_ context.Context, r process.ReadRequest) (*process.ReadResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, r)
	result, ok := w.locations[r.Location.String()]
	if !ok {
		return nil, catalog.NewError(catalog.NameNotFound, "Unable to read url, no matching files found for "+r.Location.Target)
	}
	if r.ETag != "" && r.ETag == result.ETag {
		return &process.ReadResult{ETag: r.ETag, NotModified: true}, nil
	}
	return result, nil
}

func (w *world) ReadURL(_ context.Context, url string) ([]byte, error) {
	if text, ok := w.files[url]; ok {
		return []byte(text), nil
	}
	return nil, catalog.NewError(catalog.NameNotFound, "could not read "+url+", 404 Not Found")
}

func (w *world) ResolveURL(target, base string) (string, error) {
	if strings.Contains(target, "://") {
		return target, nil
	}
	if !strings.Contains(base, "://") {
		return "", errors.New("invalid URL: " + base)
	}
	return base[:strings.LastIndexByte(base, '/')+1] + strings.TrimPrefix(target, "./"), nil
}

func (w *world) SourceURLs(url string) (edit, folder string, ok bool) {
	if !strings.HasPrefix(url, "https://git/") {
		return "", "", false
	}
	return strings.Replace(url, "/show/", "/edit/", 1), url[:strings.LastIndexByte(url, '/')+1], true
}

func (w *world) SameRepository(a, b string) (same, known bool) {
	repo := func(u string) string {
		return strings.Join(strings.SplitN(u, "/", 6)[:min(5, strings.Count(u, "/"))], "/")
	}
	known = strings.HasPrefix(a, "https://git/") && strings.HasPrefix(b, "https://git/")
	return repo(a) == repo(b), known
}

func parseJSON(data []byte) ([]any, error) {
	if string(data) == "two" {
		return []any{1.0, 2.0}, nil
	}
	v, err := jsonvalue.Parse(data)
	return []any{v}, err
}

func pipeline(t *testing.T, w *world, change ...func(*process.Options)) *process.Pipeline {
	t.Helper()
	kinds, err := schemas.New(schemas.Options{})
	require.NoError(t, err)
	o := process.Options{Reader: w, Kinds: kinds, ParseYAML: parseJSON}
	for _, c := range change {
		c(&o)
	}
	p, err := process.New(o)
	require.NoError(t, err)
	return p
}

const at = "https://git/acme/shop/show/main/all.yaml"

// entity reads JSON in which single quotes stand for double ones.
func entity(t *testing.T, text string) catalog.Entity {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(strings.ReplaceAll(text, "'", `"`)))
	require.NoError(t, err)
	return catalog.Entity{Object: o}
}

func located(t *testing.T, text, location string) catalog.Entity {
	t.Helper()
	e := entity(t, text)
	e.SetAnnotation(catalog.AnnotationManagedBy, location)
	e.SetAnnotation(catalog.AnnotationManagedByOrigin, "url:https://origin/x.yaml")
	return e
}

func component(name, spec string) string {
	return fmt.Sprintf("{'apiVersion': 'backstage.io/v1alpha1', 'kind': 'Component', 'metadata': {'name': '%s'}, 'spec': {'type': 'a', 'lifecycle': 'b', 'owner': 'o'%s}}", name, spec)
}

func documents(location string, entities ...catalog.Entity) *process.ReadResult {
	ref, _ := catalog.ParseLocationRef(location)
	f := process.File{Location: ref}
	for _, e := range entities {
		f.Documents = append(f.Documents, process.Document{Entity: e})
	}
	return &process.ReadResult{Files: []process.File{f}}
}

func describe(errs []error) (out []string) {
	for _, err := range errs {
		out = append(out, catalog.Describe(err))
	}
	return out
}

func relations(r process.Result) (out []string) {
	for _, x := range r.Relations {
		out = append(out, x.Source+" "+x.Type+" "+x.Target)
	}
	return out
}

func TestRelationsOfKinds(t *testing.T) {
	kind := func(kind, namespace, spec string) string {
		version := "backstage.io/v1alpha1"
		if kind == "Template" {
			version = "scaffolder.backstage.io/v1beta3"
		}
		return fmt.Sprintf("{'apiVersion': '%s', 'kind': '%s', 'metadata': {'name': 'Me', 'namespace': '%s'}, 'spec': %s}", version, kind, namespace, spec)
	}
	cases := []struct{ name, entity, want string }{
		{"the entity's own namespace is the default, and refs are lower case",
			kind("Component", "ns", "{'type': 'a', 'lifecycle': 'b', 'owner': 'Team'}"),
			"component:ns/me ownedBy group:ns/team; group:ns/team ownerOf component:ns/me"},
		{"every field of a component",
			kind("Component", "default", "{'type': 'a', 'lifecycle': 'b', 'owner': 'user:u', 'system': 's', 'subcomponentOf': 'c', 'providesApis': ['p'], 'consumesApis': ['q'], 'dependsOn': ['resource:r'], 'dependencyOf': ['component:d']}"),
			"component:default/me ownedBy user:default/u; user:default/u ownerOf component:default/me; " +
				"component:default/me partOf system:default/s; system:default/s hasPart component:default/me; " +
				"component:default/me partOf component:default/c; component:default/c hasPart component:default/me; " +
				"component:default/me providesApi api:default/p; api:default/p apiProvidedBy component:default/me; " +
				"component:default/me consumesApi api:default/q; api:default/q apiConsumedBy component:default/me; " +
				"component:default/me dependsOn resource:default/r; resource:default/r dependencyOf component:default/me; " +
				"component:default/me dependencyOf component:default/d; component:default/d dependsOn component:default/me"},
		{"dependencyOf may be one string, since no schema speaks of it",
			kind("Resource", "default", "{'type': 'a', 'owner': 'o', 'dependencyOf': 'component:d'}"),
			"resource:default/me ownedBy group:default/o; group:default/o ownerOf resource:default/me; " +
				"resource:default/me dependencyOf component:default/d; component:default/d dependsOn resource:default/me"},
		{"an API", kind("API", "default", "{'type': 'a', 'lifecycle': 'b', 'owner': 'o', 'definition': 'x', 'system': 's'}"),
			"api:default/me ownedBy group:default/o; group:default/o ownerOf api:default/me; api:default/me partOf system:default/s; system:default/s hasPart api:default/me"},
		{"a system in a domain", kind("System", "default", "{'owner': 'o', 'domain': 'd'}"),
			"system:default/me ownedBy group:default/o; group:default/o ownerOf system:default/me; system:default/me partOf domain:default/d; domain:default/d hasPart system:default/me"},
		{"a domain in a domain", kind("Domain", "default", "{'owner': 'o', 'subdomainOf': 'd'}"),
			"domain:default/me ownedBy group:default/o; group:default/o ownerOf domain:default/me; domain:default/me partOf domain:default/d; domain:default/d hasPart domain:default/me"},
		{"a user", kind("User", "default", "{'memberOf': ['b', 'a']}"),
			"user:default/me memberOf group:default/a; group:default/a hasMember user:default/me; user:default/me memberOf group:default/b; group:default/b hasMember user:default/me"},
		{"a group", kind("Group", "default", "{'type': 'team', 'parent': 'p', 'children': ['c'], 'members': ['m']}"),
			"group:default/me childOf group:default/p; group:default/p parentOf group:default/me; group:default/me parentOf group:default/c; group:default/c childOf group:default/me; " +
				"group:default/me hasMember user:default/m; user:default/m memberOf group:default/me"},
		{"a template", kind("Template", "default", "{'type': 'a', 'steps': [], 'owner': 'o'}"),
			"template:default/me ownedBy group:default/o; group:default/o ownerOf template:default/me"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := pipeline(t, &world{}).Process(t.Context(), process.Input{Entity: located(t, c.entity, "url:https://x/y.yaml")})
			require.True(t, r.OK, describe(r.Errors))
			require.Equal(t, c.want, strings.Join(relations(r), "; "))
		})
	}
}

func TestVerdicts(t *testing.T) {
	cases := []struct {
		name, entity, location string
		want                   []string
	}{
		{"a sound one", component("a", ""), "", nil},
		{"no name", "{'apiVersion': 'backstage.io/v1alpha1', 'kind': 'Component', 'metadata': {}}", "",
			[]string{"TypeError: /metadata must have required property 'name' - missingProperty: name"}},
		{"an empty namespace", "{'apiVersion': 'x', 'kind': 'Component', 'metadata': {'name': 'a', 'namespace': ''}}", "",
			[]string{"TypeError: /metadata/namespace must NOT have fewer than 1 characters - limit: 1"}},
		{"a kind in another casing", strings.Replace(component("a", ""), "Component", "component", 1), "",
			[]string{"InputError: No processor recognized the entity component:default/a as valid, possibly caused by a foreign kind or apiVersion"}},
		{"a policy comes before the schema of the kind", strings.Replace(component("a b", ""), "'type': 'a', ", "", 1), "",
			[]string{`InputError: Policy check failed for component:default/a b; caused by Error: "metadata.name" is not valid; expected a string that is sequences of [a-zA-Z0-9] separated by any of [-_.], at most 63 characters in total but found "a b". To learn more about catalog file format, visit: https://github.com/backstage/backstage/blob/master/docs/architecture-decisions/adr002-default-catalog-file-format.md`}},
		{"the general schema comes before the fields", strings.Replace(component("a b", ""), "'metadata': {", "'metadata': {'title': 1, ", 1), "",
			[]string{"InputError: Policy check failed for component:default/a b; caused by Error: Malformed envelope, /metadata/title must be string"}},
		{"relations are not for authors", strings.Replace(component("a", ""), "'spec'", "'relations': [], 'spec'", 1), "",
			[]string{"InputError: Policy check failed for component:default/a; caused by Error: Unknown field relations"}},
		{"the schema of the kind", strings.Replace(component("a", ""), "'type': 'a', ", "", 1), "",
			[]string{"InputError: Processor BuiltinKindsEntityProcessor threw an error while validating the entity component:default/a; caused by TypeError: /spec must have required property 'type' - missingProperty: type"}},
		{"a ref that must say its kind", component("a", ", 'dependsOn': ['x']"), "",
			[]string{`InputError: Processor BuiltinKindsEntityProcessor threw an error while postprocessing; caused by Error: Entity reference "x" had missing or empty kind (e.g. did not start with "component:" or similar)`}},
		{"a placeholder that is not there", component("a", ", 'x': {'$text': './gone'}"), "",
			[]string{"InputError: Processor PlaceholderProcessor threw an error while preprocessing; caused by Error: Placeholder $text could not read location ./gone, NotFoundError: could not read https://git/acme/shop/show/main/gone, 404 Not Found"}},
		{"a placeholder with a path from a file", component("a", ", 'x': {'$text': './gone'}"), "file:/a/b.yaml",
			[]string{"InputError: Processor PlaceholderProcessor threw an error while preprocessing; caused by Error: Placeholder $text could not form a URL out of /a/b.yaml and ./gone, TypeError: Invalid URL"}},
		{"a placeholder that is no string", component("a", ", 'x': {'$json': 1}"), "",
			[]string{"InputError: Processor PlaceholderProcessor threw an error while preprocessing; caused by Error: Placeholder $json expected a string value parameter, in the form of an absolute URL or a relative path"}},
		{"a placeholder into another repository", component("a", ", 'x': {'$text': 'https://git/acme/secrets/show/main/x'}"), "",
			[]string{"InputError: Processor PlaceholderProcessor threw an error while preprocessing; caused by Error: Placeholder $text could not read location https://git/acme/secrets/show/main/x, NotAllowedError: Placeholder may only reference files from the same repository as the entity"}},
		{"a placeholder of two documents", component("a", ", 'x': {'$yaml': './two'}"), "",
			[]string{"InputError: Processor PlaceholderProcessor threw an error while preprocessing; caused by Error: Placeholder $yaml expected to find exactly one document of data at ./two, found 2"}},
		{"annotations that are none", strings.Replace(component("a", ""), "'metadata': {", "'metadata': {'annotations': 1, ", 1), "none",
			[]string{"InputError: Policy check failed for component:default/a; caused by Error: Malformed envelope, /metadata/annotations must be object"}},
		{"no location", component("a", ""), "none",
			[]string{"InputError: Entity component:default/a has no annotation backstage.io/managed-by-location"}},
	}
	w := &world{files: map[string]string{"https://git/acme/shop/show/main/two": "two"}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var e catalog.Entity
			switch c.location {
			case "none":
				e = entity(t, c.entity)
			case "":
				e = located(t, c.entity, "url:"+at)
			default:
				e = located(t, c.entity, c.location)
			}
			r := pipeline(t, w).Process(t.Context(), process.Input{Entity: e})
			require.Equal(t, c.want, describe(r.Errors))
			require.Equal(t, c.want == nil, r.OK)
			if !r.OK {
				require.Empty(t, r.Children)
				require.Empty(t, r.Relations, "a run that fails emits nothing")
			}
		})
	}
}

func TestPlaceholders(t *testing.T) {
	w := &world{files: map[string]string{
		"https://git/acme/shop/show/main/t.md": "text {\"$text\": 1}", "https://git/acme/shop/show/main/j.json": `{"$text": "./gone"}`,
		"https://git/acme/shop/show/main/bad": "\xff!",
	}}
	e := located(t, component("a", ", 'x': [{'$text': './t.md'}], 'y': {'z': {'$json': './j.json'}}, 'two': {'$text': './gone', 'b': {'$text': './gone'}}, 'other': {'$include': './gone'}, 'bad': {'$text': './bad'}"), "url:"+at)
	r := pipeline(t, w).Process(t.Context(), process.Input{Entity: e})
	require.True(t, r.OK, describe(r.Errors))
	require.JSONEq(t, `{"type": "a", "lifecycle": "b", "owner": "o", "x": ["text {\"$text\": 1}"], "y": {"z": {"$text": "./gone"}},
		"two": {"$text": "./gone", "b": {"$text": "./gone"}}, "other": {"$include": "./gone"}, "bad": "\ufffd!"}`,
		string(jsonvalue.Append(nil, r.Entity.Spec())), "what was loaded, and what only looks like a placeholder, is left alone")
	require.Equal(t, []string{"url:https://git/acme/shop/show/main/t.md", "url:https://git/acme/shop/show/main/j.json", "url:https://git/acme/shop/show/main/bad"}, r.RefreshKeys)
}

func TestAnnotationsOfTheLocation(t *testing.T) {
	annotations := func(text, location string, change ...func(*process.Options)) *jsonvalue.Object {
		r := pipeline(t, &world{}, change...).Process(t.Context(), process.Input{Entity: located(t, text, location)})
		require.True(t, r.OK, describe(r.Errors))
		return r.Entity.Metadata().Object("annotations")
	}
	got := annotations(component("a", ""), "url:"+at)
	require.Equal(t, at, got.String(catalog.AnnotationViewURL))
	require.Equal(t, "https://git/acme/shop/edit/main/all.yaml", got.String(catalog.AnnotationEditURL))
	require.Equal(t, "url:https://git/acme/shop/show/main/", got.String(catalog.AnnotationSourceLocation))

	own := strings.Replace(component("a", ""), "'metadata': {", "'metadata': {'annotations': {'backstage.io/edit-url': 'https://mine'}, ", 1)
	require.Equal(t, "https://mine", annotations(own, "url:"+at).String(catalog.AnnotationEditURL), "the author's word stays")
	pinned := strings.Replace(at, "main", strings.Repeat("0a", 20), 1)
	require.False(t, annotations(component("a", ""), "url:"+pinned).Has(catalog.AnnotationEditURL), "nobody edits a file of the past")
	require.False(t, annotations(component("a", ""), "url:https://plain/x.yaml").Has(catalog.AnnotationSourceLocation))
	require.False(t, annotations(component("a", ""), "file:/x.yaml").Has(catalog.AnnotationViewURL))
	off := func(o *process.Options) {
		o.Processors = map[string]process.ProcessorOptions{process.AnnotateProcessor: {Disabled: true}}
	}
	require.False(t, annotations(component("a", ""), "url:"+at, off).Has(catalog.AnnotationViewURL))
}

func location(spec string) string {
	return "{'apiVersion': 'backstage.io/v1alpha1', 'kind': 'Location', 'metadata': {'name': 'l'}, 'spec': " + spec + "}"
}

func TestLocationEmits(t *testing.T) {
	const dir = "https://git/acme/shop/show/main/"
	w := &world{locations: map[string]*process.ReadResult{
		"url:" + dir + "a.yaml":    documents("url:"+dir+"a.yaml", entity(t, component("One", "")), entity(t, component("l", ""))),
		"url:" + dir + "b.yaml":    documents("url:"+dir+"b.yaml", entity(t, strings.Replace(component("two", ""), "'metadata': {", "'metadata': {'annotations': {'backstage.io/managed-by-location': 'url:https://forged'}, ", 1))),
		"url:" + dir + "self.yaml": documents("url:"+dir+"self.yaml", entity(t, location("{}"))),
	}}
	r := pipeline(t, w).Process(t.Context(), process.Input{Entity: located(t, location("{'target': './a.yaml', 'targets': ['./b.yaml', './self.yaml']}"), "url:"+at)})
	require.True(t, r.OK, describe(r.Errors))
	var refs []string
	for _, c := range r.Children {
		refs = append(refs, c.Ref)
		require.Equal(t, c.LocationKey, c.Entity.Annotation(catalog.AnnotationManagedBy), "the location key is that of the file, whatever the author says")
		require.Equal(t, "url:https://origin/x.yaml", c.Entity.Annotation(catalog.AnnotationManagedByOrigin))
	}
	require.Equal(t, []string{"component:default/one", "component:default/l", "component:default/two"}, refs, "in the order of the targets, and not itself")
	require.Len(t, r.Warnings, 1)
	require.Equal(t, []string{"url:" + dir + "a.yaml", "url:" + dir + "b.yaml", "url:" + dir + "self.yaml"}, r.RefreshKeys)
}

func TestLocationThatCannotBeRead(t *testing.T) {
	w := &world{locations: map[string]*process.ReadResult{
		"url:https://h/bad.yaml":   {Files: []process.File{{Location: catalog.LocationRef{Type: "url", Target: "https://h/bad.yaml"}, Documents: []process.Document{{Err: errors.New("YAML error")}, {Entity: entity(t, component("a", ""))}}}}},
		"url:https://h/robot.yaml": documents("url:https://h/robot.yaml", entity(t, strings.Replace(component("r", ""), "Component", "Robot", 1))),
		"url:https://h/none.yaml":  documents("url:https://h/none.yaml", entity(t, "{'kind': 'Component'}")),
	}}
	rules, err := process.NewRules(process.DefaultRules())
	require.NoError(t, err)
	cases := []struct {
		name, spec string
		want       []string
	}{
		{"missing", "{'targets': ['https://h/x', 'https://h/y']}", []string{
			"NotFoundError: Unable to read url, no matching files found for https://h/x", "NotFoundError: Unable to read url, no matching files found for https://h/y"}},
		{"missing, and optional", "{'target': 'https://h/x', 'presence': 'optional'}", nil},
		{"a document that is broken, optional or not", "{'target': 'https://h/bad.yaml', 'presence': 'optional'}", []string{"Error: YAML error"}},
		{"a document that is no entity", "{'target': 'https://h/none.yaml'}", []string{"TypeError: <root> must have required property 'apiVersion' - missingProperty: apiVersion"}},
		{"a kind that no rule allows", "{'target': 'https://h/robot.yaml'}", []string{
			"NotAllowedError: Entity robot:default/r at url:https://h/robot.yaml, originated at url:https://origin/x.yaml, is not of an allowed kind for that location"}},
		{"a type from elsewhere that is not allowed", "{'type': 'file', 'target': '/etc/passwd'}", []string{`InputError: Registered locations must be of an allowed type ["url"]`}},
		{"nothing", "{}", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := pipeline(t, w, func(o *process.Options) { o.Rules = rules })
			r := p.Process(t.Context(), process.Input{Entity: located(t, location(c.spec), "url:"+at)})
			require.Equal(t, c.want, describe(r.Errors))
			require.Empty(t, r.Children)
		})
	}
	p := pipeline(t, w, func(o *process.Options) { o.LocationTypes = []string{"url", "odd"} })
	r := p.Process(t.Context(), process.Input{Entity: located(t, location("{'type': 'odd', 'target': 'x'}"), "url:"+at)})
	require.Equal(t, []string{"InputError: No processor was able to handle reading of odd:x"}, describe(r.Errors))
}

// What a source says is the same is not read again, as long as all of it was
// sound.
func TestCache(t *testing.T) {
	const key = "url:https://h/a.yaml"
	w := &world{locations: map[string]*process.ReadResult{key: documents(key, entity(t, component("a", "")))}}
	w.locations[key].ETag = `"1"`
	p := pipeline(t, w)
	input := func(cache *process.Cache) process.Input {
		return process.Input{Entity: located(t, location("{'target': 'https://h/a.yaml'}"), "url:"+at), Cache: cache}
	}
	first := p.Process(t.Context(), input(nil))
	require.True(t, first.OK)
	stored := first.Cache.AppendJSON(nil)
	cache, err := process.ParseCache(stored)
	require.NoError(t, err)
	second := p.Process(t.Context(), input(cache))
	require.Equal(t, `"1"`, w.requests[1].ETag)
	require.Equal(t, first.Children, second.Children, "what was kept stands for what would have been read")
	require.Equal(t, stored, second.Cache.AppendJSON(nil), "and is not changed by the run")

	w.locations[key] = &process.ReadResult{ETag: `"2"`, Files: []process.File{{Documents: []process.Document{{Err: errors.New("broken")}}}}}
	for n := range 5 {
		failed := p.Process(t.Context(), input(cache))
		require.False(t, failed.OK)
		if cache = failed.Cache; n < 4 {
			require.NotNil(t, cache, "after %d failures", n+1)
		}
	}
	require.Nil(t, cache, "after five failed runs nothing of it is trusted any more")

	for _, bad := range []string{"", "[]", "{", `{"targets": [1]}`, `{"targets": [{"target": "x", "etag": "y", "files": [[1]]}]}`} {
		if c, err := process.ParseCache([]byte(bad)); err == nil {
			require.Empty(t, c.AppendJSON(nil)[len(`{"failures":0,"targets":[]}`):])
		}
	}
}

func TestRules(t *testing.T) {
	rule := func(kind, specType string, locations ...process.LocationMatch) process.Rule {
		return process.Rule{Allow: []process.AllowedKind{{Kind: kind, SpecType: specType}}, Locations: locations}
	}
	cases := []struct {
		name    string
		rule    process.Rule
		origin  string
		allowed bool
	}{
		{"a kind in any case", rule("COMPONENT", ""), "url:x", true},
		{"another kind", rule("API", ""), "url:x", false},
		{"its type in any case", rule("Component", "A"), "url:x", true},
		{"another type", rule("Component", "b"), "url:x", false},
		{"no location at all", process.Rule{Allow: []process.AllowedKind{{Kind: "Component"}}, Locations: []process.LocationMatch{}}, "url:x", false},
		{"a type of location", rule("Component", "", process.LocationMatch{Type: "file"}), "url:x", false},
		{"an exact target", rule("Component", "", process.LocationMatch{Type: "url", Exact: "x"}), "url:x", true},
		{"an exact target in another case", rule("Component", "", process.LocationMatch{Type: "url", Exact: "X"}), "url:x", false},
		{"a pattern, whatever the case, with hidden files", rule("Component", "", process.LocationMatch{Pattern: "https://HOST/**/*.yaml"}), "url:https://host/a/.b/c.yaml", true},
		{"a pattern that matches a part", rule("Component", "", process.LocationMatch{Pattern: "https://host/*"}), "url:https://host/a/b", false},
		{"one of several", rule("Component", "", process.LocationMatch{Type: "file"}, process.LocationMatch{Type: "url"}), "url:x", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rules, err := process.NewRules([]process.Rule{c.rule})
			require.NoError(t, err)
			origin, err := catalog.ParseLocationRef(c.origin)
			require.NoError(t, err)
			require.Equal(t, c.allowed, rules.Allows(entity(t, component("a", "")), origin))
		})
	}
	_, err := process.NewRules([]process.Rule{rule("A", "", process.LocationMatch{Exact: "a", Pattern: "b"})})
	require.Error(t, err)
	_, err = process.NewRules([]process.Rule{rule("A", "", process.LocationMatch{Pattern: "["})})
	require.Error(t, err)
}

func TestValidateTakesTheLocation(t *testing.T) {
	p := pipeline(t, &world{})
	e := entity(t, component("a", ""))
	require.Empty(t, p.Validate(t.Context(), e, "url:https://x/y.yaml"))
	require.Equal(t, "", e.Annotation(catalog.AnnotationManagedBy), "the caller's entity stays as it is")
	require.Equal(t, []string{"TypeError: <root> must have required property 'apiVersion' - missingProperty: apiVersion"},
		describe(p.Validate(t.Context(), entity(t, "{'kind': 'x'}"), "url:x")))
	require.Equal(t, []string{"TypeError: <root> must be object - type: object"}, describe(p.Validate(t.Context(), catalog.Entity{}, "url:x")))
}

func TestListsOfRefsAreSorted(t *testing.T) {
	e := located(t, component("a", ", 'providesApis': ['b', 'B', 'a', '\U0001F600', '\uE000'], 'tags': ['z', 'a']"), "url:"+at)
	r := pipeline(t, &world{}).Process(t.Context(), process.Input{Entity: e})
	require.True(t, r.OK, describe(r.Errors))
	require.Equal(t, []any{"B", "a", "b", "\U0001F600", "\uE000"}, r.Entity.Spec().Value("providesApis"), "by UTF-16 units, as JavaScript does")
	require.Equal(t, []any{"z", "a"}, r.Entity.Spec().Value("tags"))
}

func TestModelRelatesKnownPairsOnly(t *testing.T) {
	kinds, err := schemas.New(schemas.Options{AIModel: true})
	require.NoError(t, err)
	p := pipeline(t, &world{}, func(o *process.Options) { o.Kinds = kinds })
	run := func(text string) process.Result {
		return p.Process(t.Context(), process.Input{Entity: located(t, text, "url:"+at)})
	}
	r := run(strings.Replace(component("a", ", 'providesApis': ['component:x', 'y']"), "'owner': 'o'", "'owner': 'system:o'", 1))
	require.True(t, r.OK, describe(r.Errors))
	require.Equal(t, []string{"component:default/a providesApi api:default/y", "api:default/y apiProvidedBy component:default/a"}, relations(r))
	r = run(strings.Replace(component("a", ""), "backstage.io/v1alpha1", "backstage.io/v9", 1))
	require.Len(t, r.Errors, 1)
	require.ErrorContains(t, r.Errors[0], "Processor ModelProcessor threw an error while validating the entity component:default/a")
	r = run("{'apiVersion': 'backstage.io/v1alpha1', 'kind': 'AiResource', 'metadata': {'name': 's'}, 'spec': {'type': 'skill', 'lifecycle': 'x', 'owner': 'o', 'dependsOn': ['t']}}")
	require.True(t, r.OK, describe(r.Errors))
	require.Contains(t, relations(r), "airesource:default/s dependsOn airesource:default/t")
}
