package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/catalog/boltstore"
)

// storeFile is the one file below the data folder.
const storeFile = "greenroom.db"

const dataFlagUsage = "`folder` of the store"

// openData opens the store file in dir, which it makes unless readOnly.
func openData(dir string, readOnly bool) (*bbolt.DB, *boltstore.Store, error) {
	path := filepath.Join(dir, storeFile)
	if readOnly {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("there is no store %s: name the folder that holds one with --data", path)
		}
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("the data folder cannot be made: %w: name another one with --data", err)
	}
	db, err := boltstore.OpenFile(path, readOnly)
	if err != nil {
		return nil, nil, storeAdvice(path, err)
	}
	store, err := boltstore.New(db)
	if err != nil {
		return nil, nil, storeAdvice(path, errors.Join(err, db.Close()))
	}
	return db, store, nil
}

// storeAdvice says what to do about a store that cannot be opened.
func storeAdvice(path string, err error) error {
	switch {
	case errors.Is(err, boltstore.ErrLocked):
		return &inUseError{path, err}
	case errors.Is(err, boltstore.ErrForeign):
		return fmt.Errorf("%s is not a store of this program (%w): move it away, or name another folder with --data", path, err)
	case errors.Is(err, boltstore.ErrFormat):
		return fmt.Errorf("%s was written by another release (%w): use that release, or name another folder with --data", path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: give this user the right to write there, or name another folder with --data", err)
	}
	return fmt.Errorf("the store cannot be opened: %w: restore %s from a copy, or name another folder with --data", err, path)
}

// An inUseError says that another process has the store.
type inUseError struct {
	path  string
	cause error
}

func (e *inUseError) Error() string {
	return e.path + " is in use by another process: stop that one, or name another folder with --data"
}

// Unwrap returns the cause, which is boltstore.ErrLocked.
func (e *inUseError) Unwrap() error { return e.cause }
