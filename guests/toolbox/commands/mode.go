package commands

import (
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// modeText is "drwxr-xr-x".
func modeText(kind fs.FileMode, bits uint32) string {
	text := []byte("-rwxrwxrwx")
	if letter := typeLetter(kind); letter != "f" {
		text[0] = letter[0]
	}
	for i := range 9 {
		if bits&(1<<(8-i)) == 0 {
			text[i+1] = '-'
		}
	}
	return string(text)
}

// changeMode applies a mode as chmod reads it: octal, or clauses such as u+x,go-w. X depends on whether the file is a
// directory or executable already.
func changeMode(mode uint32, text string, isDir bool) (uint32, bool) {
	if n, err := strconv.ParseUint(text, 8, 32); err == nil && n <= 0o7777 {
		return uint32(n), true
	}
	for _, clause := range strings.Split(text, ",") {
		at := strings.IndexAny(clause, "+-=")
		if at < 0 {
			return 0, false
		}
		who := uint32(0)
		for _, letter := range clause[:at] {
			shift, ok := map[rune]uint32{'u': 0o700, 'g': 0o070, 'o': 0o007, 'a': 0o777}[letter]
			if !ok {
				return 0, false
			}
			who |= shift
		}
		if at == 0 {
			who = 0o777
		}
		for rest := clause[at:]; rest != ""; {
			operator := rest[0]
			end := strings.IndexAny(rest[1:], "+-=") + 1
			if end == 0 {
				end = len(rest)
			}
			bits, ok := permissionBits(rest[1:end], mode, isDir)
			if !ok {
				return 0, false
			}
			switch operator {
			case '+':
				mode |= bits & who
			case '-':
				mode &^= bits & who
			case '=':
				mode = mode&^who | bits&who
			}
			rest = rest[end:]
		}
	}
	return mode, true
}

func permissionBits(letters string, mode uint32, isDir bool) (uint32, bool) {
	bits := uint32(0)
	for _, letter := range letters {
		switch letter {
		case 'r':
			bits |= 0o444
		case 'w':
			bits |= 0o222
		case 'x':
			bits |= 0o111
		case 'X':
			if isDir || mode&0o111 != 0 {
				bits |= 0o111
			}
		case 'u':
			bits |= mode >> 6 & 7 * 0o111
		case 'g':
			bits |= mode >> 3 & 7 * 0o111
		case 'o':
			bits |= mode & 7 * 0o111
		case 's', 't':
		default:
			return 0, false
		}
	}
	return bits, true
}

func chmod(c *Call) int {
	args := c.Args
	if len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && strings.Trim(args[0][1:], "rwxXugo,=+-") == "" {
		c.Args = append([]string{"--"}, args...) // chmod -x file
	}
	opts, status, done := c.Parse(Spec{
		Short: "cfvR", Long: "changes=c silent=f quiet=f verbose=v recursive=R reference:", Usage: "[OPTION]... MODE[,MODE]... FILE...",
	})
	if done {
		return status
	}
	if len(opts.Operands) < 2 {
		return c.Usage(1, "missing operand")
	}
	text := opts.Operands[0]
	for _, name := range opts.Operands[1:] {
		status |= c.walk(name, opts.Has("R"), func(path string, info fs.FileInfo) int {
			if info.Mode()&fs.ModeSymlink != 0 && path != name {
				return 0
			}
			mode, _, err := modeOf(c.Path(path))
			if err != nil {
				return c.Fail("cannot access '%s': %s", path, reason(err))
			}
			changed, ok := changeMode(mode&0o7777, text, info.IsDir())
			if !ok {
				return c.Usage(1, "invalid mode: '%s'", text)
			}
			if err := setMode(c.Path(path), changed&0o777); err != nil {
				return c.Fail("changing permissions of '%s': %s", path, reason(err))
			}
			return 0
		})
	}
	return status
}

// walk visits a path, and what is below it if deep; links are not followed. Directories come before their content.
func (c *Call) walk(name string, deep bool, visit func(path string, info fs.FileInfo) int) int {
	info, err := os.Lstat(c.Path(name))
	if err != nil {
		return c.Fail("cannot access '%s': %s", name, reason(err))
	}
	status := visit(name, info)
	if !deep || !info.IsDir() {
		return status
	}
	entries, err := os.ReadDir(c.Path(name))
	if err != nil {
		status = c.Fail("cannot read directory '%s': %s", name, reason(err))
	}
	for _, entry := range entries {
		status |= c.walk(joinName(name, entry.Name()), true, visit)
	}
	return status
}
