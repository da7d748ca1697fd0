package git

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
)

// An item is an object of a pack that a test makes: what it says of its size,
// and what it holds.
type item struct {
	kind    plumbing.ObjectType
	size    uint64
	content []byte
}

// packOf makes a pack that need not be a good one.
func packOf(t testing.TB, items ...item) []byte {
	var b bytes.Buffer
	b.WriteString("PACK")
	require.NoError(t, binary.Write(&b, binary.BigEndian, []uint32{2, uint32(len(items))}))
	for _, x := range items {
		c := byte(x.kind)<<4 | byte(x.size&15)
		for rest := x.size >> 4; ; rest >>= 7 {
			if rest == 0 {
				b.WriteByte(c)
				break
			}
			b.WriteByte(c | 0x80)
			c = byte(rest & 0x7f)
		}
		if x.kind == plumbing.REFDeltaObject {
			b.Write(make([]byte, 20))
		}
		w := zlib.NewWriter(&b)
		_, err := w.Write(x.content)
		require.NoError(t, err)
		require.NoError(t, w.Close())
	}
	b.Write(make([]byte, 20))
	return b.Bytes()
}

func deltaOf(before, after uint64) []byte {
	return append(binary.AppendUvarint(binary.AppendUvarint(nil, before), after), 1, 'x')
}

func check(t testing.TB, pack []byte, l Limits) error {
	name := filepath.Join(t.TempDir(), "pack")
	require.NoError(t, os.WriteFile(name, pack, 0o600))
	file, err := os.Open(name)
	require.NoError(t, err)
	defer file.Close()
	return checkPack(file, l.complete())
}

func TestCheckPack(t *testing.T) {
	blob := func(size uint64, content string) item {
		return item{plumbing.BlobObject, size, []byte(content)}
	}
	delta := func(before, after uint64) item {
		d := deltaOf(before, after)
		return item{plumbing.REFDeltaObject, uint64(len(d)), d}
	}
	for _, c := range []struct {
		why    string
		items  []item
		limits Limits
		is     error
	}{
		{"a good one", []item{blob(3, "abc"), delta(3, 1)}, Limits{}, nil},
		{"an object that says it is large", []item{blob(1<<40, "abc")}, Limits{}, catalog.ErrInput},
		{"an object that is larger than it says", []item{blob(3, strings.Repeat("x", 1<<20))}, Limits{}, errNotGit},
		{"a difference that makes something large", []item{delta(3, 1<<40)}, Limits{}, catalog.ErrInput},
		{"a difference to something large", []item{delta(1<<40, 3)}, Limits{}, catalog.ErrInput},
		{"a difference without sizes", []item{{plumbing.REFDeltaObject, 1, []byte{0x80}}}, Limits{}, errNotGit},
		{"too many objects", []item{blob(1, "a"), blob(1, "b")}, Limits{Objects: 1}, catalog.ErrInput},
	} {
		t.Run(c.why, func(t *testing.T) {
			require.ErrorIs(t, check(t, packOf(t, c.items...), c.limits), c.is)
		})
	}
	bad := packOf(t, blob(3, "abc"))
	for _, n := range []int{0, 3, 11, 14, 20} {
		require.Error(t, check(t, bad[:n], Limits{}), "cut after %d bytes", n)
	}
}

// What has passed the check can be unpacked, and what cannot is an error.
func FuzzPack(f *testing.F) {
	f.Add(packOf(f, item{plumbing.BlobObject, 3, []byte("abc")}, item{plumbing.REFDeltaObject, 4, deltaOf(3, 1)}))
	f.Add(packOf(f, item{plumbing.TreeObject, 0, nil}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if check(t, data, Limits{Object: 1 << 16, Objects: 100}) != nil {
			return
		}
		s := newStore(t.TempDir(), Limits{}.complete())
		defer s.close()
		storage := s.open(t.TempDir())
		defer storage.Close()
		safely(func() error { return packfile.UpdateObjectStorage(storage, bytes.NewReader(data)) })
	})
}

func FuzzRefs(f *testing.F) {
	f.Add("001e# service=git-upload-pack\n0000004895dcfa3633004da0049d3d0fa03f80589cbcaf31 refs/heads/maint\x00multi_ack\n0000")
	f.Add("0000")
	f.Fuzz(func(t *testing.T, text string) {
		refs, err := readRefs(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, ref := range []string{"", "main", "maint"} {
			if commit, ok := resolve(refs, ref); ok && len(commit) != 40 {
				t.Fatalf("%q is at %q", ref, commit)
			}
		}
	})
}
