package process

import (
	"fmt"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// maxCachedFailures is after how many failed runs in a row a cache is dropped,
// so that nothing wrong in it can stay for ever.
const maxCachedFailures = 5

// A Cache keeps between the runs of a Location what its targets held, by
// target, with the ETag that says whether they still do.
type Cache struct {
	failures int
	targets  []cachedTarget
}

type cachedTarget struct {
	target, etag string
	refreshKeys  []string
	files        []cachedFile
}

type cachedFile struct {
	location catalog.LocationRef
	entities []*jsonvalue.Object
}

// find returns what is kept of a target, nil for nothing.
func (c *Cache) find(target string) *cachedTarget {
	if c == nil {
		return nil
	}
	for i := range c.targets {
		if c.targets[i].target == target {
			return &c.targets[i]
		}
	}
	return nil
}

// keep returns the cache after another failed run, nil once there were too
// many.
func (c *Cache) keep() *Cache {
	if c == nil || c.failures+1 >= maxCachedFailures {
		return nil
	}
	return &Cache{failures: c.failures + 1, targets: c.targets}
}

// result returns what is kept as if it had just been read. Entities are
// copies.
func (t *cachedTarget) result() *ReadResult {
	r := &ReadResult{ETag: t.etag, RefreshKeys: t.refreshKeys}
	for _, f := range t.files {
		file := File{Location: f.location}
		for _, e := range f.entities {
			file.Documents = append(file.Documents, Document{Entity: catalog.Entity{Object: e.Clone()}})
		}
		r.Files = append(r.Files, file)
	}
	return r
}

// cacheable returns what to keep of a result, false where it has no ETag or
// anything in it is not an entity. Entities are copies.
func cacheable(target string, r *ReadResult) (cachedTarget, bool) {
	if r.ETag == "" {
		return cachedTarget{}, false
	}
	t := cachedTarget{target: target, etag: r.ETag, refreshKeys: r.RefreshKeys}
	for _, f := range r.Files {
		kept := cachedFile{location: f.Location}
		for _, d := range f.Documents {
			if d.Err != nil {
				return cachedTarget{}, false
			}
			kept.entities = append(kept.entities, d.Entity.Object.Clone())
		}
		t.files = append(t.files, kept)
	}
	return t, true
}

// AppendJSON appends the cache as JSON, in the form that ParseCache reads.
func (c *Cache) AppendJSON(dst []byte) []byte {
	targets := make([]any, len(c.targets))
	for i, t := range c.targets {
		files := make([]any, len(t.files))
		for j, f := range t.files {
			entities := make([]any, len(f.entities))
			for k, e := range f.entities {
				entities[k] = e
			}
			files[j] = []any{f.location.Type, f.location.Target, entities}
		}
		targets[i] = jsonvalue.NewObject(
			jsonvalue.Member{Key: "target", Value: t.target},
			jsonvalue.Member{Key: "etag", Value: t.etag},
			jsonvalue.Member{Key: "keys", Value: anyList(t.refreshKeys)},
			jsonvalue.Member{Key: "files", Value: files},
		)
	}
	return jsonvalue.Append(dst, jsonvalue.NewObject(
		jsonvalue.Member{Key: "failures", Value: float64(c.failures)},
		jsonvalue.Member{Key: "targets", Value: targets},
	))
}

func anyList(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// ParseCache reads what AppendJSON wrote.
func ParseCache(data []byte) (*Cache, error) {
	o, err := jsonvalue.ParseObject(data)
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	failures, _ := o.Value("failures").(float64)
	c := &Cache{failures: int(failures)}
	targets, _ := o.Value("targets").([]any)
	for _, v := range targets {
		t, err := parseTarget(v)
		if err != nil {
			return nil, err
		}
		c.targets = append(c.targets, t)
	}
	return c, nil
}

func parseTarget(v any) (cachedTarget, error) {
	o, ok := v.(*jsonvalue.Object)
	if !ok || o.String("target") == "" || o.String("etag") == "" {
		return cachedTarget{}, fmt.Errorf("cache: a target is not as it was written")
	}
	t := cachedTarget{target: o.String("target"), etag: o.String("etag")}
	keys, _ := o.Value("keys").([]any)
	for _, k := range keys {
		if s, ok := k.(string); ok {
			t.refreshKeys = append(t.refreshKeys, s)
		}
	}
	files, _ := o.Value("files").([]any)
	for _, v := range files {
		f, err := parseFile(v)
		if err != nil {
			return cachedTarget{}, err
		}
		t.files = append(t.files, f)
	}
	return t, nil
}

func parseFile(v any) (cachedFile, error) {
	malformed := fmt.Errorf("cache: a file is not as it was written")
	list, _ := v.([]any)
	if len(list) != 3 {
		return cachedFile{}, malformed
	}
	kind, _ := list[0].(string)
	target, _ := list[1].(string)
	entities, ok := list[2].([]any)
	if kind == "" || target == "" || !ok {
		return cachedFile{}, malformed
	}
	f := cachedFile{location: catalog.LocationRef{Type: kind, Target: target}}
	for _, v := range entities {
		e, ok := v.(*jsonvalue.Object)
		if !ok {
			return cachedFile{}, malformed
		}
		f.entities = append(f.entities, e)
	}
	return f, nil
}
