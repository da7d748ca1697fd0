package index

import (
	"errors"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/query"
	"github.com/greenroom-idp/greenroom/catalog/query/rawjson"
)

// FlattenJSON is Flatten for a stored document.
func FlattenJSON(doc []byte) ([]Row, error) {
	f := newFlattener()
	if err := f.flatten(doc); err != nil {
		return nil, err
	}
	rows := make([]Row, len(f.rows))
	for i, r := range f.rows {
		rows[i] = Row{Key: string(f.fields.at(r.field)), Value: string(f.value(r)), Null: r.null}
		if rows[i].Original = rows[i].Value; r.original > 0 {
			rows[i].Original = string(f.original(r))
		}
	}
	return rows, nil
}

var errNoEntity = errors.New("document is not a JSON object")

// A flattener makes rows of documents, one after the other, and numbers the
// keys that it meets.
type flattener struct {
	doc  []byte
	path []byte
	// Keys as they are spelled, and for each spelling its field; fields are
	// keys in lower case.
	spellings *dict
	fieldOf   []uint32
	fields    *dict
	// Marks hold the last document, as a count, in which a spelling and a
	// field were met.
	spelled, met []uint32
	documents    uint32

	rows []flatRow
	// known are the first knownRows rows, where there are many.
	known     map[string]struct{}
	knownRows int
	text      []byte
	conflicts []string
	kind      []byte // of the entity, as it stands; likewise
	name      []byte
	namespace []byte
	// relationType and target are space to read relations in.
	relationType, target []byte
}

var literalTrue = []byte("true")

// tooLong is the field of keys that are too long for the index.
const tooLong = ^uint32(0)

// A flatRow is a row of the document at hand: its value is in the flattener's
// text at, and after it the original if that differs.
type flatRow struct {
	field           uint32
	at              uint32
	value, original uint32 // lengths
	null            bool
}

func newFlattener() *flattener {
	return &flattener{spellings: newDict(64), fields: newDict(64)}
}

func (f *flattener) value(r flatRow) []byte { return f.text[r.at : r.at+r.value] }

// original returns the original value, which may be the value itself.
func (f *flattener) original(r flatRow) []byte {
	if r.original == 0 {
		return f.value(r)
	}
	return f.text[r.at+r.value : r.at+r.value+r.original]
}

// flatten reads a document into rows. They are valid until the next.
func (f *flattener) flatten(doc []byte) error {
	f.doc, f.path, f.rows, f.text, f.conflicts = doc, f.path[:0], f.rows[:0], f.text[:0], nil
	f.known, f.knownRows = nil, 0
	f.documents++
	c, at := rawjson.Begin(doc, 0)
	if c != '{' {
		return errNoEntity
	}
	known := identity{}
	end, err := f.object(at, 0, &known)
	if err != nil {
		return err
	}
	if rawjson.Space(doc, end) != len(doc) {
		return errNoEntity
	}
	if err := f.finish(&known); err != nil {
		return err
	}
	if f.conflicts != nil {
		return errDuplicateKeys(f.conflicts)
	}
	return nil
}

// An identity holds the places of what is known of the entity itself; 0: it is
// not there.
type identity struct{ kind, name, namespace, uid, relations int }

// note remembers the place of a value of the root, depth 0, or of its
// metadata.
func (id *identity) note(path []byte, depth, at int) {
	switch {
	case depth == 0 && string(path) == "kind":
		id.kind = at
	case depth == 0 && string(path) == "relations":
		id.relations = at
	case depth != 1:
	case string(path) == "metadata.name":
		id.name = at
	case string(path) == "metadata.namespace":
		id.namespace = at
	case string(path) == "metadata.uid":
		id.uid = at
	}
}

// value reads the value at at, whose path is set. The identity is nil where it
// cannot be found any more.
func (f *flattener) visit(at, depth int, known *identity) (end int, err error) {
	if depth > jsonvalue.MaxDepth {
		return at, jsonvalue.ErrTooDeep
	}
	if f.notIndexed() {
		return rawjson.Skip(f.doc, at)
	}
	c, at := rawjson.Begin(f.doc, at)
	switch c {
	case '{':
		return f.object(at, depth, known)
	case '[':
		return f.array(at, depth)
	}
	end, err = rawjson.Skip(f.doc, at)
	if err != nil {
		return end, err
	}
	return end, f.emit(at, end)
}

// notIndexed is the function of that name for the current path. No path that
// is longer than the longest is meant.
func (f *flattener) notIndexed() bool {
	const longest = len("metadata.namespace")
	return len(f.path) <= longest && notIndexed(string(f.path))
}

func (f *flattener) object(at, depth int, known *identity) (end int, err error) {
	length := len(f.path)
	w := rawjson.Members(f.doc, at)
	for {
		more, after, err := w.Next(end)
		if err != nil || !more {
			return after, err
		}
		if length > 0 {
			f.path = append(f.path, '.')
		}
		f.path = append(f.path, w.Key...)
		below := known
		if known != nil {
			known.note(f.path, depth, w.Value)
			// Only metadata is looked into, and as a member of the root.
			if depth > 0 || string(w.Key) != "metadata" {
				below = nil
			}
		}
		if end, err = f.visit(w.Value, depth+1, below); err != nil {
			return end, err
		}
		f.path = f.path[:length]
	}
}

