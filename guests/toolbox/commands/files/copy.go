// Package files holds the commands that make, change and remove files, links and directories.
package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// copier is one run of cp or mv.
type copier struct {
	c                              *kit.Call
	deep, force, noClobber, update bool
	verbose, links, noTarget       bool
	keepMode, keepTimes            bool
	interactive, parents, remove   bool
	symlink, link                  bool
	backup                         backup
}

var copySpec = kit.Spec{
	Short: "abdfiHlLnpPrRsS:t:Tuvx", Usage: "[OPTION]... SOURCE... DEST",
	Long: "archive=a backup:: force=f interactive=i no-clobber=n no-dereference=P dereference=L preserve:: recursive=R " +
		"target-directory=t no-target-directory=T update:: verbose=v parents reflink:: sparse: strip-trailing-slashes suffix=S link=l " +
		"symbolic-link=s one-file-system=x attributes-only remove-destination no-preserve: copy-contents no-copy debug",
}

func newCopier(c *kit.Call) (k *copier, sources []string, target string, status int, done bool) {
	opts, status, done := c.Parse(copySpec)
	if done {
		return nil, nil, "", status, true
	}
	if status, done := c.Refuse(opts, "attributes-only", "copy-contents", "no-copy", "debug"); done {
		return nil, nil, "", status, true
	}
	kept, problem := parseBackup(c, opts)
	if problem != "" {
		return nil, nil, "", c.Unsupported(problem), true
	}
	k = &copier{
		interactive: opts.Last("n", "f", "i") == "i", parents: opts.Has("parents"), symlink: opts.Has("s"), link: opts.Has("l"),
		remove: opts.Has("remove-destination"), backup: kept,
		c: c, deep: opts.Has("r", "R", "a"), force: opts.Has("f"), noClobber: opts.Last("n", "f", "i") == "n",
		update: opts.Has("u", "update"), verbose: opts.Has("v"),
		links: opts.Has("a", "d", "P") || opts.Has("r", "R") && !opts.Has("L"), noTarget: opts.Has("T"),
	}
	k.keepMode, k.keepTimes = keeps(opts, "mode"), keeps(opts, "timestamps")
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
			c.Fail("target '%s': %s", target, map[bool]string{true: "Not a directory", false: kit.Reason(syscall.ENOENT)}[err == nil])
		}
		return nil, nil, "", 1, true
	}
	if k.parents && !isDir {
		return nil, nil, "", c.Fail("with --parents, the destination must be a directory"), true
	}
	if opts.Has("strip-trailing-slashes") {
		for i, source := range sources {
			sources[i] = strings.TrimRight(source, "/")
		}
	}
	if isDir && !k.noTarget {
		target = strings.TrimSuffix(target, "/") + "/"
	}
	return k, sources, target, 0, false
}

// keeps says whether an attribute of the source goes to the copy; the option that comes last counts.
func keeps(opts *kit.Options, attribute string) bool {
	kept := false
	for _, one := range opts.List {
		switch names := strings.Split(one.Value, ","); one.Key {
		case "p", "a":
			kept = true
		case "preserve":
			kept = kept || one.Value == "" || slices.Contains(names, attribute) || slices.Contains(names, "all")
		case "no-preserve":
			kept = kept && !slices.Contains(names, attribute) && !slices.Contains(names, "all")
		}
	}
	return kept
}

// destination is the target itself, or the place in it if it ends in a slash.
func destination(target, source string) string {
	if !strings.HasSuffix(target, "/") {
		return target
	}
	base := strings.TrimRight(source, "/")
	if base = kit.BaseOf(base); base == "." || base == ".." { // what is in it, then
		return strings.TrimRight(target, "/")
	}
	return target + filepath.Base(filepath.Clean(source))
}

