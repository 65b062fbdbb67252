package files

import (
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// Chmod is the command chmod.
func Chmod(c *kit.Call) int {
	args := c.Args
	if len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && strings.Trim(args[0][1:], "rwxXugo,=+-") == "" {
		c.Args = append([]string{"--"}, args...) // chmod -x file
	}
	opts, status, done := c.Parse(kit.Spec{
		Short: "cfvR", Long: "changes=c silent=f quiet=f verbose=v recursive=R reference:", Usage: "[OPTION]... MODE[,MODE]... FILE...",
	})
	if done {
		return status
	}
	text, names, status := chmodMode(c, opts)
	if status != 0 {
		return status
	}
	for _, name := range names {
		status |= walk(c, name, opts.Has("R"), func(path string, info fs.FileInfo) int {
			if info.Mode()&fs.ModeSymlink != 0 && path != name {
				return 0
			}
			mode, _, err := fileinfo.Mode(c.Path(path))
			if err != nil {
				return c.Fail("cannot access '%s': %s", path, kit.Reason(err))
			}
			changed, _ := fileinfo.ChangeMode(mode&0o7777, text, info.IsDir())
			if changed&^0o777 != 0 { // the host sets no such bits
				return c.Fail("changing permissions of '%s': %s", path, kit.Reason(syscall.EPERM))
			}
			if err := fileinfo.SetMode(c.Path(path), changed); err != nil {
				return c.Fail("changing permissions of '%s': %s", path, kit.Reason(err))
			}
			tellMode(c, opts, path, info.Mode().Type(), mode&0o777, changed)
			return 0
		})
	}
	return status
}

// chmodMode is the mode and the files: the first operand, or that of another file.
func chmodMode(c *kit.Call, opts *kit.Options) (text string, names []string, status int) {
	if name, ok := opts.Value("reference"); ok {
		mode, _, err := fileinfo.Mode(c.Path(name))
		if err != nil {
			return "", nil, c.Fail("failed to get attributes of '%s': %s", name, kit.Reason(err))
		}
		if len(opts.Operands) == 0 {
			return "", nil, c.Usage(1, "missing operand")
		}
		return strconv.FormatUint(uint64(mode&0o777), 8), opts.Operands, 0
	}
	switch len(opts.Operands) {
	case 0:
		return "", nil, c.Usage(1, "missing operand")
	case 1:
		return "", nil, c.Usage(1, "missing operand after '%s'", opts.Operands[0])
	}
	if _, ok := fileinfo.ChangeMode(0, opts.Operands[0], false); !ok {
		return "", nil, c.Usage(1, "invalid mode: '%s'", opts.Operands[0])
	}
	return opts.Operands[0], opts.Operands[1:], 0
}

// tellMode is what -v and -c say of a file.
func tellMode(c *kit.Call, opts *kit.Options, path string, kind fs.FileMode, old, changed uint32) {
	switch {
	case old != changed && opts.Has("v", "c"):
		c.Out.Printf("mode of '%s' changed from %04o (%s) to %04o (%s)\n", path, old, fileinfo.ModeText(kind, old)[1:], changed, fileinfo.ModeText(kind, changed)[1:])
	case opts.Has("v"):
		c.Out.Printf("mode of '%s' retained as %04o (%s)\n", path, changed, fileinfo.ModeText(kind, changed)[1:])
	}
}

// walk visits a path, and what is below it if deep; links are not followed. Directories come before their content.
func walk(c *kit.Call, name string, deep bool, visit func(path string, info fs.FileInfo) int) int {
	info, err := os.Lstat(c.Path(name))
	if err != nil {
		return c.Fail("cannot access '%s': %s", name, kit.Reason(err))
	}
	status := visit(name, info)
	if !deep || !info.IsDir() {
		return status
	}
	entries, err := os.ReadDir(c.Path(name))
	if err != nil {
		status = c.Fail("cannot read directory '%s': %s", name, kit.Reason(err))
	}
	for _, entry := range entries {
		status |= walk(c, kit.JoinName(name, entry.Name()), true, visit)
	}
	return status
}
