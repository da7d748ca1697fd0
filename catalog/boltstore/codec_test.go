package boltstore

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

const codecRef = "component:default/a"

func codecStates() []*store.State {
	full := &store.State{
		Ref: codecRef, UID: catalog.UID{1, 2, 3, 15: 16}, Parent: store.Source{Entity: "location:default/l"}, LocationKey: "url:x", Keyless: true,
		UnprocessedHash: store.Digest{1}, ResultHash: store.Digest{2}, ContentHash: store.Digest{19: 3}, Due: true, Processed: true,
		LastDiscovery: 1_700_000_000_000, LastProcessed: -5, Failures: 300, Errors: []byte(`[{"name":"InputError"}]`),
		Relations: []catalog.Relation{
			{Source: codecRef, Type: "ownedBy", Target: "group:default/g"}, {Source: "group:default/g", Type: "ownerOf", Target: codecRef},
		},
		RefreshKeys: []string{"url:x", "", strings.Repeat("k", 300)},
	}
	return []*store.State{{Ref: codecRef}, {Ref: codecRef, Parent: store.Source{Provider: "p"}}, full}
}

func codecChanges() []*store.Change {
	return []*store.Change{
		{Revision: 7, Ref: codecRef},
		{Revision: 7, At: 1_700_000_000_000, UID: catalog.UID{1}, Ref: codecRef, Deleted: true, Before: []byte("{}")},
		{Revision: 7, Ref: codecRef, Before: bytes.Repeat([]byte(`{"a":1}`), 100)},
	}
}

// The layout is fixed byte by byte: what was written must always be read.
func TestLayout(t *testing.T) {
	state := &store.State{Ref: "a", UID: catalog.UID{0xaa}, Parent: store.Source{Entity: "p"}, LocationKey: "k", Due: true, UnprocessedHash: store.Digest{1},
		ResultHash: store.Digest{2}, ContentHash: store.Digest{3}, LastDiscovery: 1, LastProcessed: -1, Failures: 64, Errors: []byte("[]"),
		Relations: []catalog.Relation{{Source: "a", Type: "t", Target: "b"}, {Source: "c", Type: "t", Target: "a"}}, RefreshKeys: []string{"r"}}
	pad := func(b byte, n int) string { return string([]byte{b}) + strings.Repeat("\x00", n-1) }
	want := "\x01\x02" + pad(0xaa, 16) + pad(1, 20) + pad(2, 20) + pad(3, 20) + "\x02\x01\x80\x01" + "\x02ep" + "\x01k" + "\x02[]" +
		"\x02\x00\x01t\x01b\x01c\x01t\x01a" + "\x01\x01r"
	require.Equal(t, want, string(appendState(nil, state)))

	change := &store.Change{Revision: 9, At: 1, UID: catalog.UID{0xaa}, Ref: "a", Deleted: true, Before: []byte("{}")}
	require.Equal(t, "\x01\x01\xaa"+strings.Repeat("\x00", 15)+"\x02"+"\x01a"+"\x00{}", string(appendChange(nil, change)))
	change.Deleted, change.Before = false, nil
	require.Equal(t, "\x01\x00\xaa"+strings.Repeat("\x00", 15)+"\x02"+"\x01a", string(appendChange(nil, change)))

	require.Equal(t, "\x00"+strings.Repeat("x", 255), string(packBlob(bytes.Repeat([]byte("x"), 255))))
	require.Equal(t, byte(1), packBlob(bytes.Repeat([]byte("x"), 256))[0])
}

func TestCutRecordsAreDamaged(t *testing.T) {
	for _, s := range codecStates() {
		whole := appendState(nil, s)
		for n := range whole {
			_, err := readState(s.Ref, whole[:n])
			require.ErrorIs(t, err, errDamaged, "%d of %d bytes of a state", n, len(whole))
		}
		_, err := readState(s.Ref, append(whole, 0))
		require.ErrorIs(t, err, errDamaged, "a byte too many")
	}
	key := binary.BigEndian.AppendUint64(nil, 7)
	whole := appendChange(nil, codecChanges()[0])
	for n := range whole {
		_, err := readChange(key, whole[:n])
		require.ErrorIs(t, err, errDamaged, "%d of %d bytes of a change", n, len(whole))
	}
	for _, key := range []string{"", "1234567", "123456789"} {
		_, err := readChange([]byte(key), whole)
		require.ErrorIs(t, err, errDamaged, "a key of %d bytes", len(key))
	}
}

// What can be read says what it says: written again, it reads the same.
func FuzzState(f *testing.F) {
	for _, s := range codecStates() {
		f.Add(s.Ref, appendState(nil, s))
	}
	f.Fuzz(func(t *testing.T, ref string, b []byte) {
		s, err := readState(ref, b)
		if err != nil {
			require.ErrorIs(t, err, errDamaged)
			require.Nil(t, s)
			return
		}
		again, err := readState(ref, appendState(nil, s))
		require.NoError(t, err)
		require.Equal(t, s, again)
	})
}

func FuzzChange(f *testing.F) {
	for _, c := range codecChanges() {
		f.Add(binary.BigEndian.AppendUint64(nil, c.Revision), appendChange(nil, c))
	}
	f.Fuzz(func(t *testing.T, key, b []byte) {
		c, err := readChange(key, b)
		if err != nil {
			require.ErrorIs(t, err, errDamaged)
			require.Nil(t, c)
			return
		}
		again, err := readChange(key, appendChange(nil, c))
		require.NoError(t, err)
		require.Equal(t, c, again)
	})
}

// FuzzBlob reads the input as a blob, and packs it as data.
func FuzzBlob(f *testing.F) {
	for _, size := range []int{0, 1, packedFrom - 1, packedFrom, 5000} {
		f.Add(bytes.Repeat([]byte("ab"), size/2))
		f.Add(packBlob(bytes.Repeat([]byte("ab"), size/2)))
	}
	f.Add([]byte{blobS2, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		if data, err := unpackBlob(b); err != nil {
			require.ErrorIs(t, err, errDamaged)
			require.Nil(t, data)
		} else {
			require.LessOrEqual(t, len(data), maxBlob)
		}
		data, err := unpackBlob(packBlob(b))
		require.NoError(t, err)
		require.NotNil(t, data)
		require.True(t, bytes.Equal(b, data))
	})
}

func FuzzRelations(f *testing.F) {
	f.Add("a", appendRelations(nil, codecStates()[2].Relations, codecRef))
	f.Add("a", []byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, source string, b []byte) {
		list, err := readRelations(source, b)
		if err != nil {
			require.ErrorIs(t, err, errDamaged)
			return
		}
		again, err := readRelations(source, appendRelations(nil, list, source))
		require.NoError(t, err)
		require.Equal(t, list, again)
	})
}