// Cp is the command cp.
func Cp(c *kit.Call) int {
	k, sources, target, status, done := newCopier(c)
	if done {
		return status
	}
	for _, source := range sources {
		if !k.parents {
			status |= k.copy(source, destination(target, source), true)
			continue
		}
		dest := target + strings.TrimLeft(filepath.Clean(source), "/")
		if err := c.MakeParents(c.Path(filepath.Dir(dest))); err != nil {
			status = c.Fail("cannot make directory '%s': %s", filepath.Dir(dest), kit.Reason(err))
			continue
		}
		status |= k.copy(source, dest, true)
	}
	return status
}

// Mv is the command mv.
func Mv(c *kit.Call) int {
	k, sources, target, status, done := newCopier(c)
	if done {
		return status
	}
	k.deep, k.links, k.keepMode, k.keepTimes = true, true, true, true
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
		return c.Fail("cannot stat '%s': %s", source, kit.Reason(err))
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
	if err == nil && !k.asks(dest) {
		return 0
	}
	if info.IsDir() && strings.HasPrefix(to+"/", from+"/") {
		return c.Fail("cannot move '%s' to a subdirectory of itself, '%s'", source, dest)
	}
	kept, err := k.backup.keep(to)
	if err != nil {
		return c.Fail("cannot backup '%s': %s", dest, kit.Reason(err))
	}
	err = os.Rename(from, to)
	if errors.Is(err, syscall.EXDEV) {
		if status := k.copy(source, dest, true); status != 0 {
			return status
		}
		if err = removeTree(from); err != nil {
			return c.Fail("cannot remove '%s': %s", source, kit.Reason(err))
		}
	}
	if err != nil {
		return c.Fail("cannot move '%s' to '%s': %s", source, dest, kit.Reason(err))
	}
	if k.verbose {
		c.Out.Printf("renamed '%s' -> '%s'%s\n", source, dest, k.toldBackup(dest, kept))
	}
	return 0
}

// asks says whether an existing file may be replaced.
func (k *copier) asks(dest string) bool {
	return !k.interactive || k.c.Ask("overwrite '%s'? ", dest)
}

// toldBackup is what -v says of a backup.
func (k *copier) toldBackup(dest, kept string) string {
	if kept == "" {
		return ""
	}
	return " (backup: '" + dest + k.backup.suffix + "')"
}

// sameInode says whether file identity is known here at all: a host may report none.
func sameInode(info fs.FileInfo) bool { return fileinfo.Inode(info) != 0 }

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
	if _, device := kit.DeviceInfo(from); device {
		return k.copyFile(source, dest, "", nil)
	}
	if err != nil {
		return c.Fail("cannot stat '%s': %s", source, kit.Reason(err))
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
	kept := ""
	if old, err := os.Lstat(to); err == nil {
		switch {
		case k.skips(info, old):
			return 0
		case old.IsDir():
			return c.Fail("cannot overwrite directory '%s' with non-directory", dest)
		case from == to:
			return c.Fail("'%s' and '%s' are the same file", source, dest)
		case !k.asks(dest):
			return 0
		}
		if kept, err = k.backup.keep(to); err != nil {
			return c.Fail("cannot backup '%s': %s", dest, kit.Reason(err))
		}
		if k.remove || (k.symlink || k.link) && k.force {
			_ = os.Remove(to)
		}
	}
	if k.symlink || k.link {
		return k.makeLink(source, dest)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return k.copyLink(source, dest, kept)
	}
	return k.copyFile(source, dest, kept, info)
}

// makeLink serves -s and -l: a link instead of a copy.
func (k *copier) makeLink(source, dest string) int {
	c := k.c
	kind, err := "hard link", error(nil)
	if k.symlink {
		kind = "symbolic link"
		if target := source; filepath.IsAbs(source) || filepath.Dir(c.Path(dest)) == filepath.Clean(c.Dir) {
			err = os.Symlink(target, c.Path(dest))
		} else {
			return c.Fail("'%s': can make relative symbolic links only in current directory", dest)
		}
	} else {
		err = os.Link(c.Path(source), c.Path(dest))
	}
	if err != nil {
		return c.Fail("cannot create %s '%s' to '%s': %s", kind, dest, source, kit.Reason(err))
	}
	k.tell(source, dest, "")
	return 0
}

