package boltstore

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// Check walks the whole file and calls report for every place where it is
// damaged, and where its records do not agree with one another. It returns an
// error only when ctx ends or the file cannot be read at all. The file may be
// in use meanwhile: writers wait while the pages are checked, and not while
// the records are.
func (s *Store) Check(ctx context.Context, report func(violation string)) error {
	if err := s.checkPages(report); err != nil {
		return err
	}
	return s.db.View(func(tx *bbolt.Tx) error {
		c := checker{transaction: transaction{tx}, ctx: ctx, report: report}
		return c.records()
	})
}

var errPagesChecked = errors.New("pages checked")

// checkPages keeps writers out, who change the list of free pages that is
// compared with the file.
func (s *Store) checkPages(report func(string)) error {
	check := func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			report("file: " + err.Error())
		}
		return errPagesChecked // and nothing is committed
	}
	run := s.db.Update
	if s.db.IsReadOnly() {
		run = s.db.View
	}
	if err := run(check); !errors.Is(err, errPagesChecked) {
		return err
	}
	return nil
}

type checker struct {
	transaction
	ctx    context.Context
	report func(string)
}

// records checks them bucket by bucket. What bbolt says of pages that it does
// not expect is a panic, and a page outside the file is a fault: both are
// damage like any other.
func (c *checker) records() error {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	for _, check := range []func(){c.revision, c.states, c.uids, c.documents, c.children, c.relations, c.refreshKeys, c.forms, c.locations, c.changes} {
		if c.guarded(check); c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
	}
	return nil
}

func (c *checker) guarded(check func()) {
	defer func() {
		if p := recover(); p != nil {
			c.fail("file: %v", p)
		}
	}()
	check()
}

func (c *checker) fail(format string, args ...any) { c.report(fmt.Sprintf(format, args...)) }

func (c *checker) revision() {
	if err := c.checkRevision(); err != nil {
		c.fail("%v", err)
	}
}

// each walks a bucket until the context ends.
func (c *checker) each(bucket []byte, visit func(k, v []byte)) {
	cursor := c.tx.Bucket(bucket).Cursor()
	for k, v := cursor.First(); k != nil && c.ctx.Err() == nil; k, v = cursor.Next() {
		visit(k, v)
	}
}

// known reads the state of ref for the checks of other buckets; nil has been
// reported, or is to be by the caller.
func (c *checker) known(ref string) *store.State {
	s, err := c.State(ref)
	if err != nil {
		return nil
	}
	return s
}

func (c *checker) states() {
	c.each(bucketStates, func(k, v []byte) {
		s, err := readState(string(k), v)
		if err != nil {
			c.fail("%v", err)
			return
		}
		c.state(s)
	})
}

func (c *checker) state(s *store.State) {
	if ref := c.RefOf(s.UID); ref != s.Ref {
		c.fail("state %s: its uid %s leads to %q", s.Ref, s.UID, ref)
	}
	if form, err := c.Unprocessed(s.Ref); err != nil || form == nil {
		c.fail("state %s: no readable unprocessed form: %v", s.Ref, err)
	} else if sha1.Sum(form) != s.UnprocessedHash {
		c.fail("state %s: the unprocessed form is not the one of its hash", s.Ref)
	}
	if form, err := c.Processed(s.Ref); err != nil || (form == nil) == s.Processed {
		c.fail("state %s: processed is %t, but its form: %d bytes, %v", s.Ref, s.Processed, len(form), err)
	}
	doc, _ := c.Document(s.UID)
	switch served := s.ContentHash != (store.Digest{}); {
	case served != (doc != nil):
		c.fail("state %s: served is %t, but its document has %d bytes", s.Ref, served, len(doc))
	case served && sha1.Sum(doc) != s.ContentHash:
		c.fail("state %s: the document is not the one of its hash", s.Ref)
	}
	if !s.Parent.IsZero() && c.get(bucketChildren, pair(sourceKey(s.Parent), s.Ref)) == nil {
		c.fail("state %s: its parent does not list it as a child", s.Ref)
	}
	if s.Parent.Entity != "" && c.get(bucketStates, []byte(s.Parent.Entity)) == nil {
		c.fail("state %s: its parent %s does not exist", s.Ref, s.Parent.Entity)
	}
	for _, key := range s.RefreshKeys {
		if c.get(bucketRefreshKeys, pair([]byte(key), s.Ref)) == nil {
			c.fail("state %s: refresh key %q does not lead to it", s.Ref, key)
		}
	}
	c.emitted(s)
}

// emitted compares the relations in a state with the rows of their sources.
func (c *checker) emitted(s *store.State) {
	for i := 0; i < len(s.Relations); {
		source := s.Relations[i].Source
		j := i
		for j < len(s.Relations) && s.Relations[j].Source == source {
			j++
		}
		want := s.Relations[i:j]
		i = j
		if source == s.Ref || !store.ValidRef(source) {
			continue
		}
		got, err := readRelations(source, c.get(bucketRelations, pair([]byte(source), s.Ref)))
		if err != nil || !slices.Equal(got, want) {
			c.fail("state %s: the relations it emits for %s are not stored there", s.Ref, source)
		}
	}
}

