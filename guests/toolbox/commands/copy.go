package commands

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// copier is one run of cp or mv.
type copier struct {
	c                                  *Call
	deep, force, noClobber, update     bool
	verbose, preserve, links, noTarget bool
	interactive                        bool
}

var copySpec = Spec{
	Short: "abdfiHlLnpPrRsS:t:Tuvx", Usage: "[OPTION]... SOURCE... DEST",
	Long: "archive=a backup:: force=f interactive=i no-clobber=n no-dereference=P dereference=L preserve:: recursive=R " +
		"target-directory=t no-target-directory=T update:: verbose=v parents reflink:: sparse: strip-trailing-slashes",
}

func (c *Call) newCopier() (k *copier, sources []string, target string, status int, done bool) {
	opts, status, done := c.Parse(copySpec)
	if done {
		return nil, nil, "", status, true
	}
	k = &copier{
		c: c, deep: opts.Has("r", "R", "a"), force: opts.Has("f"), noClobber: opts.Last("n", "f", "i") == "n",
		update: opts.Has("u", "update"), verbose: opts.Has("v"), preserve: opts.Has("p", "a", "preserve"),
		links: opts.Has("a", "d", "P") || opts.Has("r", "R") && !opts.Has("L"), noTarget: opts.Has("T"),
	}
	sources = opts.Operands
	target, given := opts.Value("t")
	if !given {
		switch len(sources) {
		case 0:
			return nil, nil, "", c.Usage(1, "missing file operand"), true
		case 1:
			return nil, nil, "", c.Usage(1, "missing destination file operand after '%s'", sources[0]), true
		}
		target, sources = sources[len(sources)-1], sources[:len(sources)-1]
	}
	info, err := os.Stat(c.Path(target))
	isDir := err == nil && info.IsDir()
	if (len(sources) > 1 || given || strings.HasSuffix(target, "/") && c.Name == "cp") && !isDir {
		if len(sources) == 1 && !given {
			c.Fail("cannot create regular file '%s': Not a directory", target)
		} else {
			c.Fail("target '%s': %s", target, map[bool]string{true: "Not a directory", false: reason(syscall.ENOENT)}[err == nil])
		}
		return nil, nil, "", 1, true
	}
	if isDir && !k.noTarget {
		target = strings.TrimSuffix(target, "/") + "/"
	}
	return k, sources, target, 0, false
}

// destination is the target itself, or the place in it if it ends in a slash.
func destination(target, source string) string {
	if strings.HasSuffix(target, "/") {
		return target + filepath.Base(filepath.Clean(source))
	}
	return target
}

func cp(c *Call) int {
	k, sources, target, status, done := c.newCopier()
	if done {
		return status
	}
	for _, source := range sources {
		status |= k.copy(source, destination(target, source), true)
	}
	return status
}

func mv(c *Call) int {
	k, sources, target, status, done := c.newCopier()
	if done {
		return status
	}
	k.deep, k.links, k.preserve = true, true, true
	for _, source := range sources {
		status |= k.move(source, destination(target, source))
	}
	return status
}

func (k *copier) move(source, dest string) int {
	c := k.c
	from, to := c.Path(source), c.Path(dest)
	info, err := os.Lstat(from)
	if err != nil {
		return c.Fail("cannot stat '%s': %s", source, reason(err))
	}
	old, err := os.Lstat(to)
	switch {
	case err != nil:
	case k.skips(info, old):
		return 0
	case from == to || os.SameFile(info, old) && info.Mode().Type() == old.Mode().Type() && sameInode(info):
		return c.Fail("'%s' and '%s' are the same file", source, dest)
	case old.IsDir() && !info.IsDir():
		return c.Fail("cannot overwrite directory '%s' with non-directory '%s'", dest, source)
	case !old.IsDir() && info.IsDir():
		return c.Fail("cannot overwrite non-directory '%s' with directory '%s'", dest, source)
	}
	if info.IsDir() && strings.HasPrefix(to+"/", from+"/") {
		return c.Fail("cannot move '%s' to a subdirectory of itself, '%s'", source, dest)
	}
	err = os.Rename(from, to)
	if errors.Is(err, syscall.EXDEV) {
		if status := k.copy(source, dest, true); status != 0 {
			return status
		}
		if err = removeTree(from); err != nil {
			return c.Fail("cannot remove '%s': %s", source, reason(err))
		}
	}
	if err != nil {
		return c.Fail("cannot move '%s' to '%s': %s", source, dest, reason(err))
	}
	if k.verbose {
		c.Out.Printf("renamed '%s' -> '%s'\n", source, dest)
	}
	return 0
}

