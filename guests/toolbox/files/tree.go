package files

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"capbox/toolbox/abi"
	"capbox/toolbox/files/gitignore"
)

const (
	treeDepthUsual = 3
	treeLimitUsual = 200
	// treeEntriesMax bounds the work of counting what is not shown.
	treeEntriesMax = 200_000
	treeDepthMax   = 100
)

type treeArguments struct {
	Path    string `json:"path"`
	Depth   int    `json:"depth"`
	Limit   int    `json:"limit"`
	Offset  int    `json:"offset"`
	Hidden  bool   `json:"hidden"`
	Ignored bool   `json:"ignored"`
}

type treeData struct {
	Path        string   `json:"path"`
	Directories int      `json:"directories"`
	Files       int      `json:"files"`
	Hidden      int      `json:"hidden,omitempty"`  // names that begin with a dot and were left out
	Ignored     int      `json:"ignored,omitempty"` // entries that .gitignore hides
	Shown       int      `json:"shown"`
	Total       int      `json:"total"`
	More        bool     `json:"more,omitempty"` // the tree is too large to count
	Unreadable  []string `json:"unreadable,omitempty"`
}

// Tree lists a directory and what lies below it, one entry a line, directories first.
func Tree(req *abi.Request) abi.Result {
	var args treeArguments
	if bad, ok := abi.Arguments(req, &args); !ok {
		return bad
	}
	if args.Depth < 0 || args.Depth > treeDepthMax || args.Limit < 0 || args.Offset < 0 {
		return abi.Fail("invalid_arguments", "depth is 1 to %d, limit at least 1 and offset at least 0.", treeDepthMax)
	}
	root, bad, ok := searchRoot(req, args.Path)
	if !ok {
		return bad
	}
	if info, err := os.Stat(root.path); err == nil && !info.IsDir() {
		return abi.Fail("not_a_directory", "%s is a file: show it with read.", root.shown)
	}
	if args.Depth == 0 {
		args.Depth = treeDepthUsual
	}
	if args.Limit == 0 {
		args.Limit = treeLimitUsual
	}
	entries, err := list(root.path)
	if err != nil {
		return failed(root, "read", err)
	}
	w := &walk{cwd: req.Cwd, all: args.Ignored}
	g := &growing{args: args, walk: w, page: newPage(req), data: &treeData{Path: root.shown}}
	var level *gitignore.Level
	if !w.all {
		level = w.above(root.path)
	}
	g.branch(root.path, entries, 0, level)
	return g.answer()
}

// growing is a tree under way.
type growing struct {
	args treeArguments
	walk *walk
	page *page
	data *treeData
	seen int
}

// branch shows a directory's entries, its directories with what they hold. It ends where the tree is too large.
func (g *growing) branch(directory string, entries []entry, depth int, level *gitignore.Level) bool {
	kept, level := g.kept(directory, entries, level)
	for i := range kept {
		entry := &kept[i]
		if g.seen++; g.seen > treeEntriesMax {
			g.data.More = true
			return false
		}
		full := path.Join(directory, entry.Name())
		if !entry.IsDir() {
			g.data.Files++
			g.file(full, entry, depth)
			continue
		}
		g.data.Directories++
		inner, err := list(full)
		if err != nil {
			g.walk.note(full, err)
		}
		if depth+1 < g.args.Depth && entry.Name() != ".git" {
			g.show(depth, entry.Name()+"/", "")
			if !g.branch(full, inner, depth+1, level) {
				return false
			}
			continue
		}
		held := ""
		if inside, _ := g.kept(full, inner, level); len(inside) > 0 {
			held = "  (" + counted(len(inside), "entry", "entries") + ")"
		}
		g.show(depth, entry.Name()+"/", held)
	}
	return true
}

// kept are the entries to show, directories first; the others are counted.
func (g *growing) kept(directory string, entries []entry, level *gitignore.Level) ([]entry, *gitignore.Level) {
	if !g.walk.all {
		level = below(level, directory, entries)
	}
	var folders, files []entry
	for _, one := range entries {
		name := one.name
		switch {
		case strings.HasPrefix(name, ".") && !g.args.Hidden:
			g.data.Hidden++
		case level.Ignored(under(directory, name), name, one.IsDir()):
			g.data.Ignored++
		case one.IsDir():
			folders = append(folders, one)
		default:
			files = append(files, one)
		}
	}
	return slices.Concat(folders, files), level
}

func (g *growing) file(full string, entry *entry, depth int) {
	if !g.isWanted() {
		g.data.Total++
		return
	}
	text := ""
	switch info, err := os.Lstat(full); {
	case err != nil:
		text = "  (" + abi.Reason(err) + ")"
	case info.Mode()&fs.ModeSymlink != 0:
		link, _ := os.Readlink(full)
		text = " -> " + link
	case info.Mode().IsRegular():
		text = "  " + sized(info.Size())
	default:
		text = "  (a device, pipe or socket)"
	}
	g.show(depth, entry.Name(), text)
}

// isWanted says whether the next line is on the page that was asked for.
func (g *growing) isWanted() bool {
	return g.data.Total >= g.args.Offset && g.data.Shown < g.args.Limit && !g.page.full
}

func (g *growing) show(depth int, name, rest string) {
	if g.isWanted() && g.page.line(strings.Repeat("  ", depth), []byte(visible(name)+visible(rest))) {
		g.data.Shown++
	}
	g.data.Total++
}

func (g *growing) answer() abi.Result {
	d := g.data
	d.Unreadable = g.walk.unreadable(g.page)
	if d.Total == 0 {
		g.page.note("[" + d.Path + " holds nothing to show]")
	}
	if d.Shown == 0 && d.Total > 0 {
		g.page.note(fmt.Sprintf("[offset %d is past the end: there are %s]", g.args.Offset, counted(d.Total, "line", "lines")))
	}
	rest := d.Total - g.args.Offset - d.Shown
	res := abi.Result{OK: true, Data: d, Truncated: g.page.full}
	text := counted(d.Directories, "directory", "directories") + ", " + counted(d.Files, "file", "files")
	if d.Hidden > 0 {
		text += "; " + abi.Grouped(d.Hidden) + " hidden (\"hidden\": true shows them)"
	}
	if d.Ignored > 0 {
		text += "; " + abi.Grouped(d.Ignored) + " ignored by git (\"ignored\": true shows them)"
	}
	g.page.note("[" + text + "]")
	g.walk.remarks(g.page, true)
	if d.More {
		g.page.note("[the tree has more than " + abi.Grouped(treeEntriesMax) + " entries; the rest was not looked at: narrow path or depth]")
	}
	if rest > 0 && d.Shown > 0 {
		g.page.note(fmt.Sprintf("[%s more; continue with offset %d]", counted(rest, "line", "lines"), g.args.Offset+d.Shown))
	}
	res.Content = g.page.String()
	return res
}

// sized is a size to three digits, in powers of 1,000.
func sized(bytes int64) string {
	if bytes < 1000 {
		return strconv.FormatInt(bytes, 10) + " B"
	}
	value, unit := float64(bytes), 0
	for value >= 999.5 {
		value /= 1000
		unit++
	}
	digits := 0
	if value < 9.95 {
		digits = 1
	}
	return strconv.FormatFloat(value, 'f', digits, 64) + " " + []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}[unit]
}

// visible writes control characters of a name as escapes: a newline in a name must not look like another entry.
func visible(name string) string {
	if strings.IndexFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f }) < 0 {
		return name
	}
	quoted := strconv.Quote(name)
	return quoted[1 : len(quoted)-1]
}
