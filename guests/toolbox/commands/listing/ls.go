// Package listing holds the commands that print what is known of files without reading them: ls, tree, stat and du.
package listing

import (
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"capbox/toolbox/commands/calendar"
	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
	"capbox/toolbox/commands/pattern"
)

// listed is one entry that ls shows.
type listed struct {
	name  string
	real  string
	info  fs.FileInfo
	mode  uint32
	links uint32
}

// lister is one run of ls.
type lister struct {
	c         *kit.Call
	opts      *kit.Options
	long      bool
	human, si bool
	status    int
	first     bool
	block     int64  // of --block-size, 0 without
	unit      string // letter behind sizes in such blocks
}

// blockSizes are what --block-size takes; powers of 1024 show their letter.
var blockSizes = map[string]int64{
	"1": 1, "512": 512, "1024": 1 << 10, "K": 1 << 10, "1K": 1 << 10, "KB": 1000, "kB": 1000, "M": 1 << 20, "1M": 1 << 20, "MB": 1e6,
	"G": 1 << 30, "1G": 1 << 30, "GB": 1e9,
}

// Ls is the command ls.
func Ls(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "1aAbBcCdDfFgGhHiI:klLmnNopqQrRsStT:uUvw:xXZ", Usage: "[OPTION]... [FILE]...", Status: 2,
		Long: "all=a almost-all=A directory=d classify=F human-readable=h inode=i dereference=L numeric-uid-gid=n reverse=r " +
			"recursive=R size=s si color:: group-directories-first time-style: full-time sort: no-group=G format: time: " +
			"indicator-style: file-type hyperlink:: width=w ignore=I hide: block-size: escape=b quote-name=Q literal=N quoting-style: " +
			"hide-control-chars=q show-control-chars ignore-backups=B author context=Z dired=D zero dereference-command-line=H kibibytes=k",
	})
	if done {
		return status
	}
	if status, done := c.Refuse(opts, "D", "Z", "author", "zero"); done {
		return status
	}
	l := &lister{
		c: c, opts: opts, long: opts.Has("l", "n", "g", "o", "full-time"), human: opts.Has("h"), si: opts.Has("si"), first: true,
	}
	if format, _ := opts.Value("format"); format == "long" || format == "verbose" {
		l.long = true
	}
	if text, ok := opts.Value("block-size"); ok {
		if l.block, ok = blockSizes[text]; !ok {
			c.Fail("invalid --block-size argument '%s'", text)
			return 2
		}
		l.unit = strings.Replace(strings.TrimLeft(text, "0123456789"), "KB", "kB", 1)
	}
	names := opts.Operands
	if len(names) == 0 {
		names = []string{"."}
	}
	var files, dirs []listed
	for _, name := range names {
		one, err := l.look(name, c.Path(name), opts.Has("L") || !l.long && !opts.Has("d", "F"))
		if err != nil {
			c.Fail("cannot access '%s': %s", name, kit.Reason(err))
			l.status = 2
			continue
		}
		if one.info.IsDir() && !opts.Has("d") {
			dirs = append(dirs, one)
		} else {
			files = append(files, one)
		}
	}
	l.sort(files)
	l.sort(dirs)
	l.print(files)
	l.first = len(files) == 0
	for _, dir := range dirs {
		l.directory(dir, len(names) > 1 || opts.Has("R"))
	}
	return l.status
}

func (l *lister) look(name, real string, follow bool) (listed, error) {
	one := listed{name: name, real: real}
	if info, ok := kit.DeviceInfo(real); ok {
		one.info, one.mode, one.links = info, 0o666, 1
		return one, nil
	}
	var err error
	if one.info, err = os.Lstat(real); err == nil && follow && one.info.Mode()&fs.ModeSymlink != 0 {
		if target, err := os.Stat(real); err == nil {
			one.info = target
		}
	}
	if err == nil {
		l.addMode(&one)
	}
	return one, err
}

// addMode asks for permissions and links where they are shown. A link's own are always rwxrwxrwx.
func (l *lister) addMode(one *listed) {
	one.mode, one.links = 0o777, 1
	if !l.long && !l.opts.Has("F") || one.info.Mode()&fs.ModeSymlink != 0 {
		return
	}
	mode, links, err := fileinfo.Mode(one.real)
	if err != nil {
		mode, links = 0o644, 1
	}
	one.mode, one.links = mode, links
}

