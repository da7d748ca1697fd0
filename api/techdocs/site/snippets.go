package site

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/api/techdocs/markdown"
)

// Snippets are files, or parts of files, that a page includes:
//
//	--8<-- "README.md"
//	--8<-- "src/main.go:setup"   the lines between [start:setup] and [end:setup]
//	--8<-- "src/main.go:3:9"     lines 3 to 9
//
// and paths on lines of their own between two lines of --8<--. A semicolon
// before the scissors takes their meaning away.
var (
	snippetLine  = regexp.MustCompile(`^([ \t]*)-+8<-+[ \t]+(?:"([^"]+)"|'([^']+)')[ \t]*$`)
	snippetBlock = regexp.MustCompile(`^([ \t]*)-+8<-+[ \t]*$`)
	snippetMark  = regexp.MustCompile(`-+8<-+[ \t]*\[(start|end):[ \t]*([\w-]+)[ \t]*\]`)
	escapedMark  = regexp.MustCompile(`^([ \t]*);(;*-+8<-+)`)
)

const (
	// maxSnippets bounds how deep snippets include others, and maxInPage how
	// many there are in a page.
	maxSnippetDepth = 5
	maxInPage       = 200
)

// scissors are in every source that includes something.
var scissors = []byte("8<-")

// SnippetFiles returns the paths that a source includes, as it has them.
func SnippetFiles(source []byte) (out []string) {
	if !bytes.Contains(source, scissors) {
		return nil
	}
	eachSnippet(source, func(line, _, file string) {
		if file != "" && len(out) < maxInPage {
			name, _, _ := strings.Cut(file, ":")
			out = append(out, name)
		}
	})
	return out
}

// eachSnippet yields the lines of a source: those that include a file with
// their indentation and the file, those that only mark a block not at all.
func eachSnippet(source []byte, yield func(line, indent, file string)) {
	inBlock := false
	for line := range strings.Lines(string(source)) {
		bare := strings.TrimRight(line, "\r\n")
		if m := snippetBlock.FindStringSubmatch(bare); m != nil {
			inBlock = !inBlock
			continue
		}
		m := snippetLine.FindStringSubmatch(bare)
		switch {
		case inBlock && strings.TrimSpace(bare) != "":
			indent := bare[:len(bare)-len(strings.TrimLeft(bare, " \t"))]
			yield(line, indent, strings.TrimSpace(bare))
		case m != nil:
			yield(line, m[1], m[2]+m[3])
		default:
			yield(line, "", "")
		}
	}
}

// includer puts snippets into one page.
type includer struct {
	site  *Site
	bases []string // folders of the tree that paths are relative to
	count int
	size  int
	tell  func(format string, args ...any)
}

// expand returns a source with what it includes.
func (x *includer) expand(source []byte, depth int) []byte {
	if !bytes.Contains(source, scissors) {
		return source
	}
	var out bytes.Buffer
	eachSnippet(source, func(line, indent, file string) {
		switch {
		case file == "":
			out.WriteString(escapedMark.ReplaceAllString(line, "$1$2"))
			return
		case depth >= maxSnippetDepth:
			x.tell("snippets are nested too deep at %s", file)
			return
		}
		if x.count++; x.count > maxInPage {
			x.tell("it includes more than %d snippets", maxInPage)
			return
		}
		text, err := x.read(file)
		if err != nil {
			x.tell("snippet %s: %s", file, err)
			return
		}
		for included := range bytes.Lines(x.expand(text, depth+1)) {
			out.WriteString(indent)
			out.Write(included)
		}
		if n := out.Len(); n > 0 && out.Bytes()[n-1] != '\n' {
			out.WriteByte('\n')
		}
	})
	return out.Bytes()
}

var errNoSnippet = errors.New("it is not there")

// read returns a file, or the part of it that is meant.
func (x *includer) read(file string) ([]byte, error) {
	name, part, _ := strings.Cut(file, ":")
	if strings.HasPrefix(part, "//") {
		return nil, errors.New("addresses are not read")
	}
	for _, base := range x.bases {
		full := path.Join(base, name)
		if !fs.ValidPath(full) {
			continue
		}
		data, err := readFile(x.site.tree, full, markdown.MaxSource)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if x.size += len(data); x.size > 4*markdown.MaxSource {
			return nil, fmt.Errorf("%w: the snippets of the page are too large", ErrLimit)
		}
		return cutSnippet(data, part)
	}
	return nil, errNoSnippet
}

// cutSnippet returns the lines that a part names, all for "", without the marks
// of parts.
func cutSnippet(data []byte, part string) ([]byte, error) {
	from, to, section := 1, int(^uint(0)>>1), ""
	if part != "" {
		first, last, isRange := strings.Cut(part, ":")
		n, err := strconv.Atoi(first)
		switch {
		case err != nil && !isRange:
			section = part
		case err == nil && n > 0:
			from = n
		}
		if m, err := strconv.Atoi(last); isRange && err == nil {
			to = m
		}
	}
	var out bytes.Buffer
	inside, number := section == "", 0
	for line := range bytes.Lines(data) {
		number++
		if m := snippetMark.FindSubmatch(line); m != nil {
			if string(m[2]) == section {
				inside = string(m[1]) == "start"
			}
			continue
		}
		if inside && number >= from && number <= to {
			out.Write(line)
		}
	}
	if section != "" && out.Len() == 0 {
		return nil, fmt.Errorf("it has no part %s", section)
	}
	return out.Bytes(), nil
}
