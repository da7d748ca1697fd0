package bundle

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/klauspost/compress/flate"
)

// Packed says what a bundle came to.
type Packed struct {
	Files, LeftOut int
	Bytes          int64 // of the files, not compressed
}

// Pack writes the files of a build into a bundle. Source maps, which are most
// of a build and only help those who develop it, are left out.
func Pack(w io.Writer, build fs.FS) (Packed, error) {
	var p Packed
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	err := fs.WalkDir(build, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(d.Name(), "."):
			p.LeftOut++
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular():
			return nil
		case path.Ext(name) == ".map":
			p.LeftOut++
			return nil
		}
		data, err := fs.ReadFile(build, name)
		if err != nil {
			return err
		}
		p.Files++
		p.Bytes += int64(len(data))
		return add(archive, name, data)
	})
	if err != nil {
		return p, fmt.Errorf("pack portal: %w", err)
	}
	if err := archive.Close(); err != nil {
		return p, fmt.Errorf("pack portal: %w", err)
	}
	return p, nil
}

// add adds a file, compressed if that saves a tenth of it.
func add(archive *zip.Writer, name string, data []byte) error {
	if len(data) > maxSize {
		return fmt.Errorf("%s is larger than %d bytes", name, maxSize)
	}
	header := &zip.FileHeader{Name: name, Method: zip.Store}
	var small bytes.Buffer
	z, err := flate.NewWriter(&small, flate.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(data); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if small.Len() < len(data)-len(data)/10 {
		header.Method = zip.Deflate
	}
	entry, err := archive.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = entry.Write(data)
	return err
}
