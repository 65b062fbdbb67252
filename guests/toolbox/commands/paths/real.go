// Package paths holds the commands that work on names of files: realpath, readlink, basename, dirname and pathchk.
package paths

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"capbox/toolbox/commands/kit"
)

// Realpath is the command realpath.
func Realpath(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
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
		path, err := canonical(c, name, opts.Has("e"), opts.Has("m"), opts.Has("s"))
		if err != nil {
			status = 1
			if !opts.Has("q") {
				c.FailPath(name, err)
			}
			continue
		}
		c.Out.WriteString(relativePath(c, opts, path) + end)
	}
	return status
}

// relativePath is a path as --relative-to and --relative-base want it: below the base, from the place it is relative to.
func relativePath(c *kit.Call, opts *kit.Options, path string) string {
	to, toGiven := opts.Value("relative-to")
	base, baseGiven := opts.Value("relative-base")
	if !toGiven && !baseGiven {
		return path
	}
	if !toGiven {
		to = base
	}
	place, err := canonical(c, to, false, true, false)
	if err != nil {
		return path
	}
	if baseGiven {
		root, err := canonical(c, base, false, true, false)
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
func canonical(c *kit.Call, name string, must, missing, keepLinks bool) (string, error) {
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
		if parent, err := canonicalParent(c, filepath.Clean(dir)); err == nil {
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

func canonicalParent(c *kit.Call, dir string) (string, error) {
	if real, err := filepath.EvalSymlinks(dir); err == nil || dir == "/" {
		return real, err
	}
	parent, err := canonicalParent(c, filepath.Dir(dir))
	return filepath.Join(parent, filepath.Base(dir)), err
}

// Readlink is the command readlink.
func Readlink(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
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
			text, err = canonical(c, name, opts.Has("e"), opts.Has("m"), false)
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
