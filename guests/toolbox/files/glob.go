package files

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"capbox/toolbox/abi"
	"capbox/toolbox/files/wild"
)

const globLimitUsual = 250

type globArguments struct {
	Pattern    string `json:"pattern"`
	Path       string `json:"path"`
	Type       string `json:"type"`
	Sort       string `json:"sort"`
	IgnoreCase bool   `json:"ignore_case"`
	Hidden     *bool  `json:"hidden"`
	Ignored    bool   `json:"ignored"`
	Limit      int    `json:"limit"`
	Offset     int    `json:"offset"`
}

type globData struct {
	Paths      []string `json:"paths"`
	Total      int      `json:"total"`
	Hidden     int      `json:"hidden,omitempty"` // entries that .gitignore hides
	Unreadable []string `json:"unreadable,omitempty"`
}

type hit struct {
	path      string
	directory bool
	modified  int64 // nanoseconds
}

// Glob lists the files whose paths match a pattern, newest first.
func Glob(req *abi.Request) abi.Result {
	var args globArguments
	if bad, ok := abi.Arguments(req, &args); !ok {
		return bad
	}
	g, bad, ok := newGlobbing(args)
	if !ok {
		return bad
	}
	root, bad, ok := searchRoot(req, args.Path)
	if !ok {
		return bad
	}
	base, rest := wild.SplitBase(args.Pattern)
	switch {
	case path.IsAbs(base):
		root.path = base
	case args.IgnoreCase && !strings.HasPrefix(base, ".."):
		rest = args.Pattern // whose directories may be written otherwise
	default:
		root.path = path.Join(root.path, base)
	}
	var err error
	if g.trail, err = newTrail(rest, args.IgnoreCase); err != nil {
		return abi.Fail("invalid_pattern", "%s: %s. Escape a character that is meant literally with \\.", args.Pattern, err)
	}
	if g.trail.pattern.Directories {
		g.files, g.folders = false, true
	}
	hidden := args.Hidden == nil || *args.Hidden
	g.walk = &walk{cwd: req.Cwd, all: args.Ignored, plain: !hidden, git: g.trail.pattern.Names(".git"), enter: g.enter, file: g.file}
	if err := g.walk.run(root.path); err != nil && !isAbsent(err) {
		return failed(place{path: root.path, shown: shorten(req.Cwd, root.path)}, "read", err)
	}
	return g.answer(req, args)
}

// newGlobbing checks the arguments; its third result is false when the second is a failure.
func newGlobbing(args globArguments) (*globbing, abi.Result, bool) {
	bad := func(format string, values ...any) (*globbing, abi.Result, bool) {
		return nil, abi.Fail("invalid_arguments", format, values...), false
	}
	g := &globbing{timed: true, files: true}
	switch args.Type {
	case "", "file":
	case "directory":
		g.files, g.folders = false, true
	case "any":
		g.folders = true
	default:
		return bad("type is file, directory or any, not %q.", args.Type)
	}
	switch args.Sort {
	case "", "time":
	case "name":
		g.timed = false
	default:
		return bad("sort is time or name, not %q.", args.Sort)
	}
	switch {
	case args.Pattern == "":
		return bad("pattern is empty: \"**/*\" is every file.")
	case args.Limit < 0 || args.Offset < 0:
		return bad("limit is at least 1 and offset at least 0.")
	}
	return g, abi.Result{}, true
}

// searchRoot is the directory (or file) a search begins in.
func searchRoot(req *abi.Request, text string) (place, abi.Result, bool) {
	if text == "" {
		text = "."
	}
	root, bad, ok := locate(req, text)
	if !ok {
		return root, bad, false
	}
	if _, err := os.Stat(root.path); err != nil {
		return root, failed(root, "read", err), false
	}
	return root, bad, true
}

type globbing struct {
	trail          *trail
	walk           *walk
	files, folders bool // which are wanted
	timed          bool // sorted by time, which costs a look at each hit
	hits           []hit
	directories    int // that match a pattern for files
}

func (g *globbing) enter(full, name string, depth int) bool {
	below := g.trail.descend(name, depth)
	if below && g.trail.pattern.Matched(g.trail.states[depth+1]) {
		if g.folders {
			g.add(full, true)
		} else {
			g.directories++
		}
	}
	return below
}

func (g *globbing) file(directory, name string, depth int, kind fs.FileMode) bool {
	if g.files && (kind.IsRegular() || kind&fs.ModeSymlink != 0) && g.trail.matches(name, depth) {
		g.add(under(directory, name), false)
	}
	return true
}

func (g *globbing) add(full string, directory bool) {
	if !g.timed {
		g.hits = append(g.hits, hit{path: full, directory: directory})
		return
	}
	info, err := os.Lstat(full)
	switch {
	case err == nil:
		g.hits = append(g.hits, hit{full, directory, info.ModTime().UnixNano()})
	case !isAbsent(err):
		g.walk.note(full, err)
	}
}

func (g *globbing) answer(req *abi.Request, args globArguments) abi.Result {
	slices.SortFunc(g.hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.modified, a.modified), strings.Compare(a.path, b.path))
	})
	data := &globData{Paths: []string{}, Total: len(g.hits), Hidden: g.walk.hidden}
	out := newPage(req)
	data.Unreadable = g.walk.unreadable(out)
	limit := cmp.Or(args.Limit, globLimitUsual)
	wanted := g.hits[min(args.Offset, len(g.hits)):]
	for _, one := range wanted[:min(len(wanted), limit)] {
		shown := shorten(req.Cwd, one.path)
		if one.directory {
			shown += "/"
		}
		if !out.take(8+abi.EscapedSize([]byte(shown))) || !out.line("", []byte(visible(shown))) {
			break
		}
		data.Paths = append(data.Paths, shown)
	}
	rest := len(wanted) - len(data.Paths)
	switch {
	case data.Total == 0:
		out.line("", []byte("[no files match "+args.Pattern+g.advice(args.Pattern)+"]"))
	case len(wanted) == 0:
		out.note(fmt.Sprintf("[offset %d is past the end: there are %s]", args.Offset, counted(data.Total, "path", "paths")))
	case rest > 0:
		order := "newest first"
		if !g.timed {
			order = "by name"
		}
		out.note(fmt.Sprintf("[%s shown, %s; %s more: continue with offset %d, or narrow the pattern or the path]",
			abi.Grouped(len(data.Paths)), order, abi.Grouped(rest), args.Offset+len(data.Paths)))
	}
	g.walk.remarks(out, data.Total > 0)
	res := abi.OK(out.String(), data)
	res.Truncated = out.full
	return res
}

// advice is what to try when nothing matched.
func (g *globbing) advice(pattern string) string {
	switch {
	case g.directories > 0:
		return "; " + counted(g.directories, "directory does", "directories do") + ": end the pattern with / to list them, with /** for what is in them"
	case !strings.Contains(pattern, "/"):
		return " here; **/" + pattern + " searches below"
	}
	return ""
}