func (c *checker) uids() {
	c.each(bucketUIDs, func(k, v []byte) {
		if s := c.known(string(v)); s == nil || !bytes.Equal(s.UID[:], k) {
			c.fail("uid %x: %s has another uid, or no state", k, v)
		}
	})
}

func (c *checker) documents() {
	c.each(bucketDocuments, func(k, v []byte) {
		doc, revision := splitDocument(v)
		ref := string(c.get(bucketUIDs, k))
		if s := c.known(ref); s == nil {
			c.fail("document %x: no state has its uid", k)
		}
		if revision == 0 || revision > c.Revision() {
			c.fail("document %x: revision %d, the newest is %d", k, revision, c.Revision())
		} else if !c.brought(k, revision) {
			c.fail("document %x: revision %d is a change of something else", k, revision)
		}
		o, err := jsonvalue.ParseObject(doc)
		if err != nil {
			c.fail("document of %s: %v", ref, err)
			return
		}
		if named := (catalog.Entity{Object: o}).Ref().String(); named != ref {
			c.fail("document of %s: it says that it is %s", ref, named)
		}
	})
}

// brought tells whether the change of that revision can have brought the
// document; the log may not go back as far.
func (c *checker) brought(uid []byte, revision uint64) bool {
	key := binary.BigEndian.AppendUint64(nil, revision)
	v := c.get(bucketChanges, key)
	if v == nil {
		return true
	}
	change, err := readChange(key, v)
	return err != nil || (bytes.Equal(change.UID[:], uid) && !change.Deleted)
}

func (c *checker) children() {
	c.each(bucketChildren, func(k, _ []byte) {
		source, ref, _ := bytes.Cut(k, []byte{0})
		if s := c.known(string(ref)); s == nil || s.Parent != parseSource(string(source)) {
			c.fail("child %s of %s: it has another parent, or no state", ref, source)
		}
	})
}

func (c *checker) relations() {
	c.each(bucketRelations, func(k, _ []byte) {
		source, emitter, _ := bytes.Cut(k, []byte{0})
		s := c.known(string(emitter))
		if s == nil || !slices.ContainsFunc(s.Relations, func(r catalog.Relation) bool { return r.Source == string(source) }) {
			c.fail("relations of %s by %s: the emitter has none", source, emitter)
		}
	})
}

func (c *checker) refreshKeys() {
	c.each(bucketRefreshKeys, func(k, _ []byte) {
		at := bytes.LastIndexByte(k, 0)
		if at < 0 {
			c.fail("refresh key %q: malformed", k)
			return
		}
		if s := c.known(string(k[at+1:])); s == nil || !slices.Contains(s.RefreshKeys, string(k[:at])) {
			c.fail("refresh key %q: %s does not hold it", k[:at], k[at+1:])
		}
	})
}

// forms looks for forms and caches that belong to nobody.
func (c *checker) forms() {
	for _, bucket := range [][]byte{bucketUnprocessed, bucketProcessed, bucketCaches} {
		c.each(bucket, func(k, v []byte) {
			if c.get(bucketStates, k) == nil {
				c.fail("%s: %s has no state", bucket, k)
			}
			if data, err := unpackBlob(v); err != nil {
				c.fail("%s of %s: %v", bucket, k, err)
			} else if !json.Valid(data) {
				c.fail("%s of %s: not JSON", bucket, k)
			}
		})
	}
}

func (c *checker) locations() {
	c.each(bucketLocations, func(k, v []byte) {
		l, err := readLocation(string(k), v)
		if err != nil {
			c.fail("%v", err)
			return
		}
		if id := c.get(bucketLocationRefs, locationRefKey(l.Ref())); string(id) != l.ID {
			c.fail("location %s: %s leads to location %q", k, l.Ref(), id)
		}
	})
	c.each(bucketLocationRefs, func(k, v []byte) {
		l, found, err := c.Location(string(v))
		switch {
		case err == nil && !found:
			c.fail("location %s: there is none with id %s", k, v)
		case err == nil && !bytes.Equal(locationRefKey(l.Ref()), k):
			c.fail("location %s: the one with id %s is %s", k, v, l.Ref())
		}
	})
}

func (c *checker) changes() {
	c.each(bucketChanges, func(k, v []byte) {
		switch change, err := readChange(k, v); {
		case err != nil:
			c.fail("%v", err)
		case change.Deleted && change.Before == nil:
			c.fail("change %d: the document that was deleted is missing", change.Revision)
		case change.Before != nil && !json.Valid(change.Before):
			c.fail("change %d: the document before is not JSON", change.Revision)
		}
		if len(k) == 8 && binary.BigEndian.Uint64(k) > c.Revision() {
			c.fail("change %x: newer than the newest revision", k)
		}
	})
}