func (l *lister) directory(dir listed, titled bool) {
	if titled {
		if !l.first {
			l.c.Out.WriteByte('\n')
		}
		l.c.Out.Line(dir.name + ":")
	}
	l.first = false
	entries, err := os.ReadDir(dir.real)
	if err != nil {
		l.c.Fail("cannot open directory '%s': %s", dir.name, kit.Reason(err))
		l.status = 2
		return
	}
	var all []listed
	if l.opts.Has("a", "f") {
		for _, name := range []string{".", ".."} {
			if one, err := l.look(name, dir.real+"/"+name, true); err == nil {
				all = append(all, one)
			} else if dir.real != "/" { // the parent may lie outside of what was granted
				dir.name, one = name, dir
				all = append(all, one)
			}
		}
	}
	for _, entry := range entries {
		if l.hides(entry.Name()) {
			continue
		}
		one := listed{name: entry.Name(), real: dir.real + "/" + entry.Name(), info: fileinfo.Lazy{DirEntry: entry}}
		if l.long || l.opts.Has("t", "S", "s", "L") {
			info, err := entry.Info()
			if l.opts.Has("L") {
				info, err = os.Stat(one.real)
			}
			if err != nil {
				l.c.Fail("cannot access '%s': %s", kit.JoinName(dir.name, one.name), kit.Reason(err))
				l.status = 1
				continue
			}
			one.info = info
		}
		l.addMode(&one)
		all = append(all, one)
	}
	l.sort(all)
	l.total(all)
	l.print(all)
	if l.opts.Has("R") {
		for _, one := range all {
			if one.info.IsDir() && one.name != "." && one.name != ".." {
				one.name = kit.JoinName(dir.name, one.name)
				l.directory(one, true)
			}
		}
	}
}

// hides says whether a name in a directory is left out.
func (l *lister) hides(name string) bool {
	all := l.opts.Has("a", "A", "f")
	if strings.HasPrefix(name, ".") && !all || l.opts.Has("B") && strings.HasSuffix(name, "~") {
		return true
	}
	for _, one := range l.opts.List {
		if (one.Key == "I" || one.Key == "hide" && !all) && pattern.MatchGlob(one.Value, name) {
			return true
		}
	}
	return false
}

func (l *lister) total(all []listed) {
	if !l.long && !l.opts.Has("s") {
		return
	}
	blocks := int64(0)
	for _, one := range all {
		blocks += blocksOf(one.info)
	}
	if l.human {
		l.c.Out.Line("total " + humanSize(blocks*1024, 1024))
		return
	}
	l.c.Out.Printf("total %d\n", blocks)
}

// blocksOf is a file's size in blocks of 1024 bytes, in units of 4 as disks give them.
func blocksOf(info fs.FileInfo) int64 {
	if info.Mode()&fs.ModeSymlink != 0 {
		return 0
	}
	return (info.Size() + 4095) / 4096 * 4
}

func (l *lister) sort(all []listed) {
	if l.opts.Has("U", "f") {
		return
	}
	by, _ := l.opts.Value("sort")
	slices.SortStableFunc(all, func(a, b listed) int {
		d := 0
		switch {
		case l.opts.Has("t") || by == "time":
			d = b.info.ModTime().Compare(a.info.ModTime())
		case l.opts.Has("S") || by == "size":
			d = int(min(max(b.info.Size()-a.info.Size(), -1), 1))
		case l.opts.Has("X") || by == "extension":
			d = strings.Compare(extension(a.name), extension(b.name))
		case l.opts.Has("v") || by == "version":
			d = notation.CompareVersions(a.name, b.name)
		}
		if d == 0 {
			d = strings.Compare(a.name, b.name)
		}
		if l.opts.Has("r") {
			d = -d
		}
		return d
	})
	if l.opts.Has("group-directories-first") {
		slices.SortStableFunc(all, func(a, b listed) int {
			return map[bool]int{true: 0, false: 1}[a.info.IsDir()] - map[bool]int{true: 0, false: 1}[b.info.IsDir()]
		})
	}
}

func extension(name string) string {
	if at := strings.LastIndexByte(name, '.'); at > 0 {
		return name[at:]
	}
	return ""
}

