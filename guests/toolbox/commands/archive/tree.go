package archive

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// ErrLeadsOut is a member whose directory is a link to somewhere outside the tree.
var ErrLeadsOut = errors.New("a symbolic link leads out of the directory that is unpacked into")

// pendingMax bounds what waits for the end: links, and modes and times of directories.
const pendingMax = 100_000

// Tree is a directory that members are unpacked into.
//
// Links wait for Finish, so no member is ever written through a link that an earlier one planted; links that were there
// before are followed while they stay below the base. Modes and times of directories wait too: a read-only one
// must first be filled.
type Tree struct {
	base  string
	real  string // base without links, known at the first need
	free  bool
	chmod func(path string, mode uint32) error
	known map[string]bool // directories that were found to be fine
	links map[string]*Link
	order []*Link
	dirs  []attributes
}

// Link is a symbolic link that waits: the member's name, where it goes, and its text.
type Link struct{ Name, Path, Target string }

// Attributes are what a file or directory gets besides content; a zero time leaves the time alone.
type Attributes struct {
	Mode uint32
	When time.Time
}

type attributes struct {
	path string
	Attributes
}

// NewTree unpacks below base, an absolute clean path. A free tree follows links anywhere and takes absolute names.
func NewTree(base string, free bool, chmod func(path string, mode uint32) error) *Tree {
	return &Tree{base: base, free: free, chmod: chmod, known: map[string]bool{}, links: map[string]*Link{}}
}

// Path is where a member goes. In a tree that is not free no name leads above the base.
func (t *Tree) Path(name string) (string, error) {
	if len(name) > NameBytesMax {
		return "", syscall.ENAMETOOLONG
	}
	if t.free && filepath.IsAbs(name) {
		return filepath.Clean(name), nil
	}
	if !t.free {
		name, _ = Below(name)
	}
	return filepath.Join(t.base, name), nil
}

// Directory makes a directory and those above it. With replace, what has its name makes way, a link too; without, a link
// to a directory serves as it is.
func (t *Tree) Directory(name string, wanted Attributes, replace bool) error {
	path, err := t.place(name)
	if err != nil {
		return err
	}
	if path != t.base {
		if err := t.makeDirectory(path, replace); err != nil {
			return err
		}
	}
	if len(t.dirs) < pendingMax {
		t.dirs = append(t.dirs, attributes{path, wanted})
	}
	return nil
}

func (t *Tree) makeDirectory(path string, replace bool) error {
	if !replace {
		return t.above(path)
	}
	delete(t.links, path)
	err := os.Mkdir(path, 0o777)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, statErr := os.Lstat(path)
	if statErr == nil && info.IsDir() {
		return nil
	}
	if err := t.Remove(path); err != nil {
		return err
	}
	return os.Mkdir(path, 0o777)
}

// File makes a new regular file; fs.ErrExist if anything has the name. The file is closed with Seal.
func (t *Tree) File(name string) (*os.File, error) {
	path, err := t.place(name)
	if err != nil {
		return nil, err
	}
	// Exclusive: a link that has the name is never followed.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err == nil {
		delete(t.links, path)
	}
	return file, err
}

// Seal closes a file and gives it mode and time. The time comes first: a file may be closed to its owner.
func (t *Tree) Seal(file *os.File, wanted Attributes) error {
	path := file.Name()
	if err := file.Close(); err != nil {
		return err
	}
	return t.apply(attributes{path, wanted})
}

func (t *Tree) apply(one attributes) error {
	if !one.When.IsZero() {
		if err := os.Chtimes(one.path, one.When, one.When); err != nil {
			return err
		}
	}
	if one.path == t.base {
		return nil
	}
	return t.chmod(one.path, one.Mode&0o777)
}

// Remove makes room for a member: a file, a link, or an empty directory goes.
func (t *Tree) Remove(path string) error {
	clear(t.known)
	return os.Remove(path)
}

// Link makes a symbolic link at Finish.
func (t *Tree) Link(name, target string) error {
	path, err := t.place(name)
	if err != nil {
		return err
	}
	if len(t.order) >= pendingMax {
		return errors.New("too many symbolic links in one archive")
	}
	if len(target) > NameBytesMax {
		return syscall.ENAMETOOLONG
	}
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		return fs.ErrExist
	}
	one := &Link{name, path, target}
	t.links[path] = one
	t.order = append(t.order, one)
	return nil
}

// Original opens the file that a hard link stands for. It must be a regular file of the tree: a link there could
// have been planted to copy from elsewhere.
func (t *Tree) Original(name string) (*os.File, fs.FileInfo, error) {
	path, err := t.place(name)
	if err != nil {
		return nil, nil, err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, syscall.EPERM
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	return file, info, err
}

// Finish makes the links, then gives directories their modes and times, the deepest first. Where something has the
// link's name, room says whether it made way; report hears how each link went.
func (t *Tree) Finish(room func(Link) bool, report func(Link, error)) {
	for _, one := range t.order {
		if t.links[one.Path] != one {
			continue
		}
		if _, err := os.Lstat(one.Path); err == nil && !room(*one) {
			continue
		}
		report(*one, os.Symlink(one.Target, one.Path))
	}
	for _, one := range slices.Backward(t.dirs) {
		// Attack: a directory that a link of the same archive replaced would pass its mode on to the link's target.
		if info, err := os.Lstat(one.path); err == nil && info.IsDir() {
			_ = t.apply(one)
		}
	}
}

// place is the member's path, once everything above it is a directory that may be written into.
func (t *Tree) place(name string) (string, error) {
	path, err := t.Path(name)
	if err != nil {
		return "", err
	}
	if path == t.base {
		return path, nil
	}
	return path, t.above(filepath.Dir(path))
}

// above makes a directory that a member needs, and those above it.
func (t *Tree) above(dir string) error {
	if dir == t.base || dir == "/" || t.known[dir] {
		return nil
	}
	if err := t.above(filepath.Dir(dir)); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	switch {
	case t.links[dir] != nil:
		err = syscall.ENOTDIR // a link that this archive wants to write through
	case errors.Is(err, fs.ErrNotExist):
		err = os.Mkdir(dir, 0o777)
	case err != nil:
	case info.Mode()&fs.ModeSymlink != 0:
		err = t.follow(dir)
	case !info.IsDir():
		err = syscall.ENOTDIR
	}
	if err != nil {
		return err
	}
	if len(t.known) > pendingMax {
		clear(t.known)
	}
	t.known[dir] = true
	return nil
}

// follow says whether a link in the place of a directory may be written through.
func (t *Tree) follow(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return syscall.ENOTDIR
	case t.free:
		return nil
	}
	if t.real == "" {
		if t.real, err = filepath.EvalSymlinks(t.base); err != nil {
			return err
		}
	}
	real, err := filepath.EvalSymlinks(dir)
	if err == nil && !within(t.real, real) {
		err = ErrLeadsOut
	}
	return err
}
