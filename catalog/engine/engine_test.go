package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/boltstore"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// A world is a set of sources that a test changes as it likes. It is the
// engine's processor: a Location emits what the world holds under its target,
// spec.owner becomes a pair of relations, and spec.broken an error.
type world struct {
	mu      sync.Mutex
	sources map[string][]catalog.Entity
	broken  map[string]error // by target
	runs    map[string]int   // by ref
}

func newWorld() *world {
	return &world{sources: map[string][]catalog.Entity{}, broken: map[string]error{}, runs: map[string]int{}}
}

func (w *world) set(target string, entities ...catalog.Entity) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sources[target] = entities
}

func (w *world) fail(target string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken[target] = err
}

func (w *world) runsOf(ref string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.runs[ref]
}

func (w *world) Process(_ context.Context, in process.Input) process.Result {
	w.mu.Lock()
	defer w.mu.Unlock()
	entity := in.Entity.Clone()
	ref := entity.Ref().String()
	w.runs[ref]++
	entity.Metadata().Set("namespace", entity.Namespace())
	if broken := entity.Spec().String("broken"); broken != "" {
		return process.Result{Errors: []error{catalog.NewError(catalog.NameInput, broken)}}
	}
	result := process.Result{OK: true, Entity: entity}
	if owner := entity.Spec().String("owner"); owner != "" {
		result.Relations = []catalog.Relation{
			{Source: ref, Type: "ownedBy", Target: owner}, {Source: owner, Type: "ownerOf", Target: ref},
		}
	}
	if !strings.EqualFold(entity.Kind(), "Location") {
		return result
	}
	target := entity.Spec().String("target")
	result.RefreshKeys = []string{"url:" + target}
	if err := w.broken[target]; err != nil {
		return process.Result{Errors: []error{err}, RefreshKeys: result.RefreshKeys}
	}
	for _, child := range w.sources[target] {
		child = child.Clone()
		child.SetAnnotation(catalog.AnnotationManagedBy, "url:"+target)
		child.SetAnnotation(catalog.AnnotationManagedByOrigin, entity.Annotation(catalog.AnnotationManagedByOrigin))
		result.Children = append(result.Children, process.Child{Ref: child.Ref().String(), Entity: child, LocationKey: "url:" + target})
	}
	return result
}

// entity makes an entity from a ref and pairs of spec keys and values.
func entity(ref string, spec ...string) catalog.Entity {
	r, err := catalog.ParseEntityRef(ref, "Component", "")
	if err != nil {
		panic(err)
	}
	s := jsonvalue.NewObject()
	for i := 0; i+1 < len(spec); i += 2 {
		s.Set(spec[i], spec[i+1])
	}
	return catalog.Entity{Object: jsonvalue.NewObject(
		jsonvalue.Member{Key: "apiVersion", Value: "backstage.io/v1alpha1"},
		jsonvalue.Member{Key: "kind", Value: r.Kind},
		jsonvalue.Member{Key: "metadata", Value: jsonvalue.NewObject(jsonvalue.Member{Key: "name", Value: r.Name})},
		jsonvalue.Member{Key: "spec", Value: s},
	)}
}

// A fixture is an engine on a store of its own.
type fixture struct {
	*engine.Engine
	t     *testing.T
	world *world
	db    *bbolt.DB
	store *boltstore.Store
	index *index.Index
	opts  engine.Options
}

func start(t *testing.T, change ...func(*engine.Options)) *fixture {
	t.Helper()
	f := &fixture{t: t, world: newWorld()}
	f.open(filepath.Join(t.TempDir(), "store.db"), change...)
	return f
}

func (f *fixture) open(path string, change ...func(*engine.Options)) {
	f.t.Helper()
	var err error
	f.db, err = boltstore.OpenFile(path, false)
	require.NoError(f.t, err)
	f.db.NoSync = true
	f.store, err = boltstore.New(f.db)
	require.NoError(f.t, err)
	f.index = index.New()
	f.opts = engine.Options{
		Store: f.store, Index: f.index, Processor: f.world, Logger: slog.New(slog.DiscardHandler),
		OrphanGrace: time.Millisecond, MinInterval: time.Hour,
	}
	for _, c := range change {
		c(&f.opts)
	}
	f.Engine, err = engine.Open(f.t.Context(), f.opts)
	require.NoError(f.t, err)
	f.t.Cleanup(f.close)
}