func (l *lister) print(all []listed) {
	if l.opts.Has("m") && !l.long {
		for i, one := range all {
			if i > 0 {
				l.c.Out.WriteString(", ")
			}
			l.c.Out.WriteString(l.label(one))
		}
		if len(all) > 0 {
			l.c.Out.WriteByte('\n')
		}
		return
	}
	if across := l.opts.Last("C", "x", "1", "format"); !l.long && across != "" && across != "1" {
		format, _ := l.opts.Value("format")
		byRow := across == "x" || strings.HasPrefix("across", format) && across == "format"
		if across != "format" || byRow || strings.HasPrefix("vertical", format) {
			l.sideBySide(all, byRow)
			return
		}
	}
	rows := make([][]string, len(all))
	widths := [8]int{}
	for i, one := range all {
		rows[i] = l.row(one)
		for column, cell := range rows[i] {
			widths[column] = max(widths[column], len(cell))
		}
	}
	for i, one := range all {
		for column, cell := range rows[i] {
			if column == 0 && l.long && !l.opts.Has("i", "s") || column == 2 && l.long || column == 3 && l.long {
				l.c.Out.Printf("%-*s ", widths[column], cell)
			} else {
				l.c.Out.Printf("%*s ", widths[column], cell)
			}
		}
		l.c.Out.Line(l.label(one))
	}
}

// row is what stands before the name.
func (l *lister) row(one listed) []string {
	var cells []string
	if l.opts.Has("i") {
		number := fileinfo.Inode(one.info)
		if info, err := os.Lstat(one.real); number == 0 && err == nil {
			number = fileinfo.Inode(info)
		}
		cells = append(cells, strconv.FormatUint(number, 10))
	}
	if l.opts.Has("s") {
		cells = append(cells, strconv.FormatInt(blocksOf(one.info), 10))
	}
	if !l.long {
		return cells
	}
	owner, group := "user", "user"
	if l.opts.Has("n") {
		owner, group = "1000", "1000"
	}
	cells = append(cells, fileinfo.ModeText(one.info.Mode(), one.mode), strconv.FormatUint(uint64(one.links), 10))
	if !l.opts.Has("g") {
		cells = append(cells, owner)
	}
	if !l.opts.Has("o", "G") {
		cells = append(cells, group)
	}
	size := strconv.FormatInt(one.info.Size(), 10)
	switch {
	case l.block > 0:
		size = strconv.FormatInt((one.info.Size()+l.block-1)/l.block, 10) + l.unit
	case l.si:
		size = humanSize(one.info.Size(), 1000)
	case l.human:
		size = humanSize(one.info.Size(), 1024)
	}
	return append(cells, size, l.when(one.info.ModTime()))
}

func (l *lister) when(t time.Time) string {
	style, _ := l.opts.Value("time-style")
	switch {
	case style == "full-iso" || l.opts.Has("full-time"):
		return t.Format("2006-01-02 15:04:05.000000000 -0700")
	case style == "long-iso":
		return t.Format("2006-01-02 15:04")
	case style == "iso":
		return t.Format("01-02 15:04")
	case strings.HasPrefix(style, "+"):
		return calendar.Format(style[1:], t)
	}
	// The file system's clock and that of this call, which began at its own time, need not agree to the second.
	if age := time.Since(t); age < -5*time.Minute || age > 182*24*time.Hour {
		return t.Format("Jan _2  2006")
	}
	return t.Format("Jan _2 15:04")
}

// label is the name with what -F, -Q and -l add.
func (l *lister) label(one listed) string {
	name := l.shown(one.name)
	style, _ := l.opts.Value("indicator-style")
	switch {
	case one.info.IsDir() && (l.opts.Has("p", "F", "file-type") || style == "slash" || style == "classify"):
		name += "/"
	case l.opts.Has("F") && one.info.Mode().IsRegular() && one.mode&0o111 != 0:
		name += "*"
	case l.opts.Has("F") && one.info.Mode()&fs.ModeSymlink != 0 && !l.long:
		name += "@"
	}
	if l.long && one.info.Mode()&fs.ModeSymlink != 0 {
		if target, err := os.Readlink(one.real); err == nil {
			name += " -> " + l.shown(target)
			if info, err := os.Stat(one.real); err == nil && info.IsDir() && l.opts.Has("F") {
				name += "/"
			}
		}
	}
	return name
}