// sameInode says whether file identity is known here at all: a host may report none.
func sameInode(info fs.FileInfo) bool { return inode(info) != 0 }

func (k *copier) skips(source, old fs.FileInfo) bool {
	return k.noClobber || k.update && !source.ModTime().After(old.ModTime())
}

func (k *copier) copy(source, dest string, top bool) int {
	c := k.c
	from, to := c.Path(source), c.Path(dest)
	info, err := os.Lstat(from)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 && !k.links {
		info, err = os.Stat(from)
	}
	if _, device := DeviceInfo(from); device {
		return k.copyFile(source, dest, nil)
	}
	if err != nil {
		return c.Fail("cannot stat '%s': %s", source, reason(err))
	}
	if info.IsDir() {
		if !k.deep {
			return c.Fail("-r not specified; omitting directory '%s'", source)
		}
		if top && strings.HasPrefix(to+"/", from+"/") {
			return c.Fail("cannot copy a directory, '%s', into itself, '%s'", source, dest)
		}
		return k.copyDir(source, dest, info)
	}
	if old, err := os.Lstat(to); err == nil {
		switch {
		case k.skips(info, old):
			return 0
		case old.IsDir():
			return c.Fail("cannot overwrite directory '%s' with non-directory", dest)
		case from == to:
			return c.Fail("'%s' and '%s' are the same file", source, dest)
		}
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return k.copyLink(source, dest)
	}
	return k.copyFile(source, dest, info)
}

func (k *copier) copyLink(source, dest string) int {
	target, err := os.Readlink(k.c.Path(source))
	if err == nil {
		_ = os.Remove(k.c.Path(dest))
		err = os.Symlink(target, k.c.Path(dest))
	}
	if err != nil {
		return k.c.Fail("cannot create symbolic link '%s': %s", dest, reason(err))
	}
	k.tell(source, dest)
	return 0
}

func (k *copier) tell(source, dest string) {
	if k.verbose && k.c.Name == "cp" {
		k.c.Out.Printf("'%s' -> '%s'\n", source, dest)
	}
}

func (k *copier) copyDir(source, dest string, info fs.FileInfo) int {
	c := k.c
	status := 0
	if err := os.Mkdir(c.Path(dest), 0o755); err != nil {
		if old, statErr := os.Stat(c.Path(dest)); statErr != nil || !old.IsDir() {
			return c.Fail("cannot create directory '%s': %s", dest, reason(err))
		}
	} else {
		k.tell(source, dest)
	}
	entries, err := os.ReadDir(c.Path(source))
	if err != nil {
		status = c.Fail("cannot access '%s': %s", source, reason(err))
	}
	for _, entry := range entries {
		status |= k.copy(joinName(source, entry.Name()), joinName(dest, entry.Name()), false)
	}
	if k.preserve {
		_ = os.Chtimes(c.Path(dest), info.ModTime(), info.ModTime())
	}
	return status
}

// copyFile copies content and mode. With -f a target that cannot be written in place is removed first.
func (k *copier) copyFile(source, dest string, info fs.FileInfo) int {
	c := k.c
	in, err := OpenFile(c.Dir, source, os.O_RDONLY, 0, Streams{In: c.In})
	if err != nil {
		return c.Fail("cannot open '%s' for reading: %s", source, reason(err))
	}
	defer in.Close()
	_, oldErr := os.Lstat(c.Path(dest))
	out, err := c.Create(dest)
	if err != nil && (k.force || isRefusedWrite(err)) && os.Remove(c.Path(dest)) == nil {
		out, err = c.Create(dest)
	}
	if err != nil {
		return c.Fail("cannot create regular file '%s': %s", dest, reason(err))
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{in}, make([]byte, 128<<10))
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return c.Fail("error writing '%s': %s", dest, reason(err))
	}
	if info != nil {
		if mode, _, err := modeOf(c.Path(source)); err == nil && (oldErr != nil || k.preserve) && mode&0o777 != 0o644 {
			_ = setMode(c.Path(dest), mode&0o777)
		}
		if k.preserve {
			_ = os.Chtimes(c.Path(dest), info.ModTime(), info.ModTime())
		}
	}
	k.tell(source, dest)
	return 0
}
