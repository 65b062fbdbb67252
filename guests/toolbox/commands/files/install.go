package files

import (
	"os"
	"path/filepath"
	"strings"

	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// installer is one run of install.
type installer struct {
	copier *copier
	opts   *kit.Options
	mode   string
}

// Install is the command install.
func Install(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "bcCdDg:m:o:psS:t:TvZ", Usage: "[OPTION]... SOURCE... DEST, or install -d [OPTION]... DIRECTORY...",
		Long: "backup:: compare=C directory=d group=g mode=m owner=o preserve-timestamps=p strip=s suffix=S " +
			"target-directory=t no-target-directory=T verbose=v",
	})
	if done {
		return status
	}
	if key := opts.Last("o", "g", "s", "b", "backup", "S", "Z"); key != "" {
		return c.Unsupported("-" + key + ": there are no other users, backups or programs here")
	}
	i := &installer{
		copier: &copier{c: c, force: true, keepTimes: opts.Has("p"), verbose: opts.Has("v")}, opts: opts, mode: "755",
	}
	if text, ok := opts.Value("m"); ok {
		i.mode = text
	}
	if _, ok := fileinfo.ChangeMode(0, i.mode, false); !ok {
		return c.Fail("invalid mode '%s'", i.mode)
	}
	if opts.Has("d") {
		return i.directories(opts.Operands)
	}
	sources := opts.Operands
	target, given := opts.Value("t")
	switch {
	case len(sources) == 0:
		return c.Usage(1, "missing file operand")
	case !given && len(sources) == 1:
		return c.Usage(1, "missing destination file operand after '%s'", sources[0])
	case !given:
		target, sources = sources[len(sources)-1], sources[:len(sources)-1]
	}
	return i.files(sources, target, given)
}

func (i *installer) files(sources []string, target string, given bool) int {
	c := i.copier.c
	if i.opts.Has("D") {
		parent := target
		if !given {
			parent = filepath.Dir(target)
		}
		if status := i.makeAll(parent); status != 0 {
			return status
		}
	}
	info, err := os.Stat(c.Path(target))
	isDir := err == nil && info.IsDir() && !i.opts.Has("T")
	if !isDir && (given || len(sources) > 1) {
		why := "Not a directory"
		if err != nil {
			why = kit.Reason(err)
		}
		return c.Fail("target '%s': %s", target, why)
	}
	status := 0
	for _, source := range sources {
		dest := target
		if isDir {
			dest = kit.JoinName(strings.TrimSuffix(target, "/"), filepath.Base(source))
		}
		status |= i.file(source, dest)
	}
	return status
}

func (i *installer) file(source, dest string) int {
	c := i.copier.c
	info, err := c.Stat(source)
	switch {
	case err != nil:
		return c.Fail("cannot stat '%s': %s", source, kit.Reason(err))
	case info.IsDir():
		return c.Fail("omitting directory '%s'", source)
	}
	if old, err := os.Lstat(c.Path(dest)); err == nil {
		if os.SameFile(info, old) && sameInode(info) || c.Path(source) == c.Path(dest) {
			return c.Fail("'%s' and '%s' are the same file", source, dest)
		}
		if i.opts.Has("C") && i.same(source, dest) {
			return 0
		}
		// What is there is replaced, not written into, as install does: another link to it keeps its content.
		if old.IsDir() {
			return c.Fail("cannot overwrite directory '%s' with non-directory", dest)
		}
		if err := os.Remove(c.Path(dest)); err != nil {
			return c.Fail("cannot remove '%s': %s", dest, kit.Reason(err))
		}
	}
	if status := i.copier.copyFile(source, dest, "", info); status != 0 {
		return status
	}
	if i.opts.Has("v") {
		c.Out.Printf("'%s' -> '%s'\n", source, dest)
	}
	return i.setMode(dest, false)
}

// same says whether both files have the same bytes.
func (i *installer) same(source, dest string) bool {
	c := i.copier.c
	status := c.Run([]string{"cmp", "-s", "--", source, dest}, kit.Change{})
	return status == 0
}

func (i *installer) setMode(name string, isDir bool) int {
	c := i.copier.c
	mode, _ := fileinfo.ChangeMode(0, i.mode, isDir)
	if err := fileinfo.SetMode(c.Path(name), mode&0o777); err != nil {
		return c.Fail("cannot change permissions of '%s': %s", name, kit.Reason(err))
	}
	return 0
}

func (i *installer) directories(names []string) int {
	c := i.copier.c
	if len(names) == 0 {
		return c.Usage(1, "missing file operand")
	}
	status := 0
	for _, name := range names {
		if made := i.makeAll(name); made != 0 {
			status = made
			continue
		}
		status |= i.setMode(name, true)
	}
	return status
}

// makeAll makes a directory and what is missing above it.
func (i *installer) makeAll(name string) int {
	c := i.copier.c
	if info, err := os.Stat(c.Path(name)); err == nil && info.IsDir() {
		return 0
	}
	if parent := filepath.Dir(filepath.Clean(name)); parent != "." && parent != "/" {
		if status := i.makeAll(parent); status != 0 {
			return status
		}
	}
	if err := os.Mkdir(c.Path(name), 0o755); err != nil {
		return c.Fail("cannot create directory '%s': %s", name, kit.Reason(err))
	}
	if i.opts.Has("v") {
		c.Out.Printf("install: creating directory '%s'\n", name)
	}
	return 0
}
