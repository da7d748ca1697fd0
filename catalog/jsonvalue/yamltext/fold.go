package yamltext

import "unicode/utf16"

const (
	lineWidth = 80
	// leastWidth is what a line holds however far it is indented.
	leastWidth = 20
)

// units is the length of s in UTF-16 units, in which the reference measures.
func units(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r >= 0x10000 {
			n++
		}
	}
	return n
}

// A foldMode is the style of what is folded.
type foldMode int

const (
	foldPlain  foldMode = iota // bare and in single quotes
	foldQuoted                 // in double quotes: lines may also end in a word
	foldBlock                  // lines that begin with a blank stay whole
)

// A folder looks for the places where a text is folded.
type folder struct {
	text   []uint16
	mode   foldMode
	indent int
	width  int // of a further line, and one
	limit  int // where the present line ends
	at     int
	prev   uint16
	split  int // the last place where the line can be split; 0 for none
	// The last escape sequence.
	escFrom, escTo int

	folds    []int
	escaped  map[int]bool // folds inside a word
	overflow bool
}

// fold breaks lines of s that are longer than lineWidth, at single blanks.
// Further lines begin with indent; start is how much of the first line is
// taken, or -1. If a line could not be broken, overflow becomes true.
func fold(s, indent string, mode foldMode, start int, overflow *bool) string {
	f := folder{mode: mode, indent: len(indent), width: max(1+leastWidth, 1+lineWidth-len(indent)),
		at: -1, escFrom: -1, escTo: -1, escaped: map[int]bool{}}
	if len(s) <= f.width {
		return s
	}
	f.text = utf16.Encode([]rune(s))
	if len(f.text) <= f.width {
		return s
	}
	f.limit = lineWidth - len(indent)
	switch {
	case start > lineWidth-leastWidth:
		f.folds = append(f.folds, 0)
	case start >= 0:
		f.limit = lineWidth - start
	}
	if ok := f.scan(); !ok {
		return s
	}
	if overflow != nil {
		*overflow = f.overflow
	}
	return f.join(indent)
}

// scan finds the folds. It gives up on a text that cannot be folded.
func (f *folder) scan() bool {
	if f.mode == foldBlock && (f.text[0] == ' ' || f.text[0] == '\t') {
		f.at = f.skipInset(-1, 0)
		f.limit = f.at + f.width
	}
	for f.at++; f.at < len(f.text); f.at++ {
		c := f.text[f.at]
		if f.mode == foldQuoted && c == '\\' {
			f.skipEscape()
		}
		if c == '\n' {
			if f.mode == foldBlock {
				f.at = f.skipInset(f.at, f.indent)
			}
			f.limit = f.at + f.indent + f.width
			f.split = 0
			f.prev = c
			continue
		}
		if c == ' ' && !isSpace(f.prev) && !isSpace(f.unit(f.at+1)) {
			f.split = f.at
		}
		if f.at >= f.limit && !f.breakLine(&c) {
			return false
		}
		f.prev = c
	}
	return true
}

// breakLine folds the present line, which is full. c is the unit just read.
func (f *folder) breakLine(c *uint16) bool {
	switch {
	case f.split > 0:
		f.folds = append(f.folds, f.split)
		f.limit = f.split + f.width
	case f.mode == foldQuoted:
		for f.prev == ' ' || f.prev == '\t' {
			f.at++
			f.prev, *c = *c, f.unit(f.at)
			f.overflow = true
		}
		// The backslash that escapes the line end needs room, and no other
		// escape sequence or character may be cut.
		place := f.at - 2
		if f.at <= f.escTo+1 {
			place = f.escFrom - 1
		}
		if place > 0 && utf16.IsSurrogate(rune(f.text[place])) && f.text[place] < 0xdc00 {
			place--
		}
		if place <= 0 || f.escaped[place] {
			return false
		}
		f.folds = append(f.folds, place)
		f.escaped[place] = true
		f.limit = place + f.width
	default:
		f.overflow = true
		return true
	}
	f.split = 0
	return true
}

func (f *folder) unit(i int) uint16 {
	if i >= len(f.text) {
		return 0
	}
	return f.text[i]
}

// isSpace also holds for what is before and after the text.
func isSpace(c uint16) bool { return c == ' ' || c == '\n' || c == '\t' || c == 0 }

func (f *folder) skipEscape() {
	f.escFrom = f.at
	switch f.unit(f.at + 1) {
	case 'x':
		f.at += 3
	case 'u':
		f.at += 5
	default:
		f.at++
	}
	f.escTo = f.at
}

// skipInset returns the last place of the lines after the line end at i that
// begin with more blanks than indent; i itself if there are none.
func (f *folder) skipInset(i, indent int) int {
	for {
		line := i + 1
		for range indent {
			if line >= len(f.text) || f.text[line] != ' ' {
				return i
			}
			line++
		}
		if c := f.unit(line); c != ' ' && c != '\t' {
			return i
		}
		for line < len(f.text) && f.text[line] != '\n' {
			line++
		}
		i = line
		if line >= len(f.text) {
			return i
		}
	}
}

// join puts the text together with its folds.
func (f *folder) join(indent string) string {
	if len(f.folds) == 0 {
		return string(utf16.Decode(f.text))
	}
	lineEnd := utf16.Encode([]rune("\n" + indent))
	out := append(make([]uint16, 0, len(f.text)+len(f.folds)*len(lineEnd)), f.text[:f.folds[0]]...)
	for i, at := range f.folds {
		end := len(f.text)
		if i+1 < len(f.folds) {
			end = f.folds[i+1]
		}
		from := at + 1 // the blank goes, unless the text itself begins here
		switch {
		case at == 0:
			from = 0
		case f.escaped[at]:
			out = append(out, f.text[at], '\\')
		}
		out = append(append(out, lineEnd...), f.text[from:end]...)
	}
	return string(utf16.Decode(out))
}
