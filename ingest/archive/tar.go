package archive

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Tar reads a tar archive, compressed with gzip or not, and calls yield for each
// entry in order. An error of yield ends it and is returned.
func Tar(ctx context.Context, r io.Reader, o Options, yield func(Entry) error) error {
	g := NewChecker(o)
	plain, err := g.decompress(ctx, r)
	if err != nil {
		return err
	}
	for archive := tar.NewReader(plain); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return drain(ctx, plain)
		}
		if err != nil {
			return broken(ctx, err)
		}
		e, ok := tarEntry(header)
		if !ok {
			continue
		}
		if ok, err = g.Admit(ctx, &e); err != nil {
			return err
		}
		if !ok {
			continue
		}
		e.Content = archive
		if err := yield(e); err != nil {
			return err
		}
	}
}

// drain reads to the end, where gzip has its checksum; what follows an archive
// is padding.
func drain(ctx context.Context, r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return broken(ctx, err)
	}
	return nil
}

// tarEntry turns a header into an entry; false for those that are about the
// archive itself.
func tarEntry(h *tar.Header) (Entry, bool) {
	e := Entry{Path: h.Name, Size: h.Size, Mode: fs.FileMode(h.Mode).Perm()}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
	case tar.TypeDir:
		e.Mode |= fs.ModeDir
	case tar.TypeSymlink:
		e.Mode |= fs.ModeSymlink
		e.Link = h.Linkname
	case tar.TypeXGlobalHeader:
		return Entry{}, false
	default: // hard links, devices, pipes
		e.Mode |= fs.ModeIrregular
	}
	return e, true
}

// decompress unpacks gzip if it finds it, and meters what comes out against
// what went in.
func (g *Checker) decompress(ctx context.Context, r io.Reader) (io.Reader, error) {
	l := g.o.Limits
	packed := &meter{r: r, check: func(n int64) error {
		if n > l.Compressed {
			return fmt.Errorf("%w: it is larger than %d bytes", ErrTooLarge, l.Compressed)
		}
		return context.Cause(ctx)
	}}
	buffered := bufio.NewReaderSize(packed, 64<<10)
	magic, err := buffered.Peek(2)
	if err != nil {
		return nil, broken(ctx, err)
	}
	if magic[0] != 0x1f || magic[1] != 0x8b {
		return buffered, nil
	}
	unzipped, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, broken(ctx, err)
	}
	return &meter{r: unzipped, check: func(n int64) error {
		// Headers and padding come on top: a kilobyte for each file, and the end.
		if n > l.Bytes+int64(l.Entries)<<10+1<<20 || n > ratioFrom && n > l.Ratio*packed.n {
			return fmt.Errorf("%w: %d bytes from %d", ErrTooLarge, n, packed.n)
		}
		return nil
	}}, nil
}

// broken is the error for what cannot be read.
func broken(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if errors.Is(err, ErrTooLarge) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrFormat, err)
}
