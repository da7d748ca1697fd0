package git

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// packOf writes a pack with one object that claims a size.
func packOf(t testing.TB, count uint32, kind byte, size uint64, content []byte) []byte {
	var b bytes.Buffer
	b.WriteString("PACK")
	require.NoError(t, binary.Write(&b, binary.BigEndian, []uint32{2, count}))
	first := kind<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		b.WriteByte(first | 0x80)
		first = byte(size & 0x7f)
	}
	b.WriteByte(first)
	w := zlib.NewWriter(&b)
	_, err := w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	sum := sha1.Sum(b.Bytes())
	b.Write(sum[:])
	return b.Bytes()
}

func check(t testing.TB, pack []byte) error {
	name := filepath.Join(t.TempDir(), "pack")
	require.NoError(t, os.WriteFile(name, pack, 0o600))
	file, err := os.Open(name)
	require.NoError(t, err)
	defer file.Close()
	return safely(func() error { return checkPack(file) })
}

func TestPacksAreBounded(t *testing.T) {
	const blob, offsetDelta = 3, 6
	require.NoError(t, check(t, packOf(t, 1, blob, 3, []byte("abc"))))
	require.ErrorIs(t, check(t, packOf(t, 5_000_000, blob, 3, []byte("abc"))), errTooLarge)
	require.ErrorIs(t, check(t, packOf(t, 1, blob, 1<<40, []byte("abc"))), errTooLarge)
	delta := binary.AppendUvarint(binary.AppendUvarint(nil, 3), 1<<40)
	pack := packOf(t, 1, offsetDelta, uint64(len(delta)), nil)
	head := pack[:12+1] // an offset of 1 goes between the size and the content
	var b bytes.Buffer
	b.Write(head)
	b.WriteByte(1)
	w := zlib.NewWriter(&b)
	_, err := w.Write(delta)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.ErrorIs(t, check(t, b.Bytes()), errTooLarge)
	require.True(t, permanent(errTooLarge))
}

func FuzzPack(f *testing.F) {
	f.Add(packOf(f, 1, 3, 3, []byte("abc")))
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = check(t, data) // no panic, and no memory for what is only claimed
	})
}

// What a server says of a push is read, whatever it is.
func FuzzReport(f *testing.F) {
	f.Add([]byte("000eunpack ok\n0019ok refs/heads/main\n0000"), false)
	f.Add([]byte("0030\x01000eunpack ok\n0019ok refs/heads/main\n00000000"), true)
	f.Add([]byte("000eunpack ok\n002ang refs/heads/main hook declined\n0000"), false)
	f.Fuzz(func(t *testing.T, data []byte, aside bool) {
		err := readReport(bytes.NewReader(data), aside, true)
		if err == nil && !strings.Contains(string(data), "unpack ok") {
			t.Fatalf("%q is taken for a success", data)
		}
	})
}
