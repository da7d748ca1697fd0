package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/greenroom-idp/greenroom/api/app/bundle"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "packportal: %s\n", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) (err error) {
	if len(args) != 2 {
		return errors.New("usage: packportal DIST FILE: DIST is the folder of a built portal, FILE the bundle to write")
	}
	dist, file := args[0], args[1]
	if _, err := os.Stat(filepath.Join(dist, "index.html.tmpl")); err != nil {
		return fmt.Errorf("%s holds no built portal: %w: `make portal` builds one", dist, err)
	}
	out, err := os.CreateTemp(filepath.Dir(file), ".portal-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(out.Name()))
		}
	}()
	packed, err := bundle.Pack(out, os.DirFS(dist))
	if err != nil {
		return errors.Join(err, out.Close())
	}
	info, err := out.Stat()
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	if err := os.Rename(out.Name(), file); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: %d files of %d bytes in %d, %d left out\n", file, packed.Files, packed.Bytes, info.Size(), packed.LeftOut)
	return err
}