func (k *copier) copyLink(source, dest, kept string) int {
	target, err := os.Readlink(k.c.Path(source))
	if err == nil {
		_ = os.Remove(k.c.Path(dest))
		err = os.Symlink(target, k.c.Path(dest))
	}
	if err != nil {
		return k.c.Fail("cannot create symbolic link '%s': %s", dest, kit.Reason(err))
	}
	k.tell(source, dest, kept)
	return 0
}

func (k *copier) tell(source, dest, kept string) {
	if k.verbose && k.c.Name == "cp" {
		k.c.Out.Printf("'%s' -> '%s'%s\n", source, dest, k.toldBackup(dest, kept))
	}
}

func (k *copier) copyDir(source, dest string, info fs.FileInfo) int {
	c := k.c
	status := 0
	err := os.Mkdir(c.Path(dest), 0o755)
	made := err == nil
	if err != nil {
		if old, statErr := os.Stat(c.Path(dest)); statErr != nil || !old.IsDir() {
			return c.Fail("cannot create directory '%s': %s", dest, kit.Reason(err))
		}
	} else {
		k.tell(source, dest, "")
	}
	entries, err := os.ReadDir(c.Path(source))
	if err != nil {
		status = c.Fail("cannot access '%s': %s", source, kit.Reason(err))
	}
	for _, entry := range entries {
		status |= k.copy(kit.JoinName(source, entry.Name()), kit.JoinName(dest, entry.Name()), false)
	}
	// Last: a mode may take away the right to write into it, and what is written changes its time.
	return status | k.attributes(source, dest, info, made, 0o755)
}

// umask is what every new file and directory lacks, whatever the mode of the source.
const umask = 0o022

// attributes gives a copy the source's mode and times: what was made without being told to keep them gets the mode
// only, less the umask. usual is the mode it was made with.
func (k *copier) attributes(source, dest string, info fs.FileInfo, made bool, usual uint32) int {
	c, status := k.c, 0
	mode, _, err := fileinfo.Mode(c.Path(source))
	mode &= 0o777
	switch {
	case err != nil, made && mode == usual: // nothing to set
	case k.keepMode:
		if err := fileinfo.SetMode(c.Path(dest), mode); err != nil {
			status = c.Fail("preserving permissions for '%s': %s", dest, kit.Reason(err))
		}
	case made && mode&^umask != usual:
		_ = fileinfo.SetMode(c.Path(dest), mode&^umask)
	}
	if k.keepTimes {
		_ = os.Chtimes(c.Path(dest), info.ModTime(), info.ModTime())
	}
	return status
}

// copyFile copies content and mode. With -f a target that cannot be written in place is removed first.
func (k *copier) copyFile(source, dest, kept string, info fs.FileInfo) int {
	c := k.c
	in, err := kit.OpenFile(c.Dir, source, os.O_RDONLY, 0, kit.Streams{In: c.In})
	if err != nil {
		return c.Fail("cannot open '%s' for reading: %s", source, kit.Reason(err))
	}
	defer in.Close()
	_, oldErr := os.Lstat(c.Path(dest))
	out, err := c.Create(dest)
	if err != nil && (k.force || isRefusedWrite(err)) && os.Remove(c.Path(dest)) == nil {
		out, err = c.Create(dest)
	}
	if err != nil {
		return c.Fail("cannot create regular file '%s': %s", dest, kit.Reason(err))
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{in}, make([]byte, 128<<10))
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return c.Fail("error writing '%s': %s", dest, kit.Reason(err))
	}
	status := 0
	if info != nil {
		status = k.attributes(source, dest, info, oldErr != nil, 0o644)
	}
	k.tell(source, dest, kept)
	return status
}

// isRefusedWrite says whether a file cannot be written in place but could be replaced: it has several hard links.
func isRefusedWrite(err error) bool { return errors.Is(err, syscall.EMLINK) }
