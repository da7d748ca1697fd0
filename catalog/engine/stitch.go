package engine

import (
	"cmp"
	"crypto/sha1"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// rejectedURL takes the place of links that a browser would run as a script.
const rejectedURL = "https://backstage.io/annotation-rejected-for-security-reasons"

// statusType is that of the status items that say why processing failed.
const statusType = "backstage.io/catalog-processing"

// A stitching is all that a served entity is made of, and what became of it.
type stitching struct {
	state *store.State
	// processed is what the processor made; one of the two is set. The object
	// is changed by stitching.
	processed *jsonvalue.Object
	json      []byte
	relations []catalog.Relation // whose source is the entity
	orphan    bool

	document []byte
	content  store.Digest
	rows     []index.Row
	err      error
	took     time.Duration
}

// run makes the document, its digest and its rows in the index.
func (s *stitching) run() {
	if s.processed == nil {
		var err error
		if s.processed, err = jsonvalue.ParseObject(s.json); err != nil {
			s.err = fmt.Errorf("stored form of %s: %w", s.state.Ref, err)
			return
		}
	}
	entity := catalog.Entity{Object: s.processed}
	if s.orphan {
		entity.SetAnnotation(catalog.AnnotationOrphan, "true")
	}
	for _, key := range []string{catalog.AnnotationViewURL, catalog.AnnotationEditURL} {
		if catalog.IsScriptURL(entity.Annotation(key)) {
			entity.SetAnnotation(key, rejectedURL)
		}
	}
	entity.Set("relations", relationList(s.relations))
	if s.err = setStatus(entity, s.state.Errors); s.err != nil {
		return
	}
	meta := entity.Metadata()
	meta.Set("uid", s.state.UID.String())
	if meta.String("etag") == "" {
		meta.Delete("etag")
		meta.Set("etag", catalog.Hash(s.processed))
	}
	s.document = jsonvalue.Append(nil, s.processed)
	s.content = sha1.Sum(s.document)
	if s.content != s.state.ContentHash {
		s.rows, s.err = index.Flatten(entity)
	}
	s.processed = nil
}

// timed runs it with a look at the clock.
func (s *stitching) timed() {
	begin := time.Now()
	s.run()
	s.took = time.Since(begin)
}

// relationList is the served form: sorted, and each relation once.
func relationList(relations []catalog.Relation) []any {
	relations = slices.Clone(relations)
	slices.SortFunc(relations, func(a, b catalog.Relation) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Target, b.Target))
	})
	relations = slices.Compact(relations)
	list := make([]any, len(relations))
	for i, r := range relations {
		list[i] = jsonvalue.NewObject(
			jsonvalue.Member{Key: "type", Value: r.Type},
			jsonvalue.Member{Key: "targetRef", Value: r.Target},
		)
	}
	return list
}

// setStatus appends the errors of the last run to the status of the entity.
func setStatus(entity catalog.Entity, errors []byte) error {
	if errors == nil {
		return nil
	}
	v, err := jsonvalue.Parse(errors)
	if err != nil {
		return fmt.Errorf("stored errors: %w", err)
	}
	list, _ := v.([]any)
	status := entity.Object.Object("status")
	if status == nil {
		status = jsonvalue.NewObject()
		entity.Set("status", status)
	}
	items, _ := status.Value("items").([]any)
	for _, e := range list {
		o, ok := e.(*jsonvalue.Object)
		if !ok {
			continue
		}
		items = append(items, jsonvalue.NewObject(
			jsonvalue.Member{Key: "type", Value: statusType},
			jsonvalue.Member{Key: "level", Value: "error"},
			jsonvalue.Member{Key: "message", Value: o.String("name") + ": " + o.String("message")},
			jsonvalue.Member{Key: "error", Value: o},
		))
	}
	status.Set("items", items)
	return nil
}

// stitchChunk is how many entities are stitched before they are written, which
// bounds the memory of a large batch.
const stitchChunk = 512

// stitchAll brings the documents of all marked entities up to date.
func (t *txn) stitchAll() error {
	refs := make([]string, 0, len(t.stitch))
	for ref := range t.stitch {
		refs = append(refs, ref)
	}
	slices.Sort(refs)
	for chunk := range slices.Chunk(refs, stitchChunk) {
		jobs, err := t.gather(chunk)
		if err != nil {
			return err
		}
		runAll(jobs, t.e.workers)
		for i := range jobs {
			if err := t.store(&jobs[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// gather reads what the stitching of these entities needs. Entities that never
// were processed with success are left out: they are not served yet.
func (t *txn) gather(refs []string) ([]stitching, error) {
	jobs := make([]stitching, 0, len(refs))
	for _, ref := range refs {
		s, err := t.state(ref)
		if err != nil {
			return nil, err
		}
		if s == nil || !s.Processed {
			continue
		}
		job := stitching{state: s, processed: t.processed[ref], orphan: t.e.keepOrphans && s.Parent.IsZero()}
		delete(t.processed, ref)
		if job.processed == nil {
			if job.json, err = t.tx.Processed(ref); err != nil {
				return nil, err
			}
		}
		for _, r := range s.Relations {
			if r.Source == ref {
				job.relations = append(job.relations, r)
			}
		}
		err = t.tx.ReverseRelations(ref, func(_ string, list []catalog.Relation) bool {
			job.relations = append(job.relations, list...)
			return true
		})
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, job)
	}
	return jobs, nil
}

// runAll runs the stitchings on several cores; they share nothing.
func runAll(jobs []stitching, workers int) {
	const worthSharing = 16
	if len(jobs) < worthSharing || workers < 2 {
		for i := range jobs {
			jobs[i].timed()
		}
		return
	}
	var g errgroup.Group
	part := (len(jobs) + workers - 1) / workers
	for mine := range slices.Chunk(jobs, part) {
		g.Go(func() error {
			for i := range mine {
				mine[i].timed()
			}
			return nil
		})
	}
	_ = g.Wait()
}

// store writes a document that is new, with its entry in the change log. An
// entity that cannot be stitched stays as it was.
func (t *txn) store(job *stitching) error {
	s := job.state
	if job.err != nil {
		t.e.metrics.stitchedIn(resultError, job.took)
		t.e.log.Warn("entity not stitched", "entity_ref", s.Ref, "error", job.err)
		return nil
	}
	if job.content == s.ContentHash {
		t.e.metrics.stitchedIn(resultUnchanged, job.took)
		return nil
	}
	t.e.metrics.stitchedIn(resultChanged, job.took)
	before, _ := t.tx.Document(s.UID)
	t.revision++
	change := &store.Change{Revision: t.revision, At: t.now, UID: s.UID, Ref: s.Ref, Before: before}
	if err := t.tx.AppendChange(change); err != nil {
		return err
	}
	if err := t.tx.PutDocument(s.UID, t.revision, job.document); err != nil {
		return err
	}
	s.ContentHash = job.content
	t.touch(s)
	t.changes = append(t.changes, index.Change{UID: s.UID, Ref: s.Ref, Rows: job.rows})
	job.rows, job.document = nil, nil
	return nil
}
