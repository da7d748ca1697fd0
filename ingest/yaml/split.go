package yaml

import (
	"bytes"
	"iter"
)

// A span is where a document lies in its stream: from its directives or its
// first line to before the marker that ends it. The tail is where the line of
// the marker "..." ends, or end itself where there is none.
type span struct{ start, end, tail int }

// spans finds the documents of a stream. A marker counts wherever it starts a
// line, whatever is open before it. What follows other text on the line of the
// marker "..." is lost with it.
func spans(data []byte) iter.Seq[span] {
	return func(yield func(span) bool) {
		start, begun, lost := 0, false, false
		for at := 0; at < len(data); {
			next := len(data)
			if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
				next = at + i + 1
			}
			switch line := data[at:next]; {
			case isMarker(line, "---"):
				if begun && !yield(span{start, at, at}) {
					return
				}
				if begun {
					start = at
				}
				if lost {
					start = at
				}
				begun, lost = true, false
			case isMarker(line, "..."):
				if !yield(span{start, at, next}) {
					return
				}
				start, begun, lost = next, false, !isPreface(line[3:])
			case lost:
			case !begun:
				begun = !isPreface(line)
			}
			at = next
		}
		if begun {
			yield(span{start, len(data), len(data)})
		}
	}
}

func isMarker(line []byte, marker string) bool {
	if len(line) < 3 || string(line[:3]) != marker {
		return false
	}
	return len(line) == 3 || isBlank(line[3]) || line[3] == '\n' || line[3] == '\r'
}

// isPreface tells whether a line may stand before a document: a directive, a
// comment, or nothing.
func isPreface(line []byte) bool {
	if len(line) > 0 && line[0] == '%' {
		return true
	}
	line = bytes.TrimLeft(line, " \t\r\n")
	return len(line) == 0 || line[0] == '#'
}