func (f *fixture) close() {
	if f.Engine == nil {
		return
	}
	require.NoError(f.t, f.Engine.Close())
	f.check()
	require.NoError(f.t, f.db.Close())
	f.Engine = nil
}

// reopen ends the engine and starts another on the same file.
func (f *fixture) reopen(change ...func(*engine.Options)) {
	f.t.Helper()
	path := f.db.Path()
	f.close()
	f.open(path, change...)
}

// check fails the test for every violation in the store, and where the index
// says anything but the store.
func (f *fixture) check() {
	f.t.Helper()
	require.NoError(f.t, f.store.Check(context.WithoutCancel(f.t.Context()), func(v string) { f.t.Error(v) }))
}

func (f *fixture) register(target string) catalog.Location {
	f.t.Helper()
	l, err := f.RegisterLocation(f.t.Context(), catalog.LocationRef{Type: "url", Target: target}, "")
	require.NoError(f.t, err)
	f.settle()
	return l
}

func (f *fixture) settle() {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(f.t, f.Settle(ctx))
}

// eventually waits for what follows from a timer of the engine.
func (f *fixture) eventually(what string, holds func() bool) {
	f.t.Helper()
	require.Eventually(f.t, holds, 10*time.Second, time.Millisecond, what)
}

// get returns what is served under a ref, nil if nothing is.
func (f *fixture) get(ref string) *jsonvalue.Object {
	f.t.Helper()
	var doc *jsonvalue.Object
	require.NoError(f.t, f.store.View(func(tx store.ReadTx) error {
		s, err := tx.State(ref)
		if err != nil || s == nil {
			return err
		}
		json, _ := tx.Document(s.UID)
		if json == nil {
			return nil
		}
		doc, err = jsonvalue.ParseObject(json)
		return err
	}))
	return doc
}

func (f *fixture) revision() (n uint64) {
	require.NoError(f.t, f.store.View(func(tx store.ReadTx) error {
		n = tx.Revision()
		return nil
	}))
	return n
}

// relations returns "<type> <target>" of each relation of an entity.
func relations(doc *jsonvalue.Object) (list []string) {
	items, _ := doc.Value("relations").([]any)
	for _, x := range items {
		o := x.(*jsonvalue.Object)
		list = append(list, o.String("type")+" "+o.String("targetRef"))
	}
	return list
}

func uid(t *testing.T, doc *jsonvalue.Object) catalog.UID {
	u, err := catalog.ParseUID(doc.Object("metadata").String("uid"))
	require.NoError(t, err)
	return u
}

func TestRegisteredLocationIsServedWithRelations(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:one", "owner", "group:default/team"), entity("group:team"))
	l := f.register("http://x/a.yaml")
	require.Equal(t, "location:default/generated-"+l.EntityRef[len("location:default/generated-"):], l.EntityRef)

	one, team := f.get("component:default/one"), f.get("group:default/team")
	require.Equal(t, []string{"ownedBy group:default/team"}, relations(one))
	require.Equal(t, []string{"ownerOf component:default/one"}, relations(team))
	require.Len(t, one.Object("metadata").String("etag"), 40)
	require.Equal(t, f.revision(), f.index.Snapshot().Revision())
	_, err := f.RegisterLocation(t.Context(), l.Ref(), "")
	require.ErrorIs(t, err, catalog.ErrConflict)
	again, err := f.RegisterLocation(t.Context(), l.Ref(), engine.OnConflictRefresh)
	require.NoError(t, err)
	require.Equal(t, l, again)
}

func TestEqualResultWritesNothing(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:one", "owner", "group:default/team"))
	l := f.register("http://x/a.yaml")
	before, runs := f.revision(), f.world.runsOf(l.EntityRef)
	require.NoError(t, f.RefreshKeys(t.Context(), []string{"url:http://x/a.yaml"}))
	f.settle()
	require.Equal(t, runs+1, f.world.runsOf(l.EntityRef), "it must have been processed again")
	require.Equal(t, before, f.revision())
}

