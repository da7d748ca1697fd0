package git

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// A store keeps commits on the disk, each in a folder of its own. Those that
// were not used for longest go when there are too many bytes.
type store struct {
	in     string // where its folder is made, once it is needed
	limits Limits

	mu    sync.Mutex
	dir   string           // "" until then
	of    map[string]*kept // by repository and commit
	bytes int64
	gates map[string]*gate // by repository and commit
	clock int64            // counts uses
}

// kept is one commit. It is on the disk as long as it is in the store or
// somebody uses it.
type kept struct {
	dir   string
	bytes int64
	users int
	used  int64
	gone  bool // out of the store: the last user removes it
}

// A gate lets one at a time fetch a commit.
type gate struct {
	turn    chan struct{}
	waiting int
}

// newStore makes an empty store, which gets a folder of its own below dir with
// the first commit: most hosts are never read.
func newStore(dir string, l Limits) *store {
	return &store{in: dir, limits: l, of: map[string]*kept{}, gates: map[string]*gate{}}
}

// folder returns that of the store.
func (s *store) folder() (dir string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		s.dir, err = os.MkdirTemp(s.in, "git-")
	}
	return s.dir, err
}

func (s *store) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		return nil
	}
	return os.RemoveAll(s.dir)
}

// use calls f with the objects of a commit, which get writes as a pack to a file
// if they are not here. Several may use them at once.
func (s *store) use(ctx context.Context, repository, commit string, get func(ctx context.Context, to *os.File) error, f func(*filesystem.Storage) error) (err error) {
	key := fmt.Sprintf("%x", sha256.Sum256([]byte(repository+"\x00"+commit)))
	k, err := s.acquire(ctx, key, get)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.release(k)) }()
	storage := s.open(k.dir)
	defer func() { err = errors.Join(err, storage.Close()) }()
	return safely(func() error { return f(storage) })
}

const (
	objectCache = 8 << 20
	largeObject = 1 << 20 // from here on, objects are streamed
)

// open returns the objects in a folder. Each user has their own view.
func (s *store) open(dir string) *filesystem.Storage {
	o := filesystem.Options{ExclusiveAccess: true, LargeObjectThreshold: largeObject}
	return filesystem.NewStorageWithOptions(osfs.New(dir, osfs.WithBoundOS()), cache.NewObjectLRU(objectCache), o)
}

func (s *store) acquire(ctx context.Context, key string, get func(ctx context.Context, to *os.File) error) (*kept, error) {
	if k := s.find(key); k != nil {
		return k, nil
	}
	leave, err := s.enter(ctx, key)
	if err != nil {
		return nil, err
	}
	defer leave()
	if k := s.find(key); k != nil { // somebody else has fetched it meanwhile
		return k, nil
	}
	k, err := s.add(ctx, get)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock++
	k.used = s.clock
	s.of[key] = k
	s.bytes += k.bytes
	return k, s.evict()
}

// find returns what is kept, for one more user.
func (s *store) find(key string) *kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.of[key]
	if k != nil {
		s.clock++
		k.used = s.clock
		k.users++
	}
	return k
}

// enter waits for the turn to fetch.
func (s *store) enter(ctx context.Context, key string) (leave func(), err error) {
	s.mu.Lock()
	g := s.gates[key]
	if g == nil {
		g = &gate{turn: make(chan struct{}, 1)}
		s.gates[key] = g
	}
	g.waiting++
	s.mu.Unlock()
	forget := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if g.waiting--; g.waiting == 0 {
			delete(s.gates, key)
		}
	}
	select {
	case g.turn <- struct{}{}:
		return func() { <-g.turn; forget() }, nil
	case <-ctx.Done():
		forget()
		return nil, context.Cause(ctx)
	}
}

// add fetches a commit into a new folder.
func (s *store) add(ctx context.Context, get func(ctx context.Context, to *os.File) error) (k *kept, err error) {
	parent, err := s.folder()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	if err := s.receive(ctx, dir, get); err != nil {
		return nil, err
	}
	size, err := sizeOf(dir)
	return &kept{dir: dir, bytes: size, users: 1}, err
}

// receive gets a pack and unpacks it into a folder.
func (s *store) receive(ctx context.Context, dir string, get func(ctx context.Context, to *os.File) error) (err error) {
	pack, err := os.Create(filepath.Join(dir, "incoming"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pack.Close(), os.Remove(pack.Name())) }()
	if err := get(ctx, pack); err != nil {
		return err
	}
	return s.unpack(dir, pack)
}

func (s *store) unpack(dir string, pack io.Reader) (err error) {
	storage := s.open(dir)
	defer func() { err = errors.Join(err, storage.Close()) }()
	return safely(func() error { return packfile.UpdateObjectStorage(storage, pack) })
}

func sizeOf(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return n, err
}

// evict makes room; the caller holds the lock. What is in use stays until it is
// not.
func (s *store) evict() error {
	var errs []error
	for s.bytes > s.limits.Disk {
		oldest := ""
		for key, k := range s.of {
			if oldest == "" || cmp.Compare(k.used, s.of[oldest].used) < 0 {
				oldest = key
			}
		}
		k := s.of[oldest]
		if len(s.of) == 1 { // the one that was just added
			break
		}
		delete(s.of, oldest)
		s.bytes -= k.bytes
		if k.gone = true; k.users == 0 {
			errs = append(errs, os.RemoveAll(k.dir))
		}
	}
	return errors.Join(errs...)
}

func (s *store) release(k *kept) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.users--; k.users == 0 && k.gone {
		return os.RemoveAll(k.dir)
	}
	return nil
}
