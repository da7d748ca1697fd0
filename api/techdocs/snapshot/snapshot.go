package snapshot

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-idp/greenroom/api/techdocs/site"
)

// Format is the number of the format that is written.
const Format = 1

// ErrFormat is returned for files that are no snapshot of this format.
var ErrFormat = errors.New("not a snapshot of documentation")

const (
	manifestName = "greenroom.json"
	maxManifest  = 16 << 20
)

// A Manifest says what a snapshot is of.
type Manifest struct {
	Format int `json:"format"`
	// Ref is the entity.
	Ref string `json:"entity"`
	// Name is what the site is called unless its configuration says otherwise.
	Name string `json:"name"`
	// Location is where the source is, as type and target, and State what marks
	// the state that it was in.
	Location string `json:"location"`
	State    string `json:"state"`
	// Taken is when, in milliseconds since 1970.
	Taken int64 `json:"taken"`
	// Files are the files by path, with the SHA-256 of each in hex.
	Files map[string]string `json:"files"`
}

// TakenAt returns when the snapshot was taken.
func (m Manifest) TakenAt() time.Time { return time.UnixMilli(m.Taken) }

// A Snapshot is an open one. It is a site.Tree.
type Snapshot struct {
	Manifest
	file  *os.File
	files []site.File
	spans map[string]span

	mu    sync.Mutex
	users int // 1 for who has it, and 1 for each open file
}

var _ site.Tree = (*Snapshot)(nil)

// A span is where a file is in the archive.
type span struct{ offset, size int64 }

// Write writes a snapshot of some files of a folder to path, in the place of
// the one that is there. What Files says in the manifest is replaced.
func Write(path string, m Manifest, from fs.FS, files []string) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*.zip")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, temp.Close(), os.Remove(temp.Name()))
		}
	}()
	m.Format, m.Files = Format, map[string]string{}
	for _, name := range files {
		if m.Files[name], err = digest(from, name); err != nil {
			return err
		}
	}
	if err := writeArchive(temp, m, from, files); err != nil {
		return err
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func digest(from fs.FS, name string) (string, error) {
	sum := sha256.New()
	err := copyFile(sum, from, name)
	return hex.EncodeToString(sum.Sum(nil)), err
}

func copyFile(to io.Writer, from fs.FS, name string) error {
	r, err := from.Open(name)
	if err != nil {
		return err
	}
	n, err := io.Copy(to, io.LimitReader(r, site.MaxFile+1))
	if err == nil && n > site.MaxFile {
		err = fmt.Errorf("%w: %s has more than %d bytes", site.ErrLimit, name, int64(site.MaxFile))
	}
	return errors.Join(err, r.Close())
}

func writeArchive(to io.Writer, m Manifest, from fs.FS, files []string) error {
	w := zip.NewWriter(to)
	create := func(name string) (io.Writer, error) {
		return w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: m.TakenAt()})
	}
	entry, err := create(manifestName)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(entry).Encode(m); err != nil {
		return err
	}
	for _, name := range files {
		if entry, err = create("files/" + name); err != nil {
			return err
		}
		sum := sha256.New()
		if err := copyFile(io.MultiWriter(entry, sum), from, name); err != nil {
			return err
		}
		if hex.EncodeToString(sum.Sum(nil)) != m.Files[name] {
			return fmt.Errorf("%s changed while it was read", name)
		}
	}
	return w.Close()
}

// Open opens a snapshot. The caller closes it.
func Open(path string) (s *Snapshot, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrFormat, err)
	}
	s = &Snapshot{file: file, spans: map[string]span{}, users: 1}
	if err := s.readManifest(archive); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, entry := range archive.File[1:] {
		if err := s.admit(entry, info.Size()); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if len(s.files) != len(s.Manifest.Files) {
		return nil, fmt.Errorf("%s: %w: files are missing", path, ErrFormat)
	}
	slices.SortFunc(s.files, func(a, b site.File) int { return strings.Compare(a.Path, b.Path) })
	return s, nil
}

// ReadManifest returns the manifest of a snapshot, and looks at nothing else.
func ReadManifest(path string) (Manifest, error) {
	s, err := Open(path)
	if err != nil {
		return Manifest{}, err
	}
	return s.Manifest, s.Close()
}

func (s *Snapshot) readManifest(archive *zip.Reader) error {
	if len(archive.File) == 0 || archive.File[0].Name != manifestName || len(archive.File) > site.MaxFiles+1 {
		return ErrFormat
	}
	r, err := archive.File[0].Open()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	defer r.Close()
	if err := json.NewDecoder(io.LimitReader(r, maxManifest)).Decode(&s.Manifest); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if s.Format != Format {
		return fmt.Errorf("%w: its format is %d", ErrFormat, s.Format)
	}
	return nil
}

// admit notes a file of the archive.
func (s *Snapshot) admit(entry *zip.File, archiveSize int64) error {
	name, ok := strings.CutPrefix(entry.Name, "files/")
	sum, err := hex.DecodeString(s.Manifest.Files[name])
	offset, noOffset := entry.DataOffset()
	size := int64(entry.UncompressedSize64)
	if !ok || err != nil || len(sum) != sha256.Size || noOffset != nil || entry.Method != zip.Store || !fs.ValidPath(name) ||
		size < 0 || entry.UncompressedSize64 != entry.CompressedSize64 || offset > archiveSize-size {
		return fmt.Errorf("%w: entry %.200q", ErrFormat, entry.Name)
	}
	if _, twice := s.spans[name]; twice {
		return fmt.Errorf("%w: entry %.200q is there twice", ErrFormat, entry.Name)
	}
	s.spans[name] = span{offset, size}
	s.files = append(s.files, site.File{Path: name, Size: size, Digest: [sha256.Size]byte(sum)})
	return nil
}

// Files returns the files.
func (s *Snapshot) Files() []site.File { return s.files }

// Open opens a file.
func (s *Snapshot) Open(name string) (io.ReadSeekCloser, error) {
	at, ok := s.spans[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users == 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrClosed}
	}
	s.users++
	return &part{SectionReader: io.NewSectionReader(s.file, at.offset, at.size), of: s}, nil
}

// Close closes the snapshot as soon as nobody reads from it.
func (s *Snapshot) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users == 0 {
		return nil
	}
	if s.users--; s.users > 0 {
		return nil
	}
	return s.file.Close()
}

// A part is an open file of a snapshot.
type part struct {
	*io.SectionReader
	of   *Snapshot
	once sync.Once
}

func (p *part) Close() (err error) {
	p.once.Do(func() { err = p.of.Close() })
	return err
}

// Hold keeps the snapshot open until release is called, even when it is closed
// meanwhile.
func (s *Snapshot) Hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users++
	var once sync.Once
	return func() { once.Do(func() { _ = s.Close() }) } // nothing was written
}