func TestFailureKeepsWhatIsServed(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:one"), entity("component:two"))
	l := f.register("http://x/a.yaml")

	f.world.fail("http://x/a.yaml", catalog.NewError(catalog.NameNotFound, "it is not there"))
	require.NoError(t, f.Refresh(t.Context(), "component:default/one"))
	f.settle()
	require.NotNil(t, f.get("component:default/one"), "children stay when their location fails")
	items := f.get(l.EntityRef).Object("status").Value("items").([]any)
	require.Equal(t, "NotFoundError: it is not there", items[0].(*jsonvalue.Object).String("message"))

	f.world.fail("http://x/a.yaml", nil)
	f.world.set("http://x/a.yaml", entity("component:one", "broken", "no good"), entity("component:two"))
	require.NoError(t, f.Refresh(t.Context(), "component:default/one"))
	f.settle()
	require.False(t, f.get(l.EntityRef).Has("status"), "the error goes when the location can be read again")
	require.True(t, f.get("component:default/one").Has("status"), "the entity shows its error, and stays")
}

func TestNewEntityThatFailsIsNotServed(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:bad", "broken", "no good", "owner", "me"), entity("component:good"))
	f.register("http://x/a.yaml")
	require.Nil(t, f.get("component:default/bad"))
	require.NotNil(t, f.get("component:default/good"))
	failed, err := f.Unprocessed(t.Context(), engine.StateFailed, "")
	require.NoError(t, err)
	require.Len(t, failed, 1)
	require.Equal(t, "component:default/bad", failed[0].EntityRef)
	require.Len(t, failed[0].Errors, 1)
	others, err := f.Unprocessed(t.Context(), engine.StateFailed, "somebody else")
	require.NoError(t, err)
	require.Empty(t, others)
	require.NoError(t, f.DeleteUnprocessed(t.Context(), failed[0].EntityID))
	f.settle()
	require.Equal(t, 2, f.world.runsOf("component:default/bad"), "its location emits it again")
}

func TestWhatIsEmittedNoMoreGoes(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:one", "owner", "group:default/team"), entity("group:team"))
	f.register("http://x/a.yaml")
	f.world.set("http://x/a.yaml", entity("group:team"))
	require.NoError(t, f.Refresh(t.Context(), "group:default/team"))
	f.eventually("the orphan goes", func() bool { return f.get("component:default/one") == nil })
	require.Empty(t, relations(f.get("group:default/team")), "its relations go with it")
}

func TestKeptOrphansAreMarked(t *testing.T) {
	f := start(t, func(o *engine.Options) { o.KeepOrphans = true })
	f.world.set("http://x/a.yaml", entity("component:one"), entity("group:team"))
	f.register("http://x/a.yaml")
	orphan := func() string {
		return catalog.Entity{Object: f.get("component:default/one")}.Annotation(catalog.AnnotationOrphan)
	}
	f.world.set("http://x/a.yaml", entity("group:team"))
	require.NoError(t, f.Refresh(t.Context(), "group:default/team"))
	f.settle()
	require.Equal(t, "true", orphan())
	require.ErrorIs(t, f.Refresh(t.Context(), "component:default/one"), catalog.ErrNotFound)

	f.world.set("http://x/a.yaml", entity("component:one"), entity("group:team"))
	require.NoError(t, f.Refresh(t.Context(), "group:default/team"))
	f.settle()
	require.Empty(t, orphan())
}

func TestFirstLocationKeepsTheRefUntilItLetsGo(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:one", "from", "a"))
	f.world.set("http://x/b.yaml", entity("component:one", "from", "b"), entity("component:other"))
	a := f.register("http://x/a.yaml")
	f.register("http://x/b.yaml")
	from := func() string { return f.get("component:default/one").Object("spec").String("from") }
	require.Equal(t, "a", from())
	require.NotNil(t, f.get("component:default/other"))

	require.NoError(t, f.DeleteLocation(t.Context(), a.ID))
	f.eventually("the second location takes over", func() bool {
		return f.get("component:default/one") != nil && from() == "b"
	})
}

func TestLastOfEqualRefsInOneFileCounts(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:one", "n", "1"), entity("component:ONE", "n", "2"))
	f.register("http://x/a.yaml")
	require.Equal(t, "2", f.get("component:default/one").Object("spec").String("n"))
}

