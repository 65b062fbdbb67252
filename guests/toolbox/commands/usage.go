package commands

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

func stat(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "c:fLt", Long: "format=c printf: file-system=f dereference=L terse=t", Usage: "[OPTION]... FILE...",
	})
	if done {
		return status
	}
	if len(opts.Operands) == 0 {
		return c.Usage(1, "missing operand")
	}
	s := &finder{c: c}
	for _, name := range opts.Operands {
		info, err := os.Lstat(c.Path(name))
		if err == nil && opts.Has("L") {
			info, err = os.Stat(c.Path(name))
		}
		if err != nil {
			status = c.Fail("cannot statx '%s': %s", name, reason(err))
			continue
		}
		f := &found{path: name, real: c.Path(name), info: info}
		if format, ok := opts.Value("printf"); ok {
			c.Out.WriteString(s.statFormat(strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\\`, `\`).Replace(format), f))
		} else if format, ok := opts.Value("c"); ok {
			c.Out.Line(s.statFormat(format, f))
		} else {
			c.Out.Line(s.statFormat("  File: %N\n  Size: %s\tBlocks: %b\tIO Block: 4096\t%F\nAccess: (%04a/%A)\tUid: ( 1000/    user)\tGid: ( 1000/    user)\n"+
				"Access: %x\nModify: %y\nChange: %z", f))
		}
	}
	return status
}

func (s *finder) statFormat(format string, f *found) string {
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
		text := s.statField(format[i], f)
		if n, err := strconv.Atoi(width); err == nil && n > len(text) && strings.HasPrefix(width, "0") {
			text = strings.Repeat("0", min(n, paddingMax)-min(len(text), paddingMax)) + text
		} else if err == nil {
			text = fmt.Sprintf("%"+width+"s", text)
		}
		out.WriteString(text)
	}
	return out.String()
}

func (s *finder) statField(letter byte, f *found) string {
	mode, links, err := modeOf(f.real)
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
			return f.path + " -> " + target
		}
		return f.path
	case 's':
		return strconv.FormatInt(f.info.Size(), 10)
	case 'a':
		return strconv.FormatUint(uint64(mode&0o7777), 8)
	case 'A':
		return modeText(f.info.Mode(), mode)
	case 'F':
		return kindName(f.info)
	case 'h':
		return strconv.FormatUint(uint64(links), 10)
	case 'u', 'g':
		return "1000"
	case 'U', 'G':
		return "user"
	case 'i':
		return strconv.FormatUint(inode(f.info), 10)
	case 'b':
		return strconv.FormatInt(blocksOf(f.info)*2, 10)
	case 'B':
		return "512"
	case 'x', 'y', 'z', 'w':
		return modTime(f).UTC().Format("2006-01-02 15:04:05.000000000 -0700")
	case 'X', 'Y', 'Z', 'W':
		return strconv.FormatInt(modTime(f).Unix(), 10)
	case '%':
		return "%"
	}
	return "?"
}

func kindName(info fs.FileInfo) string {
	switch {
	case info.IsDir():
		return "directory"
	case info.Mode()&fs.ModeSymlink != 0:
		return "symbolic link"
	case info.Mode().IsRegular() && info.Size() == 0:
		return "regular empty file"
	case info.Mode().IsRegular():
		return "regular file"
	}
	return "character special file"
}

// duRun is one run of du.
type duRun struct {
	c        *Call
	opts     *Options
	maxDepth int
	block    int64
	status   int
}

func du(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "abcd:hkmsSxLPDH", Usage: "[OPTION]... [FILE]...",
		Long: "all=a bytes=b total=c max-depth=d human-readable=h summarize=s separate-dirs=S apparent-size exclude: si",
	})
	if done {
		return status
	}
	r := &duRun{c: c, opts: opts, maxDepth: 1 << 30, block: 1024}
	if text, ok := opts.Value("d"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return c.Fail("invalid maximum depth '%s'", text)
		}
		r.maxDepth = n
	}
	if opts.Has("s") {
		r.maxDepth = 0
	}
	switch opts.Last("b", "k", "m") {
	case "b":
		r.block = 1
	case "m":
		r.block = 1 << 20
	}
	names := opts.Operands
	if len(names) == 0 {
		names = []string{"."}
	}
	total := int64(0)
	for _, name := range names {
		info, err := os.Lstat(c.Path(name))
		if err != nil {
			r.status = c.Fail("cannot access '%s': %s", name, reason(err))
			continue
		}
		total += r.visit(name, info, 0)
	}
	if opts.Has("c") {
		r.print(total, "total")
	}
	return r.status
}

func (r *duRun) size(info fs.FileInfo) int64 {
	if r.opts.Has("b", "apparent-size") {
		if info.IsDir() {
			return 4096
		}
		return info.Size()
	}
	if info.IsDir() {
		return 4096
	}
	return blocksOf(info) * 1024
}

func (r *duRun) visit(name string, info fs.FileInfo, depth int) int64 {
	total := r.size(info)
	if info.IsDir() {
		entries, err := os.ReadDir(r.c.Path(name))
		if err != nil {
			r.status = r.c.Fail("cannot read directory '%s': %s", name, reason(err))
		}
		glob, excluded := r.opts.Value("exclude")
		for _, entry := range entries {
			if excluded && globMatch(glob, entry.Name()) {
				continue
			}
			below := r.visit(joinName(name, entry.Name()), lazyInfo{entry}, depth+1)
			if !r.opts.Has("S") || !entry.IsDir() {
				total += below
			}
		}
	}
	if depth <= r.maxDepth && (info.IsDir() || r.opts.Has("a") || depth == 0) {
		r.print(total, name)
	}
	return total
}

func (r *duRun) print(bytes int64, name string) {
	text := strconv.FormatInt((bytes+r.block-1)/r.block, 10)
	if r.opts.Has("h") {
		text = humanSize(bytes, 1024)
	}
	r.c.Out.Line(text + "\t" + name)
}

// treeRun is one run of tree.
type treeRun struct {
	c           *Call
	opts        *Options
	maxDepth    int
	dirs, files int
}

func tree(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "adfFL:I:P:shnCi", Long: "noreport dirsfirst prune gitignore", Usage: "[OPTION]... [DIRECTORY]...",
	})
	if done {
		return status
	}
	r := &treeRun{c: c, opts: opts, maxDepth: 1 << 30}
	if text, ok := opts.Value("L"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return c.Fail("Invalid level, must be greater than 0.")
		}
		r.maxDepth = n
	}
	names := opts.Operands
	if len(names) == 0 {
		names = []string{"."}
	}
	for _, name := range names {
		if info, err := c.Stat(name); err != nil || !info.IsDir() {
			c.Out.Line(name + "  [error opening dir]")
			status = 2
			continue
		}
		c.Out.Line(name)
		r.below(name, "", 1)
	}
	if !opts.Has("noreport") {
		text := fmt.Sprintf("\n%d director%s", r.dirs, map[bool]string{true: "y", false: "ies"}[r.dirs == 1])
		if !opts.Has("d") {
			text += fmt.Sprintf(", %d file%s", r.files, map[bool]string{true: "", false: "s"}[r.files == 1])
		}
		c.Out.Line(text)
	}
	return status
}

func (r *treeRun) below(name, indent string, depth int) {
	entries, err := os.ReadDir(r.c.Path(name))
	if err != nil {
		r.c.Out.Line(indent + "    [error opening dir]")
		return
	}
	var kept []fs.DirEntry
	for _, entry := range entries {
		if r.wants(entry) {
			kept = append(kept, entry)
		}
	}
	for i, entry := range kept {
		branch, next := "├── ", indent+"│   "
		if i == len(kept)-1 {
			branch, next = "└── ", indent+"    "
		}
		label := entry.Name()
		if r.opts.Has("f") {
			label = joinName(name, label)
		}
		if r.opts.Has("F") && entry.IsDir() {
			label += "/"
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			if target, err := os.Readlink(filepath.Join(r.c.Path(name), entry.Name())); err == nil {
				label += " -> " + target
			}
		}
		r.c.Out.Line(indent + branch + label)
		if !entry.IsDir() {
			r.files++
			continue
		}
		r.dirs++
		if depth < r.maxDepth {
			r.below(path.Join(name, entry.Name()), next, depth+1)
		}
	}
}

func (r *treeRun) wants(entry fs.DirEntry) bool {
	name := entry.Name()
	if strings.HasPrefix(name, ".") && !r.opts.Has("a") || r.opts.Has("d") && !entry.IsDir() {
		return false
	}
	if globs, ok := r.opts.Value("I"); ok && matchesAny(strings.Split(globs, "|"), name) {
		return false
	}
	globs, ok := r.opts.Value("P")
	return !ok || entry.IsDir() || matchesAny(strings.Split(globs, "|"), name)
}
