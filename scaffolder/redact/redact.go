package redact

import (
	"slices"
	"strings"
	"sync"
)

// Mask is what stands for a secret.
const Mask = "***"

// A Masker masks the secrets that it knows. The zero value knows none.
type Masker struct {
	mu    sync.RWMutex
	known map[string]bool
	forms []string // longest first
}

// Add makes secrets known.
func (m *Masker) Add(secrets ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, secret := range secrets {
		if m.known[secret] {
			continue
		}
		if m.known == nil {
			m.known = map[string]bool{}
		}
		m.known[secret] = true
		for _, form := range forms(secret) {
			if len(form) > 1 && !slices.Contains(m.forms, form) {
				m.forms = append(m.forms, form)
			}
		}
	}
	slices.SortStableFunc(m.forms, func(a, b string) int { return len(b) - len(a) })
}

// Empty tells whether no secret is known.
func (m *Masker) Empty() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.forms) == 0
}

// Text returns the text with secrets masked.
func (m *Masker) Text(text string) string {
	return cover(text, m.find(text))
}

// A span is a part of a text, in bytes.
type span struct{ from, to int }

// find returns where secrets are, in order, overlapping ones joined.
func (m *Masker) find(text string) []span {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if len(m.forms) == 0 || text == "" {
		return nil
	}
	spans := m.search(text, nil)
	if strings.ContainsAny(text, "\n\r") || strings.Contains(text, `\n`) || strings.Contains(text, `\r`) {
		bare, places := stripped(text, true)
		spans = append(spans, m.search(bare, places)...)
	}
	return join(spans)
}

// search finds secrets in a text, of which places says where each byte stood;
// nil if it is the text itself.
func (m *Masker) search(text string, places []int) []span {
	var spans []span
	for _, form := range m.forms {
		for at := 0; ; {
			i := strings.Index(text[at:], form)
			if i < 0 {
				break
			}
			from, to := at+i, at+i+len(form)
			at += i + 1
			if places != nil {
				from, to = places[from], places[to-1]+1
			}
			spans = append(spans, span{from, to})
		}
	}
	return spans
}

func join(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && s.from < out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}

func cover(text string, spans []span) string {
	if len(spans) == 0 {
		return text
	}
	var b strings.Builder
	at := 0
	for _, s := range spans {
		b.WriteString(text[at:s.from])
		b.WriteString(Mask)
		at = s.to
	}
	b.WriteString(text[at:])
	return b.String()
}

// stripped returns the text without line breaks and the blanks around them,
// and where each byte of the result stood.
func stripped(s string, withPlaces bool) (string, []int) {
	var b strings.Builder
	var places []int
	for i := 0; i < len(s); {
		n := breakAt(s[i:])
		if n == 0 {
			b.WriteByte(s[i])
			if withPlaces {
				places = append(places, i)
			}
			i++
			continue
		}
		i += n
	}
	return b.String(), places
}

// breakAt returns how many bytes a line break at the beginning takes, with the
// blanks around it; 0 if there is none.
func breakAt(s string) int {
	blanks := len(s) - len(strings.TrimLeft(s, " \t"))
	rest := s[blanks:]
	n := 0
	for {
		switch {
		case strings.HasPrefix(rest, "\n"), strings.HasPrefix(rest, "\r"):
			rest = rest[1:]
			n++
		case strings.HasPrefix(rest, `\n`), strings.HasPrefix(rest, `\r`):
			rest = rest[2:]
			n++
		case n > 0 && rest != "" && (rest[0] == ' ' || rest[0] == '\t'):
			rest = rest[1:]
		default:
			if n == 0 {
				return 0
			}
			return len(s) - len(rest)
		}
	}
}

// A Stream masks lines one after the other, also a secret of which one line has
// the beginning and the next the end. A line that ends like the beginning of a
// secret is held back until it is known how it goes on.
type Stream struct {
	masker *Masker
	write  func(line string)
	held   []string
}

// NewStream returns a stream that hands masked lines on.
func NewStream(m *Masker, write func(line string)) *Stream { return &Stream{masker: m, write: write} }

// maxHeld bounds how many lines wait for the end of a secret.
const maxHeld = 64

// Line takes the next line.
func (s *Stream) Line(line string) {
	s.held = append(s.held, line)
	if len(s.held) < maxHeld && s.masker.begins(strings.Join(s.held, "\n")) {
		return
	}
	s.Flush()
}

// Flush hands on what is held back: nothing more comes.
func (s *Stream) Flush() {
	lines := s.held
	s.held = nil
	if len(lines) == 1 {
		s.write(s.masker.Text(lines[0]))
		return
	}
	spans := s.masker.find(strings.Join(lines, "\n"))
	start := 0
	for _, line := range lines {
		end := start + len(line)
		var own []span
		for _, p := range spans {
			if p.from < end && p.to > start {
				own = append(own, span{max(p.from, start) - start, min(p.to, end) - start})
			}
		}
		s.write(cover(line, own))
		start = end + 1
	}
}

// minBeginning is how many characters of a secret make a line wait.
const minBeginning = 4

// begins tells whether a text ends like a secret begins.
func (m *Masker) begins(text string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	bare, _ := stripped(text, false)
	bare = strings.TrimRight(bare, " \t")
	for _, form := range m.forms {
		for n := min(len(form)-1, len(bare)); n >= minBeginning; n-- {
			if strings.HasSuffix(bare, form[:n]) {
				return true
			}
		}
	}
	return false
}
