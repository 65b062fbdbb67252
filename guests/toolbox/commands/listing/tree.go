package listing

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
	"capbox/toolbox/commands/pattern"
)

// treeRun is one run of tree.
type treeRun struct {
	c           *kit.Call
	opts        *kit.Options
	maxDepth    int
	hide, show  []string // -I and -P
	dirs, files int
}

// treeNode is one entry that is shown, with what is below it.
type treeNode struct {
	name   string // as shown
	real   string
	info   fs.FileInfo
	below  []treeNode
	failed bool
}

// Tree is the command tree.
func Tree(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "adfFL:I:P:shnCiDpugNQqrtUvJXo:S", Usage: "[OPTION]... [DIRECTORY]...",
		Long: "noreport dirsfirst filesfirst prune gitignore charset: timefmt: filelimit: du sort: ignore-case matchdirs si",
	})
	if done {
		return status
	}
	if status, done := c.Refuse(opts, "J", "X", "C", "o", "S", "D", "u", "g", "gitignore", "charset", "timefmt", "filelimit", "du", "sort",
		"filesfirst", "ignore-case", "matchdirs", "si", "Q"); done {
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
	for _, one := range opts.List {
		switch one.Key {
		case "I":
			r.hide = append(r.hide, strings.Split(one.Value, "|")...)
		case "P":
			r.show = append(r.show, strings.Split(one.Value, "|")...)
		}
	}
	names := opts.Operands
	if len(names) == 0 {
		names = []string{"."}
	}
	for _, name := range names {
		status = max(status, r.root(name))
	}
	if !opts.Has("noreport") {
		c.Out.Line("\n" + r.report())
	}
	return status
}

func (r *treeRun) report() string {
	count := func(n int, one, many string) string {
		if n == 1 {
			return "1 " + one
		}
		return strconv.Itoa(n) + " " + many
	}
	text := count(r.dirs, "directory", "directories")
	if !r.opts.Has("d") {
		text += ", " + count(r.files, "file", "files")
	}
	return text
}

func (r *treeRun) root(name string) int {
	info, err := r.c.Stat(name)
	if err != nil || !info.IsDir() {
		r.c.Out.Line(name + "  [error opening dir]")
		if err == nil {
			r.files++
		}
		return 2
	}
	r.dirs++
	node := treeNode{name: name, real: r.c.Path(name), info: info}
	node.below = r.entries(&node, 1)
	r.c.Out.Line(r.details(node) + r.label(node))
	r.children(node, "")
	return 0
}

// entries reads what is shown below a directory, as deep as asked for.
func (r *treeRun) entries(dir *treeNode, depth int) []treeNode {
	if depth > r.maxDepth {
		return nil
	}
	entries, err := os.ReadDir(dir.real)
	dir.failed = err != nil
	var kept []treeNode
	for _, entry := range entries {
		if !r.wants(entry) {
			continue
		}
		node := treeNode{name: entry.Name(), real: filepath.Join(dir.real, entry.Name()), info: fileinfo.Lazy{DirEntry: entry}}
		if r.opts.Has("f") {
			node.name = kit.JoinName(dir.name, node.name)
		}
		if entry.IsDir() {
			node.below = r.entries(&node, depth+1)
			if r.opts.Has("prune") && len(node.below) == 0 {
				continue
			}
		}
		kept = append(kept, node)
	}
	r.sort(kept)
	return kept
}

func (r *treeRun) wants(entry fs.DirEntry) bool {
	name := entry.Name()
	if strings.HasPrefix(name, ".") && !r.opts.Has("a") || r.opts.Has("d") && !entry.IsDir() || pattern.MatchAnyGlob(r.hide, name) {
		return false
	}
	return len(r.show) == 0 || entry.IsDir() || pattern.MatchAnyGlob(r.show, name)
}

func (r *treeRun) sort(nodes []treeNode) {
	if r.opts.Has("U") {
		return
	}
	slices.SortStableFunc(nodes, func(a, b treeNode) int {
		order := strings.Compare(a.name, b.name)
		switch {
		case r.opts.Has("t"):
			if d := a.info.ModTime().Compare(b.info.ModTime()); d != 0 {
				order = d
			}
		case r.opts.Has("v"):
			order = notation.CompareVersions(a.name, b.name)
		}
		if r.opts.Has("r") {
			order = -order
		}
		return order
	})
	if r.opts.Has("dirsfirst") {
		slices.SortStableFunc(nodes, func(a, b treeNode) int {
			return map[bool]int{true: 0, false: 1}[a.info.IsDir()] - map[bool]int{true: 0, false: 1}[b.info.IsDir()]
		})
	}
}

func (r *treeRun) children(dir treeNode, indent string) {
	for i, node := range dir.below {
		branch, next := "├── ", indent+"│\u00a0\u00a0 "
		if i == len(dir.below)-1 {
			branch, next = "└── ", indent+"    "
		}
		if r.opts.Has("i") {
			branch, next = "", ""
		}
		r.c.Out.Line(indent + branch + r.details(node) + r.label(node))
		if !node.info.IsDir() {
			r.files++
			continue
		}
		r.dirs++
		r.children(node, next)
	}
}

// details stand in brackets before the name: permissions and size.
func (r *treeRun) details(node treeNode) string {
	var parts []string
	if r.opts.Has("p") {
		mode := uint32(0o777)
		if node.info.Mode()&fs.ModeSymlink == 0 {
			mode, _, _ = fileinfo.Mode(node.real)
		}
		parts = append(parts, fileinfo.ModeText(node.info.Mode(), mode))
	}
	size := node.info.Size()
	if node.info.IsDir() {
		size = 4096
	}
	if r.opts.Has("h") {
		text := humanSize(size, 1024)
		parts = append(parts, strings.Repeat(" ", max(0, 4-len(text)))+text)
	} else if r.opts.Has("s") {
		text := strconv.FormatInt(size, 10)
		parts = append(parts, strings.Repeat(" ", max(0, 11-len(text)))+text)
	}
	if len(parts) == 0 {
		return ""
	}
	return "[" + strings.Join(parts, " ") + "]  "
}

func (r *treeRun) label(node treeNode) string {
	label := node.name
	mark := ""
	if r.opts.Has("F") {
		switch {
		case node.info.IsDir() && !strings.HasSuffix(label, "/"):
			mark = "/"
		case !node.info.IsDir() && fileinfo.Executable(node.real):
			mark = "*"
		}
	}
	if node.info.Mode()&fs.ModeSymlink != 0 {
		if target, err := os.Readlink(node.real); err == nil {
			label += " -> " + target
		}
	}
	if label += mark; node.failed {
		label += "  [error opening dir]"
	}
	return label
}
