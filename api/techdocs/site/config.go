package site

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Errors of a tree that cannot become a site.
var (
	// ErrLimit is returned for trees that are over a limit.
	ErrLimit = errors.New("the documentation is over a limit")
	// ErrConfig is returned for an mkdocs.yml that cannot be used.
	ErrConfig = errors.New("mkdocs.yml cannot be used")
	// ErrNoPages is returned for trees that have no Markdown where it belongs.
	ErrNoPages = errors.New("there is no documentation")
)

// Bounds on a tree.
const (
	MaxFiles   = 20_000
	MaxPages   = 5_000
	MaxBytes   = 512 << 20 // of all files
	MaxFile    = 64 << 20
	maxConfig  = 1 << 20 // bytes of an mkdocs.yml
	maxNav     = 20_000  // entries of the navigation
	maxDeep    = 16      // levels of it
	maxInclude = 100     // sites that are included
)

// configNames are where the configuration is looked for.
var configNames = []string{"mkdocs.yml", "mkdocs.yaml"}

// A config is what an mkdocs.yml says, as far as it means something here.
type config struct {
	file        string // "" if there is none
	name        string
	description string
	language    string
	docs        string // folder of the pages, relative to that of the file
	nav         []entry
	hasNav      bool
}

// An entry of the navigation as it is written: a page or an address, a section
// with entries, or a site to include.
type entry struct {
	title, target string
	include       string // path of an mkdocs.yml, relative to the one that says so
	children      []entry
	section       bool
}

// parseConfig reads an mkdocs.yml. Nodes are looked at one by one: tags of
// Python and the keys of plugins mean nothing here, and aliases cannot
// multiply beyond a bound.
func parseConfig(file string, data []byte) (*config, error) {
	c := &config{file: file, docs: "docs"}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrConfig, file, err)
	}
	if len(doc.Content) == 0 {
		return c, nil
	}
	root := resolveAlias(doc.Content[0])
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%w: %s is not a mapping of keys such as site_name", ErrConfig, file)
	}
	budget := maxNav
	for i := 0; i+1 < len(root.Content); i += 2 {
		value := resolveAlias(root.Content[i+1])
		switch root.Content[i].Value {
		case "site_name":
			c.name = scalar(value)
		case "site_description":
			c.description = scalar(value)
		case "docs_dir":
			c.docs = scalar(value)
		case "theme":
			c.language = scalar(child(value, "language"))
		case "nav", "pages":
			var err error
			if c.nav, err = parseEntries(value, 0, &budget); err != nil {
				return nil, fmt.Errorf("%w: %s: nav: %w", ErrConfig, file, err)
			}
			c.hasNav = value.Kind == yaml.SequenceNode
		}
	}
	return c, c.checkDocs()
}

// checkDocs cleans docs_dir, and refuses one that leads out.
func (c *config) checkDocs() error {
	docs := path.Clean(strings.ReplaceAll(c.docs, `\`, "/"))
	if c.docs == "" {
		docs = "docs"
	}
	if path.IsAbs(docs) || !fs.ValidPath(docs) || !fs.ValidPath(path.Join(path.Dir(c.file), docs)) {
		return fmt.Errorf("%w: %s: docs_dir %q must be a folder below the one that the file is in", ErrConfig, c.file, c.docs)
	}
	c.docs = docs
	return nil
}

func resolveAlias(n *yaml.Node) *yaml.Node {
	for range 8 {
		if n.Kind != yaml.AliasNode {
			break
		}
		n = n.Alias
	}
	return n
}

func scalar(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return strings.TrimSpace(n.Value)
}

func child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return resolveAlias(n.Content[i+1])
		}
	}
	return nil
}

// parseEntries reads a list of the navigation.
func parseEntries(n *yaml.Node, depth int, budget *int) (out []entry, err error) {
	if n.Kind == yaml.ScalarNode && scalar(n) == "" {
		return nil, nil
	}
	if n.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("line %d: it must be a list of pages", n.Line)
	}
	if depth >= maxDeep {
		return nil, fmt.Errorf("line %d: it has more than %d levels", n.Line, maxDeep)
	}
	for _, item := range n.Content {
		item = resolveAlias(item)
		if *budget--; *budget < 0 {
			return nil, fmt.Errorf("it has more than %d entries", maxNav)
		}
		switch item.Kind {
		case yaml.ScalarNode:
			out = append(out, target("", scalar(item)))
		case yaml.MappingNode:
			for i := 0; i+1 < len(item.Content); i += 2 {
				e, err := parseEntry(item.Content[i].Value, resolveAlias(item.Content[i+1]), depth, budget)
				if err != nil {
					return nil, err
				}
				out = append(out, e)
			}
		default:
			return nil, fmt.Errorf("line %d: an entry must be a page or a title with pages", item.Line)
		}
	}
	return out, nil
}

func parseEntry(title string, value *yaml.Node, depth int, budget *int) (entry, error) {
	if value.Kind == yaml.ScalarNode {
		return target(title, scalar(value)), nil
	}
	children, err := parseEntries(value, depth+1, budget)
	return entry{title: title, children: children, section: true}, err
}

// target makes an entry of what is written as a page.
func target(title, text string) entry {
	if file, ok := strings.CutPrefix(text, "!include "); ok {
		return entry{title: title, include: path.Clean(strings.TrimSpace(file))}
	}
	return entry{title: title, target: text}
}

// isAddress tells whether a target is a URL and not a file.
func isAddress(target string) bool {
	u, err := url.Parse(target)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "mailto") || strings.HasPrefix(target, "//")
}
