package zip

import (
	stdzip "archive/zip"
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"capbox/toolbox/commands/archive"
	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// plant prepares the directory that is extracted into.
func (j *unzipJob) plant() int {
	base := j.c.Dir
	if name, given := j.opts.Value("d"); given {
		base = j.c.Path(strings.TrimRight(name, "/"))
		if err := j.c.MakeParents(base); err != nil {
			j.fail(2, "checkdir:  cannot create extraction directory: %s\n           %s", name, kit.Reason(err))
			return 2
		}
		j.into = strings.TrimRight(name, "/") + "/"
	}
	j.tree = archive.NewTree(base, false, fileinfo.SetMode)
	return 0
}

// extract makes one member.
func (j *unzipJob) extract(file *stdzip.File) {
	isDir := file.Mode().IsDir()
	name := j.memberName(file)
	if j.opts.Has("j") {
		name = path.Base(name)
	}
	if name == "" || name == "." || isDir && j.opts.Has("j") {
		return
	}
	shown := j.into + visible(name)
	switch kind := file.Mode().Type(); {
	case isDir:
		j.makeDirectory(file, name, shown)
	case kind == fs.ModeSymlink:
		j.link(file, name, shown)
	case kind != 0:
		j.fail(2, "   skipping: %-22s  a device, FIFO or socket (not supported)", visible(file.Name))
	default:
		j.extractFile(file, name, shown)
	}
}

func (j *unzipJob) makeDirectory(file *stdzip.File, name, shown string) {
	_, missing := os.Lstat(j.place(name))
	err := j.tree.Directory(name, archive.Attributes{Mode: zipPermissions(file, 0o755), When: file.Modified}, false)
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		j.inTheWay(file, shown)
	case err != nil:
		j.fail(2, "checkdir error:  cannot create %s\n                 %s\n                 unable to process %s.",
			shown, kit.Reason(err), visible(file.Name))
	case missing != nil && j.quiet == 0:
		j.c.Out.Printf("   creating: %s/\n", shown)
	}
}

// inTheWay says that a member needs a directory where something else is.
func (j *unzipJob) inTheWay(file *stdzip.File, dir string) {
	j.fail(2, "checkdir error:  %s exists but is not directory\n                 unable to process %s.", dir, visible(file.Name))
}

// place is where a member goes, "" if nowhere.
func (j *unzipJob) place(name string) string {
	place, err := j.tree.Path(name)
	if err != nil {
		return ""
	}
	return place
}

// zipPermissions are a member's mode bits; archives from systems without modes have none.
func zipPermissions(file *stdzip.File, usual uint32) uint32 {
	const unix, macOS = 3, 19
	if system := file.CreatorVersion >> 8; system != unix && system != macOS {
		return usual
	}
	return uint32(file.Mode().Perm()) &^ archive.Umask
}

func (j *unzipJob) extractFile(file *stdzip.File, name, shown string) {
	out, err := j.fresh(file, name, shown)
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		j.inTheWay(file, path.Dir(shown))
	case err != nil:
		j.fail(50, "error:  cannot create %s\n        %s", shown, kit.Reason(err))
	}
	if out == nil {
		return
	}
	if j.quiet == 0 {
		j.c.Out.Printf("%s: %-22s  \n", doing(file), shown)
	}
	whole := j.copy(file, struct{ io.Writer }{out})
	err = j.tree.Seal(out, archive.Attributes{Mode: zipPermissions(file, 0o644), When: file.Modified})
	if err != nil && whole {
		j.fail(50, "error:  cannot set mode or time of %s\n        %s", shown, kit.Reason(err))
	}
	if file.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
		j.fail(1, "warning:  setuid and setgid of %s are not restored", shown)
	}
}

// fresh makes the member's file where the options and the answers let it; nil without an error means to pass it over.
func (j *unzipJob) fresh(file *stdzip.File, name, shown string) (*os.File, error) {
	path := j.place(name)
	old, statErr := os.Lstat(path)
	newer := statErr != nil || file.Modified.After(old.ModTime())
	switch {
	case j.opts.Has("f") && statErr != nil, j.opts.Has("f", "u") && !newer:
		return nil, nil
	case statErr == nil && !j.replaces(shown):
		return nil, nil
	}
	out, err := j.tree.File(name)
	if errors.Is(err, fs.ErrExist) {
		if old != nil && old.IsDir() || j.tree.Remove(path) != nil {
			return nil, err
		}
		out, err = j.tree.File(name)
	}
	return out, err
}

// replaces asks whether an existing file may be overwritten, as unzip does without a terminal: from standard input.
func (j *unzipJob) replaces(shown string) bool {
	switch {
	case j.opts.Has("o"):
		return true
	case j.opts.Has("n"):
		return false
	}
	for j.answer == "" {
		io.WriteString(j.c.Err(), "replace "+shown+"? [y]es, [n]o, [A]ll, [N]one, [r]ename: ")
		line, err := readAnswer(j.c.Input())
		switch {
		case strings.HasPrefix(line, "y"):
			return true
		case strings.HasPrefix(line, "n"):
			return false
		case strings.HasPrefix(line, "A"), strings.HasPrefix(line, "N"):
			j.answer = line[:1]
		case err != nil:
			io.WriteString(j.c.Err(), " NULL\n(EOF or read error, treating as \"[N]one\" ...)\n")
			j.answer = "N"
			j.status = max(j.status, 1)
		default:
			io.WriteString(j.c.Err(), "error:  invalid response ["+visible(line)+"]\n")
		}
	}
	return j.answer == "A"
}

// readAnswer reads a line of at most a few letters.
func readAnswer(in *bufio.Reader) (string, error) {
	var line []byte
	for {
		b, err := in.ReadByte()
		if err != nil || b == '\n' {
			return string(line), err
		}
		if len(line) < 16 {
			line = append(line, b)
		}
	}
}

// link reads a symbolic link's target, which is the member's content.
func (j *unzipJob) link(file *stdzip.File, name, shown string) {
	if _, err := os.Lstat(j.place(name)); err == nil && !j.replaces(shown) {
		return
	}
	in, _ := j.content(file)
	if in == nil {
		return
	}
	defer in.Close()
	target, err := io.ReadAll(io.LimitReader(in, archive.NameBytesMax+1))
	if err != nil {
		j.broken(file, err)
		return
	}
	if err := j.tree.Link(name, string(target)); err != nil {
		j.fail(2, "error:  cannot create symbolic link %s\n        %s", shown, kit.Reason(err))
		return
	}
	if j.quiet == 0 {
		j.c.Out.Printf("    linking: %-22s  -> %s \n", shown, visible(string(target)))
	}
}

// finish makes the links, which waited so that no member is written through one.
func (j *unzipJob) finish() {
	told := j.quiet > 0
	j.tree.Finish(func(link archive.Link) bool {
		info, err := os.Lstat(link.Path)
		if err == nil && !info.IsDir() && j.tree.Remove(link.Path) == nil {
			return true
		}
		j.fail(50, "error:  cannot delete old %s", j.into+visible(link.Name))
		return false
	}, func(link archive.Link, err error) {
		if err != nil {
			j.fail(2, "error:  cannot create symbolic link %s -> %s\n        %s", j.into+visible(link.Name), visible(link.Target), kit.Reason(err))
			return
		}
		if !told {
			told = true
			j.c.Out.Line("finishing deferred symbolic links:")
		}
		if j.quiet == 0 {
			j.c.Out.Printf("  %-22s -> %s\n", j.into+visible(link.Name), visible(link.Target))
		}
	})
}