// The reference names a parent once for each time that it emits an entity.
func TestRepeatsAreCounted(t *testing.T) {
	f := start(t)
	repeats := func() (n int) {
		require.NoError(t, f.store.View(func(tx store.ReadTx) error {
			s, err := tx.State("component:default/one")
			n = s.Repeats
			return err
		}))
		return n
	}
	f.world.set("http://x/a.yaml", entity("component:one"), entity("component:one"), entity("component:two"))
	l := f.register("http://x/a.yaml")
	require.Equal(t, 1, repeats())
	f.world.set("http://x/a.yaml", entity("component:one"), entity("component:two"))
	require.NoError(t, f.Refresh(t.Context(), "component:default/two"))
	f.settle()
	require.Equal(t, 0, repeats(), l.ID)
}

// A location that fails from the first on is read again when it is said that
// its file has changed.
func TestFailedLocationIsReadAgainWhenItsFileChanges(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:one"))
	f.world.fail("http://x/a.yaml", catalog.NewError(catalog.NameError, "it is broken"))
	l := f.register("http://x/a.yaml")
	require.Nil(t, f.get(l.EntityRef))
	f.world.fail("http://x/a.yaml", nil)
	require.NoError(t, f.RefreshKeys(t.Context(), []string{"url:http://x/a.yaml"}))
	f.settle()
	require.NotNil(t, f.get("component:default/one"))
}

func TestDeletedEntityComesBackWithAnotherUID(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:one"))
	f.register("http://x/a.yaml")
	before := uid(t, f.get("component:default/one"))
	require.NoError(t, f.DeleteEntity(t.Context(), before))
	f.settle()
	after := uid(t, f.get("component:default/one"))
	require.Equal(t, 1, strings.Compare(after.String(), before.String()), "uids ascend")
	require.NoError(t, f.DeleteEntity(t.Context(), catalog.UID{1}), "an unknown uid is no error")
}

func TestDeletedRootStaysAwayAndItsChildrenGo(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:one"))
	l := f.register("http://x/a.yaml")
	require.NoError(t, f.DeleteEntity(t.Context(), uid(t, f.get(l.EntityRef))))
	f.eventually("children go", func() bool { return f.get("component:default/one") == nil })
	require.Nil(t, f.get(l.EntityRef))
}

func TestDeleteLocationTakesTheTreeAtOnce(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:one"),
		entity("location:more", "target", "http://x/b.yaml"))
	f.world.set("http://x/b.yaml", entity("component:two"))
	l := f.register("http://x/a.yaml")
	require.NotNil(t, f.get("component:default/two"))
	require.NoError(t, f.DeleteLocation(t.Context(), l.ID))
	for _, ref := range []string{l.EntityRef, "component:default/one", "location:default/more", "component:default/two"} {
		require.Nil(t, f.get(ref), ref)
	}
	require.ErrorIs(t, f.DeleteLocation(t.Context(), l.ID), catalog.ErrNotFound)
}

func TestLocationsThatNameEachOtherGoWithTheirRoot(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("location:one", "target", "http://x/b.yaml"))
	f.world.set("http://x/b.yaml", entity("location:two", "target", "http://x/a.yaml"))
	l := f.register("http://x/a.yaml")
	require.NotNil(t, f.get("location:default/two"))
	require.NoError(t, f.DeleteLocation(t.Context(), l.ID))
	require.Nil(t, f.get("location:default/one"))
	require.Nil(t, f.get("location:default/two"))
}

func TestUpdatedLocationKeepsTheNameOfItsEntity(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:one"))
	f.world.set("http://x/b.yaml", entity("component:two"))
	l := f.register("http://x/a.yaml")
	other := f.register("http://x/c.yaml")
	to := catalog.LocationRef{Type: "url", Target: "http://x/b.yaml"}
	updated, err := f.UpdateLocation(t.Context(), l.ID, to)
	require.NoError(t, err)
	require.Equal(t, catalog.Location{ID: l.ID, Type: "url", Target: to.Target, EntityRef: l.EntityRef}, updated)
	f.settle()
	require.Nil(t, f.get("component:default/one"))
	require.NotNil(t, f.get("component:default/two"))
	require.Equal(t, to.Target, f.get(l.EntityRef).Object("spec").String("target"))

	_, err = f.UpdateLocation(t.Context(), l.ID, other.Ref())
	require.ErrorIs(t, err, catalog.ErrConflict)
	_, err = f.UpdateLocation(t.Context(), "nope", to)
	require.ErrorIs(t, err, catalog.ErrNotFound)
	_, err = f.UpdateLocation(t.Context(), l.ID, catalog.LocationRef{Type: "file", Target: "/etc"})
	require.ErrorIs(t, err, catalog.ErrInput)
}

