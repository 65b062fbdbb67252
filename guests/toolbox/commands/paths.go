package commands

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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
