package boltstore

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"
)

// Check reads all there is and reports each record that is not as it was
// written. The error means that it could not read on.
func (s *Store) Check(report func(violation string)) error {
	if _, err := s.Records(); err != nil {
		report(err.Error())
	}
	if _, err := s.Held(); err != nil {
		report(err.Error())
	}
	return s.db.View(func(tx *bbolt.Tx) error {
		err := tx.Bucket(deliveries).ForEach(func(k, data []byte) error {
			d, err := decodeDelivery(data)
			switch {
			case len(k) != 8:
				report(fmt.Sprintf("delivery %x: the key is not a sequence", k))
			case err != nil:
				report(fmt.Sprintf("delivery %x: %v", k, err))
			case !bytes.Equal(tx.Bucket(ids).Get(idKey(d.Source, d.ID)), k):
				report(fmt.Sprintf("delivery %x: its id is not known", k))
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := checkMirror(tx, ids, order, report); err != nil {
			return err
		}
		return checkMirror(tx, order, ids, report)
	})
}

// checkMirror reports what stands in one bucket and not, turned around, in the
// other.
func checkMirror(tx *bbolt.Tx, a, b []byte, report func(string)) error {
	return tx.Bucket(a).ForEach(func(k, v []byte) error {
		if !bytes.Equal(tx.Bucket(b).Get(v), k) {
			report(fmt.Sprintf("%s %q: not in %s", a, k, b))
		}
		return nil
	})
}

// Check reads what there is in a database, which may be open for reading alone
// and may have no records of crawlers, and reports each one that is not as it
// was written.
func Check(db *bbolt.DB, report func(violation string)) error {
	there := false
	err := db.View(func(tx *bbolt.Tx) error {
		there = tx.Bucket(meta) != nil
		for _, name := range buckets() {
			if there && tx.Bucket(name) == nil {
				return fmt.Errorf("bucket %s is missing", name)
			}
		}
		return nil
	})
	if err != nil || !there {
		return err
	}
	return (&Store{db}).Check(report)
}
