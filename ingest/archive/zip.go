package archive

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Zip reads a zip archive, whose list of entries is at its end: it is first
// written to a temporary file in dir, "" for the system's folder. Entries come
// in the order of that list.
func Zip(ctx context.Context, r io.Reader, dir string, o Options, yield func(Entry) error) (err error) {
	g := NewChecker(o)
	file, err := os.CreateTemp(dir, "archive-*.zip")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	size, err := io.Copy(file, &meter{r: io.LimitReader(r, g.o.Limits.Compressed+1), check: func(n int64) error {
		if n > g.o.Limits.Compressed {
			return fmt.Errorf("%w: it is larger than %d bytes", ErrTooLarge, g.o.Limits.Compressed)
		}
		return context.Cause(ctx)
	}})
	if err != nil {
		return err
	}
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return broken(ctx, err)
	}
	for _, f := range archive.File {
		if err := g.zipEntry(ctx, f, size, yield); err != nil {
			return err
		}
	}
	return nil
}

// zipEntry passes one entry on.
func (g *Checker) zipEntry(ctx context.Context, f *zip.File, archiveSize int64, yield func(Entry) error) error {
	e := Entry{Path: f.Name, Mode: f.Mode(), Size: int64(f.UncompressedSize64)}
	if int64(f.UncompressedSize64) < 0 || e.Size > ratioFrom && e.Size > g.o.Limits.Ratio*archiveSize {
		return fmt.Errorf("%w: %.200q says that it has %d bytes", ErrTooLarge, f.Name, f.UncompressedSize64)
	}
	content, err := f.Open()
	if err != nil {
		return broken(ctx, err)
	}
	defer content.Close()
	if e.Mode.Type() == fs.ModeSymlink {
		target, err := io.ReadAll(io.LimitReader(content, maxPath+1))
		if err != nil {
			return broken(ctx, err)
		}
		e.Link = string(target)
	}
	ok, err := g.Admit(ctx, &e)
	if err != nil || !ok {
		return err
	}
	// The reader fails where there is more or less than the entry says.
	e.Content = content
	return yield(e)
}
