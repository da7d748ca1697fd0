package yaml

import (
	"bytes"
	"strings"
)

// prologue reads directives, and the marker "---" where there is one.
func (p *parser) prologue() (marked bool, err error) {
	directive := false
	for p.pos < len(p.src) {
		from := p.mark()
		if _, err := p.skip(); err != nil {
			return false, err
		}
		if p.at(0) == '%' && p.column() == 0 {
			if err := p.directive(); err != nil {
				return false, err
			}
			directive = true
			continue
		}
		if p.column() == 0 && isMarker(p.src[p.pos:], "---") {
			p.pos += len("---")
			return true, nil
		}
		if directive {
			p.unmarked = p.failAt(p.pos, "Missing directives-end/doc-start indicator line")
		}
		p.reset(from)
		break
	}
	return false, nil
}

// directive reads %YAML and %TAG and goes over others.
func (p *parser) directive() error {
	start, end := p.pos, p.lineEnd()
	line := p.src[start:end]
	if i := bytes.Index(line, []byte(" #")); i >= 0 {
		line = line[:i]
	}
	p.pos = end
	words := strings.Fields(string(line))
	switch words[0] {
	case "%YAML":
		if len(words) != 2 {
			return p.fail(start, end, "%%YAML directive should contain exactly one part")
		}
		if !isVersion(words[1]) {
			at := start + bytes.Index(line, []byte(words[1]))
			return p.fail(at, at+len(words[1]), "Unsupported YAML version %s", words[1])
		}
		p.version11 = words[1] == "1.1"
	case "%TAG":
		if len(words) != 3 {
			return p.fail(start, end, "%%TAG directive should contain exactly two parts")
		}
		if p.handles == nil {
			p.handles = map[string]string{}
		}
		p.handles[words[1]] = words[2]
	}
	return nil
}

func isVersion(s string) bool {
	major, minor, ok := strings.Cut(s, ".")
	return ok && major != "" && minor != "" && digits(major) == len(major) && digits(minor) == len(minor)
}
