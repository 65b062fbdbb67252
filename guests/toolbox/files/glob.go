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

const globShown = 250

type globArguments struct {
	Pattern string `json:"pattern"`
	Path    string `json:"path"`
	Ignored bool   `json:"ignored"`
}

type globData struct {
	Paths      []string `json:"paths"`
	Total      int      `json:"total"`
	Hidden     int      `json:"hidden,omitempty"` // entries that .gitignore hides
	Unreadable []string `json:"unreadable,omitempty"`
}

type hit struct {
	path     string
	modified int64 // nanoseconds
}

// Glob lists the files whose paths match a pattern, newest first.
func Glob(req *abi.Request) abi.Result {
	var args globArguments
	if bad, ok := abi.Arguments(req, &args); !ok {
		return bad
	}
	if args.Pattern == "" {
		return abi.Fail("invalid_arguments", "pattern is empty: \"**/*\" is every file.")
	}
	root, bad, ok := searchRoot(req, args.Path)
	if !ok {
		return bad
	}
	base, rest := wild.SplitBase(args.Pattern)
	if path.IsAbs(base) {
		root.path = base
	} else {
		root.path = path.Join(root.path, base)
	}
	g := &globbing{}
	var err error
	if g.trail, err = newTrail(rest); err != nil {
		return abi.Fail("invalid_pattern", "%s: %s. Escape a character that is meant literally with \\.", args.Pattern, err)
	}
	g.walk = &walk{cwd: req.Cwd, all: args.Ignored, git: g.trail.pattern.Names(".git"), enter: g.enter, file: g.file}
	if err := g.walk.run(root.path); err != nil && !isAbsent(err) {
		return failed(place{path: root.path, shown: shorten(req.Cwd, root.path)}, "read", err)
	}
	return g.answer(req, args)
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
	trail       *trail
	walk        *walk
	hits        []hit
	directories int // that match a pattern for files
}

func (g *globbing) enter(full, name string, depth int) bool {
	below := g.trail.descend(name, depth)
	if below && g.trail.pattern.Matched(g.trail.states[depth+1]) {
		if g.trail.pattern.Directories {
			g.add(full)
		} else {
			g.directories++
		}
	}
	return below
}

func (g *globbing) file(full, name string, depth int, kind fs.FileMode) bool {
	if !g.trail.pattern.Directories && (kind.IsRegular() || kind&fs.ModeSymlink != 0) && g.trail.matches(name, depth) {
		g.add(full)
	}
	return true
}

func (g *globbing) add(full string) {
	info, err := os.Lstat(full)
	switch {
	case err == nil:
		g.hits = append(g.hits, hit{full, info.ModTime().UnixNano()})
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
	for _, one := range g.hits[:min(len(g.hits), globShown)] {
		shown := shorten(req.Cwd, one.path)
		if g.trail.pattern.Directories {
			shown += "/"
		}
		if !out.take(8+abi.EscapedSize([]byte(shown))) || !out.line("", []byte(shown)) {
			break
		}
		data.Paths = append(data.Paths, shown)
	}
	if rest := data.Total - len(data.Paths); rest > 0 {
		out.note(fmt.Sprintf("[%s shown, newest first; %s more: narrow the pattern or the path]",
			abi.Grouped(len(data.Paths)), abi.Grouped(rest)))
	}
	if data.Total == 0 {
		out.line("", []byte("[no files match "+args.Pattern+g.advice(args.Pattern)+"]"))
	}
	g.walk.remarks(out, data.Total > 0)
	res := abi.OK(out.String(), data)
	res.Truncated = data.Total > len(data.Paths)
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