func (f *flattener) array(at, depth int) (end int, err error) {
	length := len(f.path)
	w := rawjson.Elements(f.doc, at)
	for {
		more, after, err := w.Next(end)
		if err != nil || !more {
			return after, err
		}
		if end, err = f.visit(w.Value, depth+1, nil); err != nil {
			return end, err
		}
		if f.doc[w.Value] != '"' {
			continue
		}
		f.path = append(f.path, '.')
		if f.path, _, err = rawjson.AppendString(f.path, f.doc, w.Value); err != nil {
			return end, err
		}
		if field, isNew := f.key(true); isNew {
			f.addText(field, literalTrue, true)
		}
		f.path = f.path[:length]
	}
}

// finish adds what is indexed apart from the walk.
func (f *flattener) finish(known *identity) error {
	f.kind = f.textAt(f.kind, known.kind)
	f.name = f.textAt(f.name, known.name)
	f.namespace = f.textAt(f.namespace, known.namespace)
	for _, part := range []struct {
		path string
		at   int
	}{{"metadata.name", known.name}, {"metadata.namespace", known.namespace}, {"metadata.uid", known.uid}} {
		f.path = append(f.path[:0], part.path...)
		if err := f.emitScalar(part.at); err != nil {
			return err
		}
	}
	if len(f.namespace) == 0 {
		f.namespace = append(f.namespace, catalog.DefaultNamespace...)
		f.path = append(f.path[:0], "metadata.namespace"...)
		field, isNew := f.key(false)
		f.addText(field, f.namespace, isNew)
	}
	if known.relations == 0 {
		return nil
	}
	return f.relations(known.relations)
}

// textAt returns the string at at, "" for anything else, in the given space.
func (f *flattener) textAt(space []byte, at int) []byte {
	space = space[:0]
	if at > 0 && f.doc[at] == '"' {
		space, _, _ = rawjson.AppendString(space, f.doc, at)
	}
	return space
}

// ref returns the canonical ref of the document's entity.
func (f *flattener) ref() string {
	return catalog.EntityRef{Kind: string(f.kind), Namespace: string(f.namespace), Name: string(f.name)}.String()
}

// emitScalar adds a row with the scalar at at; anything else is NULL.
func (f *flattener) emitScalar(at int) error {
	if at == 0 || f.doc[at] == '{' || f.doc[at] == '[' {
		if field, isNew := f.key(false); field != tooLong {
			f.addRow(flatRow{field: field, at: uint32(len(f.text)), null: true}, isNew)
		}
		return nil
	}
	end, err := rawjson.Skip(f.doc, at)
	if err != nil {
		return err
	}
	return f.emit(at, end)
}

func (f *flattener) relations(at int) error {
	if f.doc[at] != '[' {
		return nil
	}
	w := rawjson.Elements(f.doc, at)
	for end := 0; ; {
		more, _, err := w.Next(end)
		if err != nil || !more {
			return err
		}
		if f.doc[w.Value] != '{' {
			end, err = rawjson.Skip(f.doc, w.Value)
		} else {
			end, err = f.relation(w.Value)
		}
		if err != nil {
			return err
		}
	}
}

// relation adds the row of the relation at at and returns the place behind it.
func (f *flattener) relation(at int) (end int, err error) {
	typeAt, targetAt := 0, 0
	w := rawjson.Members(f.doc, at)
	for {
		more, after, err := w.Next(end)
		if err != nil {
			return after, err
		}
		if !more {
			end = after
			break
		}
		switch string(w.Key) {
		case "type":
			typeAt = w.Value
		case "targetRef":
			targetAt = w.Value
		}
		if end, err = rawjson.Skip(f.doc, w.Value); err != nil {
			return end, err
		}
	}
	f.target = f.textAt(f.target, targetAt)
	f.relationType = f.textAt(f.relationType, typeAt)
	f.path = append(append(f.path[:0], "relations."...), f.relationType...)
	field, isNew := f.key(false)
	f.addText(field, f.target, isNew)
	return end, nil
}

// key numbers the field of the current path and tells whether the document did
// not have it before. With onlyNew a field that it had is left as it is, with
// no look at its spelling.
func (f *flattener) key(onlyNew bool) (field uint32, isNew bool) {
	spelling, unknown := f.spellings.number(f.path)
	if unknown {
		f.spelled = append(f.spelled, 0)
		f.fieldOf = append(f.fieldOf, f.fieldOfSpelling())
	}
	field = f.fieldOf[spelling]
	isNew = f.met[field&^longKey] != f.documents
	if onlyNew && !isNew {
		return field, false
	}
	if f.spelled[spelling] != f.documents {
		f.spelled[spelling] = f.documents
		if !isNew {
			f.conflicts = append(f.conflicts, string(f.fields.at(field&^longKey)))
		}
	}
	f.met[field&^longKey] = f.documents
	if field&longKey != 0 {
		field = tooLong
	}
	return field, isNew
}

// longKey marks the fields whose keys are too long; they count where keys
// differ in casing only.
const longKey = 1 << 31

func (f *flattener) fieldOfSpelling() uint32 {
	lower := query.Lower(string(f.path))
	field, isNew := f.fields.number([]byte(lower))
	if isNew {
		f.met = append(f.met, 0)
	}
	if units(lower) > maxKeyUnits {
		field |= longKey
	}
	return field
}
