package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/klauspost/compress/flate"
)

// A Bundle is an opened bundle.
type Bundle struct{ files map[string]File }

// A File is one file of a bundle.
type File struct {
	// Size is the number of bytes, not compressed.
	Size int64
	// Tag differs for files that differ.
	Tag string

	packed   []byte // as it is in the bundle
	deflated bool
	crc      uint32
}

const (
	// maxFiles bounds how many files a bundle may hold, and maxSize the bytes
	// of one of them.
	maxFiles = 20_000
	maxSize  = 64 << 20
)

// Open reads the directory of a bundle. The files are slices of data.
func Open(data []byte) (*Bundle, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("open bundle: %w", err)
	}
	if len(archive.File) > maxFiles {
		return nil, fmt.Errorf("open bundle: it holds %d files, and may hold %d", len(archive.File), maxFiles)
	}
	b := &Bundle{files: make(map[string]File, len(archive.File))}
	for _, entry := range archive.File {
		f, err := open(data, entry)
		if err != nil {
			return nil, fmt.Errorf("open bundle: %s: %w", entry.Name, err)
		}
		b.files[entry.Name] = f
	}
	return b, nil
}

func open(data []byte, entry *zip.File) (File, error) {
	offset, err := entry.DataOffset()
	if err != nil {
		return File{}, err
	}
	length := entry.CompressedSize64
	switch {
	case entry.UncompressedSize64 > maxSize || length > maxSize:
		return File{}, errors.New("it is too large")
	case offset < 0 || uint64(offset)+length > uint64(len(data)):
		return File{}, io.ErrUnexpectedEOF
	case entry.Method != zip.Store && entry.Method != zip.Deflate:
		return File{}, fmt.Errorf("it is compressed in a way (%d) that is not known here", entry.Method)
	}
	return File{
		Size: int64(entry.UncompressedSize64), packed: data[offset : uint64(offset)+length],
		deflated: entry.Method == zip.Deflate, crc: entry.CRC32,
		Tag: strconv.FormatUint(entry.UncompressedSize64, 16) + "-" + strconv.FormatUint(uint64(entry.CRC32), 16),
	}, nil
}

// File returns a file by its path below the root of the build.
func (b *Bundle) File(name string) (File, bool) {
	f, ok := b.files[name]
	return f, ok
}

// Names yields the paths of all files, in no order.
func (b *Bundle) Names(yield func(string) bool) {
	for name := range b.files {
		if !yield(name) {
			return
		}
	}
}

// gzipHeader says: deflated, no name, no time, from an unknown system.
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}

const gzipTrailer = 8

// GzipSize returns the bytes of the file's gzip form, and whether it has one.
func (f File) GzipSize() (int64, bool) {
	return int64(len(gzipHeader)+len(f.packed)) + gzipTrailer, f.deflated
}

// WriteGzip writes the gzip form, which the file must have.
func (f File) WriteGzip(w io.Writer) error {
	trailer := binary.LittleEndian.AppendUint32(make([]byte, 0, gzipTrailer), f.crc)
	trailer = binary.LittleEndian.AppendUint32(trailer, uint32(f.Size))
	for _, part := range [][]byte{gzipHeader, f.packed, trailer} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// Open returns the content, not compressed.
func (f File) Open() io.ReadCloser {
	if !f.deflated {
		return io.NopCloser(bytes.NewReader(f.packed))
	}
	return flate.NewReader(bytes.NewReader(f.packed))
}
