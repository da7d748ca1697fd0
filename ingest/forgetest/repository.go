package forgetest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Visibilities of a repository.
const (
	Public   = "public"
	Internal = "internal"
	Private  = "private"
)

// A Repository is what a host knows of a repository beside its content. It is
// a copy: change it through Forge.Update.
type Repository struct {
	ID int64
	// FullName is the owner and the name, at GitLab with all groups between.
	FullName      string
	DefaultBranch string // "main" unless set
	Visibility    string // Public unless set
	Description   string
	Topics        []string
	Archived      bool
	Fork          bool
	Created       time.Time
	Pushed        time.Time
}

// Owner is the name of the organisation, user or group.
func (r Repository) Owner() string { return r.FullName[:strings.LastIndexByte(r.FullName, '/')] }

// Name is the last part of the full name.
func (r Repository) Name() string { return r.FullName[strings.LastIndexByte(r.FullName, '/')+1:] }

// A Commit is what a push did.
type Commit struct {
	Repository, Branch       string
	SHA, Before              string // Before is "" for the first of a branch
	Message                  string
	Added, Modified, Removed []string // paths, sorted
	Time                     time.Time
}

// repositories are all of a forge. Names are compared without case, as hosts do.
type repositories struct {
	root, template string
	mu             sync.RWMutex
	of             map[string]*Repository // by lower-case name
	moved          map[string]string      // old lower-case name to the new one
	nextID         int64
	commit         sync.Mutex // commits are made one after the other
	clock          int64      // of commits, so that hashes are the same each time
}

// open makes the folders and the repository that all are copied from: that
// costs a few files, git init a process.
func (rs *repositories) open(dir string) (err error) {
	rs.of, rs.moved, rs.nextID, rs.clock = map[string]*Repository{}, map[string]string{}, 1001, 1_700_000_000
	if rs.root, err = folder(dir, "git"); err != nil {
		return err
	}
	rs.template = filepath.Join(dir, "template.git")
	_, err = rs.git("", nil, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", rs.template)
	return err
}

// git runs the command in the folder of a repository.
func (rs *repositories) git(dir string, input []byte, args ...string) ([]byte, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(input)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + rs.root, "GIT_CONFIG_NOSYSTEM=1"}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}

// path is where a repository is on the disk.
func (rs *repositories) path(fullName string) string {
	return filepath.Join(rs.root, filepath.FromSlash(strings.ToLower(fullName))+".git")
}

// CreateRepository makes an empty repository.
func (f *Forge) CreateRepository(r Repository) (Repository, error) {
	rs := &f.repositories
	rs.mu.Lock()
	defer rs.mu.Unlock()
	key := strings.ToLower(r.FullName)
	if rs.of[key] != nil {
		return Repository{}, fmt.Errorf("%s exists", r.FullName)
	}
	if !fs.ValidPath(r.FullName) || !strings.Contains(r.FullName, "/") {
		return Repository{}, fmt.Errorf("%q is not the name of a repository", r.FullName)
	}
	if r.DefaultBranch == "" {
		r.DefaultBranch = "main"
	}
	if r.Visibility == "" {
		r.Visibility = Public
	}
	if r.ID == 0 {
		r.ID = rs.nextID
		rs.nextID++
	}
	r.Created, r.Pushed = f.now(), f.now()
	if err := os.CopyFS(rs.path(key), os.DirFS(rs.template)); err != nil {
		return Repository{}, err
	}
	head := filepath.Join(rs.path(key), "HEAD")
	if err := os.WriteFile(head, []byte("ref: refs/heads/"+r.DefaultBranch+"\n"), 0o644); err != nil {
		return Repository{}, err
	}
	delete(rs.moved, key)
	rs.of[key] = &r
	return r, nil
}

// Add makes a repository with one commit on its default branch.
func (f *Forge) Add(r Repository, files map[string]string) (Commit, error) {
	r, err := f.CreateRepository(r)
	if err != nil {
		return Commit{}, err
	}
	return f.Commit(r.FullName, r.DefaultBranch, "Add files", files)
}

// Repository finds a repository by its name, also by one it had before.
func (f *Forge) Repository(fullName string) (Repository, bool) {
	rs := &f.repositories
	rs.mu.RLock()
	defer rs.mu.RUnlock()
	if r := rs.find(fullName); r != nil {
		return r.copy(), true
	}
	return Repository{}, false
}

// find follows renames; the caller holds the lock.
func (rs *repositories) find(fullName string) *Repository {
	key := strings.ToLower(strings.TrimSuffix(fullName, ".git"))
	for range len(rs.moved) + 1 {
		if r := rs.of[key]; r != nil {
			return r
		}
		key = rs.moved[key]
	}
	return nil
}

func (r *Repository) copy() Repository {
	c := *r
	c.Topics = slices.Clone(r.Topics)
	return c
}

// Repositories returns all repositories, sorted by name.
func (f *Forge) Repositories() []Repository {
	rs := &f.repositories
	rs.mu.RLock()
	defer rs.mu.RUnlock()
	out := make([]Repository, 0, len(rs.of))
	for _, r := range rs.of {
		out = append(out, r.copy())
	}
	slices.SortFunc(out, func(a, b Repository) int { return strings.Compare(a.FullName, b.FullName) })
	return out
}

// errNoRepository is the error for a repository that is not there.
var errNoRepository = errors.New("no such repository")

// Update changes what the host knows of a repository, but not its name.
func (f *Forge) Update(fullName string, change func(*Repository)) error {
	rs := &f.repositories
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.find(fullName)
	if r == nil {
		return fmt.Errorf("%s: %w", fullName, errNoRepository)
	}
	name := r.FullName
	change(r)
	r.FullName = name
	return nil
}

// Rename gives a repository a new full name, which may have another owner. The
// old one redirects until another repository takes it.
func (f *Forge) Rename(old, name string) error {
	rs := &f.repositories
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.find(old)
	if r == nil {
		return fmt.Errorf("%s: %w", old, errNoRepository)
	}
	if rs.of[strings.ToLower(name)] != nil || !fs.ValidPath(name) || !strings.Contains(name, "/") {
		return fmt.Errorf("%q is taken or not the name of a repository", name)
	}
	if _, err := folder(filepath.Dir(rs.path(name))); err != nil {
		return err
	}
	if err := os.Rename(rs.path(r.FullName), rs.path(name)); err != nil {
		return err
	}
	from := strings.ToLower(r.FullName)
	delete(rs.of, from)
	delete(rs.moved, strings.ToLower(name))
	rs.moved[from] = strings.ToLower(name)
	r.FullName = name
	rs.of[strings.ToLower(name)] = r
	return nil
}

// Delete removes a repository for good.
func (f *Forge) Delete(fullName string) error {
	rs := &f.repositories
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.find(fullName)
	if r == nil {
		return fmt.Errorf("%s: %w", fullName, errNoRepository)
	}
	delete(rs.of, strings.ToLower(r.FullName))
	return os.RemoveAll(rs.path(r.FullName))
}
