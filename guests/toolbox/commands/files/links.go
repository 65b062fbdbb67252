package files

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"capbox/toolbox/commands/kit"
)

// Link is the command link.
func Link(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{Usage: "FILE1 FILE2"})
	if done {
		return status
	}
	names := opts.Operands
	switch {
	case len(names) == 0:
		return c.Usage(1, "missing operand")
	case len(names) == 1:
		return c.Usage(1, "missing operand after '%s'", names[0])
	case len(names) > 2:
		return c.Usage(1, "extra operand '%s'", names[2])
	}
	if err := os.Link(c.Path(names[0]), c.Path(names[1])); err != nil {
		return c.Fail("cannot create link '%s' to '%s': %s", names[1], names[0], kit.Reason(err))
	}
	return 0
}

// Unlink is the command unlink.
func Unlink(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{Usage: "FILE"})
	if done {
		return status
	}
	switch names := opts.Operands; {
	case len(names) == 0:
		return c.Usage(1, "missing operand")
	case len(names) > 1:
		return c.Usage(1, "extra operand '%s'", names[1])
	}
	name := opts.Operands[0]
	info, err := os.Lstat(c.Path(name))
	if err == nil && info.IsDir() {
		err = syscall.EISDIR // os.Remove would take an empty directory
	}
	if err == nil {
		err = os.Remove(c.Path(name))
	}
	if err != nil {
		return c.Fail("cannot unlink '%s': %s", name, kit.Reason(err))
	}
	return 0
}

// Sync passes named files on; without names there is nothing to do, since nothing is held back in here.
func Sync(c *kit.Call) int {
	status := 0
	for _, name := range c.Args {
		if name == "-d" || name == "-f" || name == "--data" || name == "--file-system" {
			continue
		}
		file, err := os.Open(c.Path(name))
		if err != nil {
			status = c.Fail("error opening '%s': %s", name, kit.Reason(err))
			continue
		}
		if info, err := file.Stat(); err == nil && !info.IsDir() {
			if err := file.Sync(); err != nil {
				status = c.Fail("error syncing '%s': %s", name, kit.Reason(err))
			}
		}
		file.Close()
	}
	return status
}

// Ln is the command ln.
func Ln(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "sfnrTt:vb", Usage: "[OPTION]... TARGET... LINK_NAME",
		Long: "symbolic=s force=f no-dereference=n relative=r no-target-directory=T target-directory=t verbose=v",
	})
	if done {
		return status
	}
	if status, done := c.Refuse(opts, "b"); done {
		return status
	}
	targets := opts.Operands
	if len(targets) == 0 {
		return c.Usage(1, "missing file operand")
	}
	dest, given := opts.Value("t")
	if !given {
		dest = "."
		if len(targets) > 1 {
			dest, targets = targets[len(targets)-1], targets[:len(targets)-1]
		}
	}
	info, err := os.Lstat(c.Path(dest))
	if err == nil && info.Mode()&fs.ModeSymlink != 0 && !opts.Has("n") {
		info, err = os.Stat(c.Path(dest))
	}
	into := err == nil && info.IsDir() && !opts.Has("T")
	for _, target := range targets {
		link := dest
		if into {
			link = kit.JoinName(dest, filepath.Base(target))
		}
		status |= makeLink(c, opts, target, link)
	}
	return status
}

func makeLink(c *kit.Call, opts *kit.Options, target, link string) int {
	kind := "hard link"
	if opts.Has("s") {
		kind = "symbolic link"
	} else if info, err := os.Lstat(c.Path(target)); err != nil {
		return c.Fail("failed to access '%s': %s", target, kit.Reason(err))
	} else if info.IsDir() {
		return c.Fail("%s: hard link not allowed for directory", target)
	}
	if opts.Has("f") {
		if info, err := os.Lstat(c.Path(link)); err == nil && !info.IsDir() {
			_ = os.Remove(c.Path(link))
		}
	}
	var err error
	if !opts.Has("s") {
		err = os.Link(c.Path(target), c.Path(link))
	} else {
		// The host refuses absolute links: a person would follow them later. Inside the same tree a relative one means the same.
		if opts.Has("r") || filepath.IsAbs(target) && firstName(target) == firstName(c.Path(link)) {
			if relative, relErr := filepath.Rel(filepath.Dir(c.Path(link)), c.Path(target)); relErr == nil {
				target = relative
			}
		}
		err = os.Symlink(target, c.Path(link))
	}
	if err != nil {
		return c.Fail("failed to create %s '%s': %s", kind, link, kit.Reason(err))
	}
	if opts.Has("v") {
		c.Out.Printf("'%s' -> '%s'\n", link, target)
	}
	return 0
}

// firstName is the first name in an absolute path; the empty path has none.
func firstName(path string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return name
}
