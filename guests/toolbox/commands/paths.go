package commands

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func realpath(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "emLPqsz", Usage: "[OPTION]... FILE...",
		Long: "canonicalize-existing=e canonicalize-missing=m no-symlinks=s strip=s relative-to: relative-base: zero=z quiet=q",
	})
	if done {
		return status
	}
	if len(opts.Operands) == 0 {
		return c.Usage(1, "missing operand")
	}
	end := "\n"
	if opts.Has("z") {
		end = "\x00"
	}
	for _, name := range opts.Operands {
		path, err := c.canonical(name, opts.Has("e"), opts.Has("m"), opts.Has("s"))
		if err != nil {
			status = 1
			if !opts.Has("q") {
				c.FailPath(name, err)
			}
			continue
		}
		c.Out.WriteString(c.relativePath(opts, path) + end)
	}
	return status
}

// relativePath is a path as --relative-to and --relative-base want it: below the base, from the place it is relative to.
func (c *Call) relativePath(opts *Options, path string) string {
	to, toGiven := opts.Value("relative-to")
	base, baseGiven := opts.Value("relative-base")
	if !toGiven && !baseGiven {
		return path
	}
	if !toGiven {
		to = base
	}
	place, err := c.canonical(to, false, true, false)
	if err != nil {
		return path
	}
	if baseGiven {
		root, err := c.canonical(base, false, true, false)
		if err != nil || !strings.HasPrefix(path+"/", strings.TrimSuffix(root, "/")+"/") {
			return path
		}
	}
	if relative, err := filepath.Rel(place, path); err == nil {
		return relative
	}
	return path
}

// canonical resolves links. Without `must` the last component may be missing, with `missing` anything.
func (c *Call) canonical(name string, must, missing, keepLinks bool) (string, error) {
	path := filepath.Clean(c.Path(name))
	if name == "" {
		return "", fs.ErrNotExist
	}
	if keepLinks {
		return path, nil
	}
	real, err := filepath.EvalSymlinks(path)
	if err == nil || must {
		return real, err
	}
	dir, base := filepath.Split(path)
	if missing || dir == "/" {
		if parent, err := c.canonicalParent(filepath.Clean(dir)); err == nil {
			return filepath.Join(parent, base), nil
		}
		return path, nil
	}
	parent, err := filepath.EvalSymlinks(filepath.Clean(dir))
	if err != nil {
		return "", err
	}
	return filepath.Join(parent, base), nil
}

func (c *Call) canonicalParent(dir string) (string, error) {
	if real, err := filepath.EvalSymlinks(dir); err == nil || dir == "/" {
		return real, err
	}
	parent, err := c.canonicalParent(filepath.Dir(dir))
	return filepath.Join(parent, filepath.Base(dir)), err
}

func readlink(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "femnqsvz", Usage: "[OPTION]... FILE...",
		Long: "canonicalize=f canonicalize-existing=e canonicalize-missing=m no-newline=n quiet=q silent=s verbose=v zero=z",
	})
	if done {
		return status
	}
	if len(opts.Operands) == 0 {
		return c.Usage(1, "missing operand")
	}
	for _, name := range opts.Operands {
		var text string
		var err error
		if opts.Has("f", "e", "m") {
			text, err = c.canonical(name, opts.Has("e"), opts.Has("m"), false)
		} else {
			text, err = os.Readlink(c.Path(name))
		}
		if err != nil {
			status = 1
			if opts.Has("v") {
				c.FailPath(name, err)
			}
			continue
		}
		c.Out.WriteString(text)
		switch {
		case opts.Has("z"):
			c.Out.WriteByte(0)
		case !opts.Has("n"):
			c.Out.WriteByte('\n')
		}
	}
	return status
}

func ln(c *Call) int {
	opts, status, done := c.Parse(Spec{
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
			link = joinName(dest, filepath.Base(target))
		}
		status |= c.link(opts, target, link)
	}
	return status
}

func (c *Call) link(opts *Options, target, link string) int {
	kind := "hard link"
	if opts.Has("s") {
		kind = "symbolic link"
	} else if info, err := os.Lstat(c.Path(target)); err != nil {
		return c.Fail("failed to access '%s': %s", target, reason(err))
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
		return c.Fail("failed to create %s '%s': %s", kind, link, reason(err))
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

func touch(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "acd:hmr:t:", Long: "no-create=c date=d reference=r time: no-dereference=h", Usage: "[OPTION]... FILE...",
	})
	if done {
		return status
	}
	if len(opts.Operands) == 0 {
		return c.Usage(1, "missing file operand")
	}
	when := time.Now()
	if text, ok := opts.Value("d"); ok {
		if when, ok = parseDate(text, when.UTC()); !ok {
			return c.Fail("invalid date format '%s'", text)
		}
	}
	if text, ok := opts.Value("t"); ok {
		if when, ok = stampDate(text); !ok {
			return c.Fail("invalid date format '%s'", text)
		}
	}
	if name, ok := opts.Value("r"); ok {
		info, err := c.Stat(name)
		if err != nil {
			return c.Fail("failed to get attributes of '%s': %s", name, reason(err))
		}
		when = info.ModTime()
	}
	for _, name := range opts.Operands {
		path := c.Path(name)
		_, err := os.Stat(path)
		if err != nil && opts.Has("c") {
			continue
		}
		if err != nil {
			var file *os.File
			if file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644); err == nil {
				file.Close()
				if !opts.Has("d", "t", "r") {
					continue
				}
			}
		}
		if err == nil {
			err = os.Chtimes(path, when, when)
		}
		if err != nil {
			status = c.Fail("cannot touch '%s': %s", name, reason(err))
		}
	}
	return status
}

// stampDate reads [[CC]YY]MMDDhhmm[.ss].
func stampDate(text string) (time.Time, bool) {
	for _, layout := range []string{"200601021504.05", "200601021504", "0601021504.05", "0601021504", "01021504.05", "01021504"} {
		if t, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
			if t.Year() == 0 {
				t = t.AddDate(time.Now().UTC().Year(), 0, 0)
			}
			return t, true
		}
	}
	return time.Time{}, false
}
