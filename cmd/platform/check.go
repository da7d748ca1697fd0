package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"

	"github.com/greenroom-idp/greenroom/api/auth/boltkeys"
	"github.com/greenroom-idp/greenroom/api/eventbus/boltevents"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/boltstore"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/store"
	ingeststore "github.com/greenroom-idp/greenroom/ingest/boltstore"
	taskstore "github.com/greenroom-idp/greenroom/scaffolder/boltstore"
	"go.etcd.io/bbolt"
)

func checkVerb() verb {
	return verb{
		name: "check", arguments: "[flags]", summary: "check that the store and its index fit together",
		details: `
Walks every page and record of the store, builds the index from it, and walks
that too. Every violation is a line on the standard output. Nothing is changed.
The server must not run: it has the store to itself.

The exit status is 1 when there is a violation.`,
		prepare: func(flags *flag.FlagSet) action {
			data := flags.String("data", "data", dataFlagUsage)
			return func(ctx context.Context, args []string, stdout, _ io.Writer) error {
				if err := noArguments(args); err != nil {
					return err
				}
				return check(ctx, *data, stdout)
			}
		},
	}
}

func check(ctx context.Context, dataDir string, stdout io.Writer) (err error) {
	db, s, err := openData(dataDir, true)
	if err != nil {
		return err
	}
	defer closing(&err, db)
	out := bufio.NewWriter(stdout)
	violations := 0
	report := func(violation string) {
		violations++
		fmt.Fprintln(out, violation)
	}
	if err := s.Check(ctx, report); err != nil {
		return fmt.Errorf("check the store: %w", err)
	}
	entities, err := checkIndex(ctx, s, report)
	if err != nil {
		return fmt.Errorf("check the index: %w", err)
	}
	if err := checkTasks(db, report); err != nil {
		return fmt.Errorf("check the tasks: %w", err)
	}
	if err := ingeststore.Check(db, report); err != nil {
		return fmt.Errorf("check the records of crawlers: %w", err)
	}
	if _, err := boltkeys.ReadTokens(db); err != nil {
		report(err.Error())
	}
	if err := boltevents.Check(db, report); err != nil {
		return fmt.Errorf("check the events: %w", err)
	}
	fmt.Fprintf(out, "%s: %d entities, %d violations\n", db.Path(), entities, violations)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if violations > 0 {
		return errReported
	}
	return nil
}

// checkTasks walks the tasks of the scaffolder.
func checkTasks(db *bbolt.DB, report func(string)) error {
	tasks, err := taskstore.New(db)
	if err != nil {
		return err
	}
	violations, err := tasks.Check()
	for _, v := range violations {
		report(v)
	}
	return err
}

// checkIndex builds the index, and walks it. What cannot be indexed is a
// violation like any other.
func checkIndex(ctx context.Context, s *boltstore.Store, report func(string)) (entities int, err error) {
	err = s.View(func(tx store.ReadTx) error {
		documents, failed := documentsOf(tx)
		x := index.New()
		if err := x.Load(tx.Revision(), documents); err != nil {
			report("index: " + err.Error())
			return *failed
		}
		snapshot := x.Snapshot()
		entities = snapshot.Len()
		return errors.Join(*failed, snapshot.Check(ctx, documents, report))
	})
	return entities, err
}

// documentsOf yields the stored documents, and says afterwards whether they
// could be read to their end.
func documentsOf(tx store.ReadTx) (iter.Seq[index.Document], *error) {
	failed := new(error)
	return func(yield func(index.Document) bool) {
		*failed = tx.Documents(func(uid catalog.UID, _ uint64, doc []byte) bool {
			return yield(index.Document{UID: uid, JSON: doc})
		})
	}, failed
}
