package files

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"capbox/toolbox/abi"
	"capbox/toolbox/files/search"
)

const (
	grepLimitUsual = 250
	grepContextMax = 100
)

type grepArguments struct {
	Pattern    string `json:"pattern"`
	Path       string `json:"path"`
	Glob       string `json:"glob"`
	Type       string `json:"type"`
	Mode       string `json:"mode"`
	Context    int    `json:"context"`
	Before     *int   `json:"before"`
	After      *int   `json:"after"`
	IgnoreCase bool   `json:"ignore_case"`
	Multiline  bool   `json:"multiline"`
	Limit      int    `json:"limit"`
	Offset     int    `json:"offset"`
	Ignored    bool   `json:"ignored"`
}

// Grep finds lines that match an RE2 expression in a file or below a directory, in the order of paths.
func Grep(req *abi.Request) abi.Result {
	var args grepArguments
	if bad, ok := abi.Arguments(req, &args); !ok {
		return bad
	}
	g, bad, ok := newGrepping(req, args)
	if !ok {
		return bad
	}
	root, bad, ok := searchRoot(req, args.Path)
	if !ok {
		return bad
	}
	info, err := os.Stat(root.path)
	switch {
	case err != nil:
		return failed(root, "read", err)
	case info.IsDir():
		err = g.walk.run(root.path)
	case isRegular(info):
		err = g.search(root.path)
	default:
		return abi.Fail("not_a_file", "%s is a device, pipe or socket: only regular files are searched.", root.shown)
	}
	if err != nil {
		return failed(root, "read", err)
	}
	return g.answer(args)
}

// newGrepping checks the arguments; its third result is false when the second is a failure.
func newGrepping(req *abi.Request, args grepArguments) (*grepping, abi.Result, bool) {
	bad := func(code, format string, values ...any) (*grepping, abi.Result, bool) {
		return nil, abi.Fail(code, format, values...), false
	}
	if args.Pattern == "" {
		return bad("invalid_arguments", "pattern is empty and would match every line: use read or glob.")
	}
	before, after := args.Context, args.Context
	if args.Before != nil {
		before = *args.Before
	}
	if args.After != nil {
		after = *args.After
	}
	if min(before, after) < 0 || max(before, after) > grepContextMax || args.Limit < 0 || args.Offset < 0 {
		return bad("invalid_arguments", "context, before and after are 0 to %d lines, limit is at least 1 and offset at least 0.", grepContextMax)
	}
	expression, err := search.Compile(args.Pattern, search.Options{IgnoreCase: args.IgnoreCase, Multiline: args.Multiline})
	if err != nil {
		return bad("invalid_pattern", "%s", err)
	}
	g := &grepping{expression: expression, mode: args.Mode, before: before, after: after, limit: args.Limit, offset: args.Offset, page: newPage(req)}
	g.until = deadline(req)
	switch g.mode {
	case "":
		g.mode = "content"
	case "content":
	case "files", "count":
		g.before, g.after = 0, 0
	default:
		return bad("invalid_arguments", "mode is content, files or count, not %q.", args.Mode)
	}
	if g.limit == 0 {
		g.limit = grepLimitUsual
	}
	if args.Type != "" {
		var known bool
		if g.names, known = namesOf(args.Type); !known {
			return bad("invalid_arguments", "no type is named %q; there are: %s. Or use glob, for example \"*.ext\".", args.Type, knownTypes())
		}
	}
	if g.filter, err = newFilter(args.Glob); err != nil {
		return bad("invalid_pattern", "glob %s: %s.", args.Glob, err)
	}
	g.searcher = search.NewSearcher(expression, g.before, g.after)
	g.walk = &walk{cwd: req.Cwd, all: args.Ignored, enter: g.enter, file: g.file}
	return g, abi.Result{}, true
}

func (g *grepping) enter(_, name string, depth int) bool { return g.filter.descend(name, depth) }

func (g *grepping) file(directory, name string, depth int, kind fs.FileMode) bool {
	if !kind.IsRegular() || g.names != nil && !hasType(name, g.names) || !g.filter.takes(name, depth) {
		return true
	}
	if g.exhausted() {
		return false
	}
	full := under(directory, name)
	if err := g.search(full); err != nil && !isAbsent(err) {
		g.walk.note(full, err)
	}
	return !g.stopped
}

// isAbsent is true for what vanished since it was listed.
func isAbsent(err error) bool { return os.IsNotExist(err) }

// descriptor reads a file without os.File: that costs two more host calls and three allocations a file. A read that
// does not fill its buffer is not taken for the last one: files of /proc and of some FUSE systems read that way.
type descriptor int

func (d descriptor) Read(into []byte) (int, error) {
	for {
		n, err := syscall.Read(int(d), into)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return 0, err
		case n == 0 && len(into) > 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

func (g *grepping) search(full string) error {
	fd, err := syscall.Open(full, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	g.searched++
	g.path, g.shown, g.inFile = full, "", 0
	err = g.searcher.Search(descriptor(fd), g.take)
	if g.inFile > 0 {
		g.endFile()
	}
	if err == search.ErrBinary || g.binary {
		g.binary = false
		g.binaries++
		return nil
	}
	return err
}

func (g *grepping) answer(args grepArguments) abi.Result {
	data := &grepData{
		Mode: g.mode, Matches: g.matches, Files: g.matched, Searched: g.searched, More: g.more || g.page.full || g.bound != "", Paths: g.paths, Counts: g.counts,
		Unreadable: g.walk.unreadable(g.page),
	}
	if g.matched == 0 {
		g.page.note(fmt.Sprintf("[no matches in %s%s]", counted(g.searched, "file", "files"), g.advice(args)))
	}
	switch {
	case g.page.full:
		g.page.note("[the output is full; more matches exist: " + g.onward() + ", or use mode files or count]")
	case g.more:
		g.page.note(fmt.Sprintf("[limit of %s reached; more exist: %s]", abi.Grouped(g.limit), g.onward()))
	case g.mode == "count" && g.matched > 1:
		g.page.note(fmt.Sprintf("[%s in %s]", counted(g.matches, "match", "matches"), counted(g.matched, "file", "files")))
	}
	if g.bound != "" {
		g.page.note("[the search ended early: " + g.bound + "; narrow with path, glob or type]")
	}
	g.walk.remarks(g.page, g.matched > 0)
	res := abi.OK(g.page.String(), data)
	res.Truncated = g.page.full
	return res
}

func (g *grepping) advice(args grepArguments) string {
	var hints []string
	if g.binaries > 0 {
		hints = append(hints, counted(g.binaries, "binary file", "binary files")+" skipped")
	}
	if g.searched == 0 && args.Glob != "" {
		hints = append(hints, "glob "+args.Glob+" is relative to "+path.Join(".", args.Path))
	}
	if g.passed > 0 {
		hints = append(hints, "offset passed over "+abi.Grouped(g.passed))
	}
	if len(hints) == 0 {
		return ""
	}
	return "; " + strings.Join(hints, "; ")
}
