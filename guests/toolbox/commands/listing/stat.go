package listing

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// stated is one file to tell about.
type stated struct {
	path string // as given
	real string // absolute
	info fs.FileInfo
}

// Stat is the command stat.
func Stat(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "c:fLt", Long: "format=c printf: file-system=f dereference=L terse=t", Usage: "[OPTION]... FILE...",
	})
	if done {
		return status
	}
	if len(opts.Operands) == 0 {
		return c.Usage(1, "missing operand")
	}
	if status, done := c.Refuse(opts, "f"); done {
		return status
	}
	for _, name := range opts.Operands {
		info, err := os.Lstat(c.Path(name))
		if err == nil && opts.Has("L") {
			info, err = os.Stat(c.Path(name))
		}
		if err != nil {
			status = c.Fail("cannot statx '%s': %s", name, kit.Reason(err))
			continue
		}
		f := &stated{path: name, real: c.Path(name), info: info}
		if format, ok := opts.Value("printf"); ok {
			c.Out.WriteString(f.show(unescapeFormat(format)))
		} else if format, ok := opts.Value("c"); ok {
			c.Out.Line(f.show(format))
		} else if opts.Has("t") {
			c.Out.Line(f.show("%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o"))
		} else {
			c.Out.Line(f.show("  File: %N\n  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\nDevice: %d\tInode: %-11i Links: %h\nAccess: (%04a/%A)  Uid: ( 1000/    user)   Gid: ( 1000/    user)\n" +
				"Access: %x\nModify: %y\nChange: %z\n Birth: %w"))
		}
	}
	return status
}

func (f *stated) show(format string) string {
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			out.WriteByte(format[i])
			continue
		}
		start := i + 1
		for i = start; i < len(format)-1 && strings.IndexByte("-0123456789", format[i]) >= 0; i++ {
		}
		width := format[start:i]
		text := f.field(format[i])
		if n, err := strconv.Atoi(width); err == nil && n > len(text) && strings.HasPrefix(width, "0") {
			text = strings.Repeat("0", min(n, kit.PaddingMax)-min(len(text), kit.PaddingMax)) + text
		} else if err == nil {
			text = fmt.Sprintf("%"+width+"s", text)
		}
		out.WriteString(text)
	}
	return out.String()
}

func (f *stated) field(letter byte) string {
	mode, links, err := fileinfo.Mode(f.real)
	if err != nil {
		mode, links = 0o644, 1
	}
	if f.info.Mode()&fs.ModeSymlink != 0 {
		mode, links = 0o777, 1
	}
	switch letter {
	case 'n':
		return f.path
	case 'N':
		if target, err := os.Readlink(f.real); err == nil {
			return shellQuote(f.path) + " -> " + shellQuote(target)
		}
		return shellQuote(f.path)
	case 's':
		return strconv.FormatInt(f.info.Size(), 10)
	case 'a':
		return strconv.FormatUint(uint64(mode&0o7777), 8)
	case 'A':
		return fileinfo.ModeText(f.info.Mode(), mode)
	case 'F':
		return fileinfo.KindName(f.info)
	case 'h':
		return strconv.FormatUint(uint64(links), 10)
	case 'u', 'g':
		return "1000"
	case 'U', 'G':
		return "user"
	case 'i':
		return strconv.FormatUint(fileinfo.Inode(f.info), 10)
	case 'b':
		return strconv.FormatInt(blocksOf(f.info)*2, 10)
	case 'B':
		return "512"
	case 'f':
		return strconv.FormatUint(uint64(kindBits(f.info.Mode())|mode&0o7777), 16)
	case 'o':
		return "4096"
	case 'd', 'D', 't', 'T', 'r', 'R':
		return "0"
	case 'w':
		return "-"
	case 'W':
		return "0"
	case 'x', 'y', 'z':
		return f.info.ModTime().UTC().Format("2006-01-02 15:04:05.000000000 -0700")
	case 'X', 'Y', 'Z':
		return strconv.FormatInt(f.info.ModTime().Unix(), 10)
	case '%':
		return "%"
	}
	return "?"
}

// kindBits is the kind of a file as stat(2) writes it into the mode.
func kindBits(mode fs.FileMode) uint32 {
	switch {
	case mode.IsDir():
		return 0o040000
	case mode&fs.ModeSymlink != 0:
		return 0o120000
	case mode.IsRegular():
		return 0o100000
	}
	return 0o020000
}

// shellQuote quotes a name so that a shell reads it back, always.
func shellQuote(name string) string {
	if strings.Contains(name, "'") && !strings.ContainsAny(name, "\"$`\\!") {
		return `"` + name + `"`
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// unescapeFormat reads the escapes of --printf.
func unescapeFormat(format string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r", `\a`, "\a", `\0`, "\x00", `\"`, `"`).Replace(format)
}
