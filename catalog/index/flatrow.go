package index

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/query"
	"github.com/greenroom-idp/greenroom/catalog/query/rawjson"
)

// emit adds a row with the scalar between two places under the current path.
func (f *flattener) emit(at, end int) error {
	field, isNew := f.key(false)
	if field == tooLong {
		return nil
	}
	row := flatRow{field: field, at: uint32(len(f.text))}
	switch c := f.doc[at]; c {
	case 'n':
		row.null = true
	case 't', 'f':
		f.text = append(f.text, f.doc[at:end]...)
	case '"':
		// Each unit takes six bytes at most.
		if row.null = end-at-2 > 6*maxValueUnits; !row.null {
			var err error
			if f.text, _, err = rawjson.AppendString(f.text, f.doc, at); err != nil {
				return err
			}
		}
	default:
		var err error
		if f.text, err = appendNumber(f.text, f.doc[at:end]); err != nil {
			return err
		}
	}
	row.value = uint32(len(f.text)) - row.at
	f.addRow(row, isNew)
	return nil
}

// appendNumber appends a JSON number as JavaScript converts it to a string.
func appendNumber(dst, raw []byte) ([]byte, error) {
	const exact = 15 // digits that every double keeps
	if len(raw) <= exact && raw[0] != '-' && raw[0] != '0' && bytes.IndexFunc(raw, notDigit) < 0 {
		return append(dst, raw...), nil
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return dst, rawjson.ErrSyntax
	}
	return jsonvalue.AppendNumber(dst, n), nil
}

func notDigit(r rune) bool { return r < '0' || r > '9' }

func (f *flattener) addText(field uint32, text []byte, isNew bool) {
	if field == tooLong {
		return
	}
	row := flatRow{field: field, at: uint32(len(f.text)), value: uint32(len(text))}
	f.text = append(f.text, text...)
	f.addRow(row, isNew)
}

// addRow adds a row whose text holds the original value alone. Of rows with
// the same key and value the first stays; there can be none where the field is
// new.
func (f *flattener) addRow(row flatRow, isNew bool) {
	if !row.null {
		f.lower(&row)
	}
	if row.null {
		f.text = f.text[:row.at]
		row.value, row.original = 0, 0
	}
	if isNew || !f.repeated(row) {
		f.rows = append(f.rows, row)
		return
	}
	f.text = f.text[:row.at]
}

// lower puts the lower-cased value in front of the original, if they differ.
func (f *flattener) lower(row *flatRow) {
	original := f.text[row.at:]
	capitals := false
	for _, c := range original {
		if c >= utf8.RuneSelf {
			f.lowerUnicode(row)
			return
		}
		capitals = capitals || 'A' <= c && c <= 'Z'
	}
	if row.null = len(original) > maxValueUnits; row.null || !capitals {
		return
	}
	f.text = append(f.text, original...)
	for i := row.at; i < row.at+row.value; i++ {
		if c := f.text[i]; 'A' <= c && c <= 'Z' {
			f.text[i] = c + 'a' - 'A'
		}
	}
	row.original = row.value
}

func (f *flattener) lowerUnicode(row *flatRow) {
	original := string(f.text[row.at:])
	lower := query.Lower(original)
	if row.null = units(lower) > maxValueUnits; row.null || lower == original {
		return
	}
	row.original, row.value = row.value, uint32(len(lower))
	f.text = append(append(f.text[:row.at], lower...), original...)
}

// manyRows is from how many rows on they are told apart by a map.
const manyRows = 128

func (f *flattener) repeated(row flatRow) bool {
	if len(f.rows) < manyRows {
		return slices.ContainsFunc(f.rows, func(r flatRow) bool {
			return r.field == row.field && r.null == row.null && bytes.Equal(f.value(r), f.value(row))
		})
	}
	if f.known == nil {
		f.known = make(map[string]struct{}, 2*manyRows)
	}
	for ; f.knownRows < len(f.rows); f.knownRows++ {
		f.known[f.identify(f.rows[f.knownRows])] = struct{}{}
	}
	_, found := f.known[f.identify(row)]
	return found
}

func (f *flattener) identify(r flatRow) string {
	key := binary.AppendUvarint(nil, uint64(r.field))
	if r.null {
		return string(append(key, 0))
	}
	return string(append(append(key, 1), f.value(r)...))
}
