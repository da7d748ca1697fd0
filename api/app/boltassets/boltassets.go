package boltassets

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/api/app"
	"github.com/klauspost/compress/gzip"
	"go.etcd.io/bbolt"
)

var root = []byte("portal-assets")

const (
	// retention is how long files of earlier builds stay.
	retention = 7 * 24 * time.Hour
	// maxFile bounds the bytes of a file that is kept, and maxTotal those of
	// all of them.
	maxFile  = 8 << 20
	maxTotal = 128 << 20
	// batch is how many bytes are written in one transaction: others write to
	// the same file and wait.
	batch = 1 << 20
)

// A Shelf is an app.Shelf in a bbolt database.
type Shelf struct{ db *bbolt.DB }

var _ app.Shelf = (*Shelf)(nil)

// Open makes the bucket where it is missing. The database stays the caller's
// to close.
func Open(db *bbolt.DB) (*Shelf, error) {
	err := db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(root)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket of portal assets: %w", err)
	}
	return &Shelf{db}, nil
}

// Asset returns the gzip form of a file, and when it was last part of a build:
// as good as now for one that still is.
func (s *Shelf) Asset(_ context.Context, name string) (packed []byte, at time.Time, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		if len(name) == 0 || len(name) > bbolt.MaxKeySize {
			return fs.ErrNotExist
		}
		value := tx.Bucket(root).Get([]byte(name))
		if len(value) < 8 {
			return fs.ErrNotExist
		}
		at, packed = time.Now(), slices.Clone(value[8:])
		if gone := int64(binary.BigEndian.Uint64(value)); gone > 0 {
			at = time.UnixMilli(gone)
		}
		return nil
	})
	return packed, at, err
}

// Keep copies the static files of a build, and forgets what has not been part
// of one for a week. What is there already is not written again.
func (s *Shelf) Keep(ctx context.Context, b app.Build, now time.Time) error {
	current := map[string]bool{}
	for name := range b.Names {
		if static, ok := strings.CutPrefix(name, "static/"); ok && path.Ext(name) != ".map" {
			current[static] = true
		}
	}
	total, err := s.age(current, now)
	if err != nil {
		return err
	}
	missing, err := s.missing(current)
	if err != nil {
		return err
	}
	var pending []asset
	size := 0
	for _, name := range missing {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		packed, err := pack(b, "static/"+name)
		if err != nil {
			return fmt.Errorf("keep %s: %w", name, err)
		}
		if total += len(packed); packed == nil || total > maxTotal {
			continue
		}
		pending, size = append(pending, asset{name, packed}), size+len(packed)
		if size >= batch {
			if err := s.put(pending); err != nil {
				return err
			}
			pending, size = nil, 0
		}
	}
	return s.put(pending)
}

type asset struct {
	name   string
	packed []byte
}

func (s *Shelf) put(list []asset) error {
	if len(list) == 0 {
		return nil
	}
	return s.db.Update(func(tx *bbolt.Tx) error {
		for _, a := range list {
			if err := tx.Bucket(root).Put([]byte(a.name), append(make([]byte, 8, 8+len(a.packed)), a.packed...)); err != nil {
				return err
			}
		}
		return nil
	})
}

// missing returns the names that are not kept yet, in order.
func (s *Shelf) missing(current map[string]bool) (out []string, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		for name := range current {
			if tx.Bucket(root).Get([]byte(name)) == nil {
				out = append(out, name)
			}
		}
		return nil
	})
	slices.Sort(out)
	return out, err
}

// age marks what is no part of the build any more, unmarks what is again, and
// drops what was marked long ago. It returns the bytes that are kept.
func (s *Shelf) age(current map[string]bool, now time.Time) (total int, err error) {
	var drop [][]byte
	mark := map[string]int64{} // new times
	err = s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(root).ForEach(func(k, v []byte) error {
			if len(v) < 8 {
				drop = append(drop, slices.Clone(k))
				return nil
			}
			gone := int64(binary.BigEndian.Uint64(v))
			switch {
			case current[string(k)]:
				if gone != 0 {
					mark[string(k)] = 0
				}
			case gone == 0:
				mark[string(k)] = now.UnixMilli()
			case now.Sub(time.UnixMilli(gone)) > retention:
				drop = append(drop, slices.Clone(k))
				return nil
			}
			total += len(v)
			return nil
		})
	})
	if err != nil || len(drop)+len(mark) == 0 {
		return total, err
	}
	return total, s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(root)
		for _, k := range drop {
			err = errors.Join(err, b.Delete(k))
		}
		for k, at := range mark {
			value := slices.Clone(b.Get([]byte(k)))
			binary.BigEndian.PutUint64(value, uint64(at))
			err = errors.Join(err, b.Put([]byte(k), value))
		}
		return err
	})
}

// pack returns the gzip form of a file, nil for one that is gone or too large.
func pack(b app.Build, name string) ([]byte, error) {
	f, ok := b.File(name)
	if !ok || f.Size > maxFile {
		return nil, nil
	}
	var out bytes.Buffer
	if f.GzipSize > 0 {
		err := f.WriteGzip(&out)
		return out.Bytes(), err
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	z := gzip.NewWriter(&out)
	_, err = io.Copy(z, io.LimitReader(r, maxFile))
	err = errors.Join(err, z.Close())
	return out.Bytes(), err
}
