package files

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// Rm is the command rm.
func Rm(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "dfiIrRv", Long: "dir=d force=f interactive:: recursive=r verbose=v preserve-root:: no-preserve-root one-file-system",
		Usage: "[OPTION]... [FILE]...",
	})
	if done {
		return status
	}
	force := opts.Last("f", "i", "I", "interactive") == "f"
	when, given := opts.Value("interactive")
	ask := opts.Last("f", "i", "I", "interactive") == "i" || given && (when == "" || when == "always" || when == "yes")
	if (opts.Last("f", "i", "I") == "I" || when == "once") && !force {
		deep := opts.Has("r", "R")
		if (len(opts.Operands) > 3 || deep) && !c.Ask("remove %d argument%s%s? ", len(opts.Operands),
			map[bool]string{false: "s"}[len(opts.Operands) == 1], map[bool]string{true: " recursively"}[deep]) {
			return 0
		}
	}
	if len(opts.Operands) == 0 && !force {
		return c.Usage(1, "missing operand")
	}
	for _, name := range opts.Operands {
		base := filepath.Base(strings.TrimRight(name, "/"))
		if base == "." || base == ".." {
			status = c.Fail("refusing to remove '.' or '..' directory: skipping '%s'", name)
			continue
		}
		path := c.Path(name)
		if filepath.Clean(path) == "/" {
			status = c.Fail("it is dangerous to operate recursively on '/'")
			continue
		}
		info, err := os.Lstat(path)
		switch {
		case err != nil && force && kit.Reason(err) == "No such file or directory":
			continue
		case err != nil:
			status = c.Fail("cannot remove '%s': %s", name, kit.Reason(err))
			continue
		case info.IsDir() && !opts.Has("r", "R", "d"):
			status = c.Fail("cannot remove '%s': Is a directory", name)
			continue
		}
		if info.IsDir() && opts.Has("r", "R") {
			status |= removeDeep(c, name, opts.Has("v"), ask)
		} else if !ask || c.Ask("remove %s '%s'? ", kindToRemove(info), name) {
			status |= removeOne(c, name, info, opts.Has("v"))
		}
	}
	return status
}

func removeOne(c *kit.Call, name string, info fs.FileInfo, verbose bool) int {
	if err := os.Remove(c.Path(name)); err != nil {
		return c.Fail("cannot remove '%s': %s", name, kit.Reason(err))
	}
	if verbose {
		c.Out.Printf("removed %s'%s'\n", map[bool]string{true: "directory "}[info.IsDir()], name)
	}
	return 0
}

// removeDeep removes what it may below a directory and reports the rest; links are removed, never followed.
func removeDeep(c *kit.Call, name string, verbose, ask bool) int {
	entries, err := os.ReadDir(c.Path(name))
	if err != nil {
		return c.Fail("cannot remove '%s': %s", name, kit.Reason(err))
	}
	if ask && len(entries) > 0 && !c.Ask("descend into directory '%s'? ", name) {
		return 0
	}
	status, left := 0, false
	for _, entry := range entries {
		child := kit.JoinName(name, entry.Name())
		switch {
		case entry.IsDir():
			status |= removeDeep(c, child, verbose, ask)
		case ask && !c.Ask("remove %s '%s'? ", kindToRemove(fileinfo.Lazy{DirEntry: entry}), child):
			left = true
		default:
			status |= removeOne(c, child, fileinfo.Lazy{DirEntry: entry}, verbose)
		}
	}
	if status != 0 || left || ask && !c.Ask("remove directory '%s'? ", name) {
		return status
	}
	if err := os.Remove(c.Path(name)); err != nil {
		return c.Fail("cannot remove '%s': %s", name, kit.Reason(err))
	}
	if verbose {
		c.Out.Printf("removed directory '%s'\n", name)
	}
	return 0
}

// removeTree removes a file or a directory with all below it.
func removeTree(path string) error {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return os.Remove(path)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := removeTree(path + "/" + entry.Name()); err != nil {
			return err
		}
	}
	return os.Remove(path)
}

// Rmdir is the command rmdir.
func Rmdir(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "pv", Long: "parents=p verbose=v ignore-fail-on-non-empty", Usage: "[OPTION]... DIRECTORY...",
	})
	if done {
		return status
	}
	if len(opts.Operands) == 0 {
		return c.Usage(1, "missing operand")
	}
	for _, name := range opts.Operands {
		for dir := strings.TrimRight(name, "/"); ; {
			info, err := os.Lstat(c.Path(dir))
			if err == nil && !info.IsDir() {
				status = c.Fail("failed to remove '%s': Not a directory", dir)
				break
			}
			if opts.Has("v") {
				c.Out.Printf("rmdir: removing directory, '%s'\n", dir)
			}
			if err == nil {
				err = os.Remove(c.Path(dir))
			}
			if err != nil {
				if !opts.Has("ignore-fail-on-non-empty") || kit.Reason(err) != "Directory not empty" {
					status = c.Fail("failed to remove '%s': %s", dir, kit.Reason(err))
				}
				break
			}
			parent := filepath.Dir(dir)
			if !opts.Has("p") || parent == "." || parent == "/" {
				break
			}
			dir = parent
		}
	}
	return status
}