func provided(ref, spec string) engine.Deferred {
	e := entity(ref, "v", spec)
	e.SetAnnotation(catalog.AnnotationManagedBy, "url:http://provider")
	e.SetAnnotation(catalog.AnnotationManagedByOrigin, "url:http://provider")
	return engine.Deferred{Entity: e, LocationKey: "provider"}
}

func TestProviderMutations(t *testing.T) {
	f := start(t)
	apply := func(provider string, m engine.Mutation) {
		t.Helper()
		require.NoError(t, f.ApplyMutation(t.Context(), provider, m))
		f.settle()
	}
	apply("p", engine.Mutation{Full: true, Added: []engine.Deferred{provided("user:a", "1"), provided("user:b", "1")}})
	before := uid(t, f.get("user:default/a"))
	apply("p", engine.Mutation{Full: true, Added: []engine.Deferred{provided("user:a", "2"), provided("user:c", "1")}})
	require.Equal(t, before, uid(t, f.get("user:default/a")), "a changed entity keeps its uid")
	require.Equal(t, "2", f.get("user:default/a").Object("spec").String("v"))
	require.Nil(t, f.get("user:default/b"))

	apply("p", engine.Mutation{Added: []engine.Deferred{provided("user:d", "1")}, Removed: []string{"user:default/c"}})
	require.Nil(t, f.get("user:default/c"))
	require.NotNil(t, f.get("user:default/a"))
	apply("other", engine.Mutation{Removed: []string{"user:default/a"}})
	require.NotNil(t, f.get("user:default/a"), "what another provider feeds in stays")

	changed := provided("user:a", "2")
	changed.LocationKey = "another"
	apply("p", engine.Mutation{Full: true, Added: []engine.Deferred{changed}})
	require.NotEqual(t, before, uid(t, f.get("user:default/a")), "another location key is another entity")

	require.NoError(t, f.RetainProviders(t.Context(), []string{"other"}))
	require.Nil(t, f.get("user:default/a"))

	bad := provided("user:z", "1")
	bad.Entity.Metadata().Delete("annotations")
	require.Error(t, f.ApplyMutation(t.Context(), "p", engine.Mutation{Added: []engine.Deferred{provided("user:y", "1"), bad}}))
	f.settle()
	require.Nil(t, f.get("user:default/y"), "a mutation with a bad entity is refused whole")
}

func TestRegisteredLocationOutlivesTheSameOneOfAProvider(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:one"))
	ref := catalog.LocationRef{Type: "url", Target: "http://x/a.yaml"}
	configured := engine.Deferred{Entity: catalog.LocationEntity(ref, "", "", ""), LocationKey: ref.String()}
	require.NoError(t, f.ApplyMutation(t.Context(), "config", engine.Mutation{Full: true, Added: []engine.Deferred{configured}}))
	f.register(ref.Target)
	require.NoError(t, f.ApplyMutation(t.Context(), "config", engine.Mutation{Full: true}))
	f.settle()
	require.NotNil(t, f.get("component:default/one"))
}

func TestWorkThatIsDueSurvivesARestart(t *testing.T) {
	f := start(t)
	f.reopen(func(o *engine.Options) { o.ReadOnly = true })
	f.world.set("http://x/a.yaml", entity("component:one"))
	_, err := f.RegisterLocation(t.Context(), catalog.LocationRef{Type: "url", Target: "http://x/a.yaml"}, "")
	require.NoError(t, err)
	f.reopen()
	f.eventually("the work goes on", func() bool { return f.get("component:default/one") != nil })
	f.reopen()
	require.Equal(t, f.revision(), f.index.Snapshot().Revision(), "the index is loaded from the store")
}

