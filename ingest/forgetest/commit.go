package forgetest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Modes for a Change.
const (
	ModeFile       = "100644"
	ModeExecutable = "100755"
	ModeSymlink    = "120000" // Content is the target
)

// A Change is what a commit does to one path.
type Change struct {
	Content string
	Mode    string // ModeFile unless set
	Remove  bool
}

// Commit writes files to a branch, which is made where it does not exist. An
// empty string is an empty file; use Push to remove.
func (f *Forge) Commit(fullName, branch, message string, files map[string]string) (Commit, error) {
	changes := make(map[string]Change, len(files))
	for path, content := range files {
		changes[path] = Change{Content: content}
	}
	return f.Push(fullName, branch, message, changes)
}

// Push commits changes to a branch. A new branch starts at the default one
// unless that is itself empty. Author and times are made up, and the same in
// every run.
func (f *Forge) Push(fullName, branch, message string, changes map[string]Change) (Commit, error) {
	r, ok := f.Repository(fullName)
	if !ok {
		return Commit{}, fmt.Errorf("%s: %w", fullName, errNoRepository)
	}
	rs := &f.repositories
	rs.commit.Lock()
	defer rs.commit.Unlock()
	rs.clock += 60
	c := Commit{Repository: r.FullName, Branch: branch, Message: message, Time: time.Unix(rs.clock, 0).UTC()}
	dir := rs.path(r.FullName)
	c.Before, _ = readRef(dir, branch)
	parent := c.Before
	if parent == "" && branch != r.DefaultBranch {
		parent, _ = readRef(dir, r.DefaultBranch)
	}
	if err := c.sort(dir, parent, changes); err != nil {
		return Commit{}, err
	}
	if _, err := rs.git(dir, importStream(c, parent, changes), "fast-import", "--quiet", "--force"); err != nil {
		return Commit{}, err
	}
	var err error
	if c.SHA, err = readRef(dir, branch); err != nil {
		return Commit{}, err
	}
	return c, f.Update(fullName, func(r *Repository) { r.Pushed = f.now() })
}

// sort tells which paths are new, changed and removed.
func (c *Commit) sort(dir, parent string, changes map[string]Change) error {
	for _, path := range slices.Sorted(maps.Keys(changes)) {
		exists := false
		if parent != "" {
			_, err := readBlob(dir, parent, path)
			exists = err == nil
		}
		switch {
		case changes[path].Remove && !exists:
			return fmt.Errorf("%s: %s: %w", c.Repository, path, errNoRef)
		case changes[path].Remove:
			c.Removed = append(c.Removed, path)
		case exists:
			c.Modified = append(c.Modified, path)
		default:
			c.Added = append(c.Added, path)
		}
	}
	return nil
}

// importStream is the commit in the form that git fast-import reads.
func importStream(c Commit, parent string, changes map[string]Change) []byte {
	var b bytes.Buffer
	data := func(s string) { fmt.Fprintf(&b, "data %d\n%s\n", len(s), s) }
	fmt.Fprintf(&b, "commit refs/heads/%s\n", c.Branch)
	fmt.Fprintf(&b, "author Ada Example <ada@example.com> %d +0000\n", c.Time.Unix())
	fmt.Fprintf(&b, "committer Ada Example <ada@example.com> %d +0000\n", c.Time.Unix())
	data(c.Message)
	if parent != "" {
		fmt.Fprintf(&b, "from %s\n", parent)
	}
	for _, path := range slices.Sorted(maps.Keys(changes)) {
		change := changes[path]
		if change.Remove {
			fmt.Fprintf(&b, "D %s\n", quotePath(path))
			continue
		}
		fmt.Fprintf(&b, "M %s inline %s\n", cmp.Or(change.Mode, ModeFile), quotePath(path))
		data(change.Content)
	}
	b.WriteString("done\n")
	return b.Bytes()
}

func quotePath(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
}

// readRef returns the commit of a branch.
func readRef(dir, branch string) (string, error) {
	data, err := os.ReadFile(filepath.Join(dir, "refs", "heads", filepath.FromSlash(branch)))
	if err != nil {
		return "", fmt.Errorf("branch %s: %w", branch, errNoRef)
	}
	return strings.TrimSpace(string(data)), nil
}

// DeleteBranch removes a branch.
func (f *Forge) DeleteBranch(fullName, branch string) error {
	r, ok := f.Repository(fullName)
	if !ok {
		return fmt.Errorf("%s: %w", fullName, errNoRepository)
	}
	_, err := f.repositories.git(f.repositories.path(r.FullName), nil, "update-ref", "-d", "refs/heads/"+branch)
	return err
}

// GitDir is the folder of a bare repository, for what the API here does not
// offer.
func (f *Forge) GitDir(fullName string) string {
	r, _ := f.Repository(fullName)
	return f.repositories.path(cmp.Or(r.FullName, fullName))
}