func TestAnotherFingerprintProcessesEverythingAgain(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:one"), entity("component:two"))
	f.register("http://x/a.yaml")
	f.reopen()
	f.settle()
	require.Equal(t, 1, f.world.runsOf("component:default/one"), "what read nothing is not processed again")
	f.reopen(func(o *engine.Options) { o.Fingerprint = "another" })
	f.eventually("all is processed again", func() bool {
		return f.world.runsOf("component:default/one") == 2 && f.world.runsOf("component:default/two") == 2
	})
	f.settle()
	f.reopen(func(o *engine.Options) { o.Fingerprint = "another" })
	f.settle()
	require.Equal(t, 2, f.world.runsOf("component:default/one"))
}

func TestDryRunStoresNothing(t *testing.T) {
	f := start(t)
	ref := catalog.LocationRef{Type: "url", Target: "http://x/a.yaml"}
	f.world.set(ref.Target, entity("component:one"), entity("location:more", "target", "http://x/b.yaml"))
	f.world.set("http://x/b.yaml", entity("component:two"))
	before := f.revision()
	run, err := f.DryRunLocation(t.Context(), ref)
	require.NoError(t, err)
	var refs []string
	for _, e := range run.Entities {
		refs = append(refs, e.Ref().String())
	}
	require.Equal(t, []string{ref.EntityRef(), "location:default/more", "component:default/two", "component:default/one"}, refs)
	require.False(t, run.Exists)
	require.Equal(t, ref.String(), run.Location.ID)
	require.Equal(t, before, f.revision())

	f.world.set("http://x/b.yaml", entity("component:one"))
	_, err = f.DryRunLocation(t.Context(), ref)
	require.ErrorContains(t, err, "Duplicate nested entity: component:default/one")
	f.world.fail("http://x/b.yaml", errors.New("broken"))
	_, err = f.DryRunLocation(t.Context(), ref)
	require.ErrorIs(t, err, catalog.ErrInput)
}

func TestChangeLogHoldsWhatWasReplaced(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:one", "v", "1"))
	f.register("http://x/a.yaml")
	from := f.revision() + 1
	f.world.set("http://x/a.yaml", entity("component:one", "v", "2"))
	require.NoError(t, f.Refresh(t.Context(), "component:default/one"))
	f.settle()
	f.world.set("http://x/a.yaml")
	require.NoError(t, f.Refresh(t.Context(), "component:default/one"))
	f.eventually("it goes", func() bool { return f.get("component:default/one") == nil })
	var log []string
	require.NoError(t, f.Changes(t.Context(), from, func(c *store.Change) bool {
		before, err := jsonvalue.ParseObject(c.Before)
		require.NoError(t, err)
		log = append(log, fmt.Sprint(c.Ref, " ", c.Deleted, " ", before.Object("spec").String("v")))
		return true
	}))
	require.Equal(t, []string{"component:default/one false 1", "component:default/one true 2"}, log)
}

func TestImpossibleRefsHarmNobody(t *testing.T) {
	f := start(t)
	long := strings.Repeat("x", 5000)
	f.world.set("http://x/a.yaml", entity("component:"+long), entity("component:nul\x00here"),
		entity("component:one", "owner", "group:default/"+long))
	f.register("http://x/a.yaml")
	require.Equal(t, []string{"ownedBy group:default/" + long}, relations(f.get("component:default/one")))
}

func TestKeysThatDifferInCaseKeepAnEntityFromBeingServed(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:one", "key", "1", "KEY", "2"), entity("component:two"))
	f.register("http://x/a.yaml")
	require.Nil(t, f.get("component:default/one"))
	require.NotNil(t, f.get("component:default/two"))
	failed, err := f.Unprocessed(t.Context(), engine.StateFailed, "")
	require.NoError(t, err)
	require.Len(t, failed, 1)
}

func TestWatchersAreToldOfChanges(t *testing.T) {
	f := start(t)
	changed, stop := f.Watch()
	f.world.set("http://x/a.yaml", entity("component:one"), entity("component:two"))
	l := f.register("http://x/a.yaml")
	<-changed
	require.Empty(t, changed, "what has come meanwhile is one value")
	revision := f.revision()

	require.NoError(t, f.RefreshKeys(t.Context(), []string{"url:http://x/a.yaml"}))
	f.settle()
	require.Equal(t, revision, f.revision())
	require.Empty(t, changed, "an equal result wakes nobody")

	require.NoError(t, f.DeleteLocation(t.Context(), l.ID))
	<-changed
	stop()
	f.register("http://x/a.yaml")
	require.Empty(t, changed, "after stop nothing comes")
}
