package search

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// found is one file that find looks at.
type found struct {
	path  string // as printed
	real  string // absolute
	depth int
	info  fs.FileInfo
	root  string
}

// finder is one run of find.
type finder struct {
	c                  *kit.Call
	follow             bool // -L
	followRoots        bool // -H
	minDepth, maxDepth int
	depthFirst         bool
	test               test
	acts               bool // an action other than the implied -print was given
	prune, quit        bool
	status             int
	batches            []*batch
	files              map[string]*kit.Output // of -fprint and its like
	closers            map[string]io.Closer
}

// test is one primary or operator; it may act.
type test func(f *found) bool

// Find is the command find.
func Find(c *kit.Call) int {
	s := &finder{c: c, maxDepth: 1 << 30}
	args := c.Args
	for len(args) > 0 && (args[0] == "-L" || args[0] == "-P" || args[0] == "-H") {
		s.follow, s.followRoots = args[0] == "-L", args[0] == "-H"
		args = args[1:]
	}
	if len(args) == 1 && args[0] == "--help" {
		c.Out.Line("Usage: find [-H] [-L] [-P] [path...] [expression]")
		return 0
	}
	var roots []string
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") && args[0] != "(" && args[0] != "!" && args[0] != ")" {
		roots = append(roots, args[0])
		args = args[1:]
	}
	if len(roots) == 0 {
		roots = []string{"."}
	}
	p := &findParser{finder: s, args: args}
	if problem := p.parse(); problem != "" {
		return c.Fail("%s", problem)
	}
	for _, root := range roots {
		if s.quit {
			break
		}
		s.root(root)
	}
	for _, one := range s.batches {
		one.flush()
	}
	for name, out := range s.files {
		out.Flush()
		if err := s.closers[name].Close(); err != nil {
			s.status = c.FailPath(name, err)
		}
	}
	return s.status
}

func (s *finder) root(root string) {
	real := s.c.Path(root)
	info, err := os.Lstat(real)
	if err == nil && (s.follow || s.followRoots) && info.Mode()&fs.ModeSymlink != 0 {
		if target, err := os.Stat(real); err == nil {
			info = target
		}
	}
	if err != nil {
		s.complain(root, err)
		return
	}
	s.visit(&found{path: root, real: real, info: info, root: root})
}

func (s *finder) complain(path string, err error) {
	s.status = 1
	s.c.Fail("'%s': %s", path, kit.Reason(err))
}

func (s *finder) visit(f *found) {
	s.prune = false
	isDir := f.info.IsDir()
	if !s.depthFirst && f.depth >= s.minDepth {
		s.test(f)
	}
	if isDir && !s.prune && f.depth < s.maxDepth && !s.quit {
		s.children(f)
	}
	if s.depthFirst && f.depth >= s.minDepth && !s.quit {
		s.test(f)
	}
}

func (s *finder) children(f *found) {
	entries, err := os.ReadDir(f.real)
	if err != nil {
		s.complain(f.path, err)
	}
	for _, entry := range entries {
		if s.quit {
			return
		}
		child := &found{
			path: kit.JoinName(f.path, entry.Name()), real: filepath.Join(f.real, entry.Name()), depth: f.depth + 1,
			root: f.root, info: fileinfo.Lazy{DirEntry: entry},
		}
		if s.follow && entry.Type()&fs.ModeSymlink != 0 {
			if info, err := os.Stat(child.real); err == nil {
				child.info = info
				if info.IsDir() && s.loops(child.real, f.real) {
					continue
				}
			}
		}
		s.visit(child)
	}
}

// loops says whether a followed link leads to a directory above itself.
func (s *finder) loops(link, parent string) bool {
	target, err := filepath.EvalSymlinks(link)
	return err != nil || target == parent || strings.HasPrefix(parent+"/", target+"/")
}

// findParser reads an expression: `or` of `and` of terms.
type findParser struct {
	*finder
	args            []string
	problem         string
	extended, basic bool // what -regextype said last
}

func (p *findParser) parse() string {
	everything := func(*found) bool { return true }
	p.test = everything
	if len(p.args) > 0 {
		p.test = p.or()
	}
	if p.problem == "" && len(p.args) > 0 {
		p.problem = "paths must precede expression: '" + p.args[0] + "'"
		if p.args[0] == ")" {
			p.problem = "you have too many ')'"
		}
	}
	if !p.acts {
		inner := p.test
		p.test = func(f *found) bool {
			if inner(f) {
				p.c.Out.Line(f.path)
			}
			return true
		}
	}
	return p.problem
}

func (p *findParser) peek(words ...string) bool {
	if len(p.args) == 0 {
		return false
	}
	for _, word := range words {
		if p.args[0] == word {
			return true
		}
	}
	return false
}

func (p *findParser) take() string {
	if len(p.args) == 0 {
		return ""
	}
	word := p.args[0]
	p.args = p.args[1:]
	return word
}

func (p *findParser) or() test {
	left := p.and()
	for p.peek("-o", "-or", ",") && p.problem == "" {
		comma := p.take() == ","
		first, second := left, p.and()
		if comma {
			left = func(f *found) bool { first(f); return second(f) }
		} else {
			left = func(f *found) bool { return first(f) || second(f) }
		}
	}
	return left
}

func (p *findParser) and() test {
	left := p.not()
	for len(p.args) > 0 && !p.peek("-o", "-or", ",", ")") && p.problem == "" {
		if p.peek("-a", "-and") {
			p.take()
		}
		first, second := left, p.not()
		left = func(f *found) bool { return first(f) && second(f) }
	}
	return left
}

func (p *findParser) not() test {
	switch {
	case p.peek("!", "-not"):
		p.take()
		inner := p.not()
		return func(f *found) bool { return !inner(f) }
	case p.peek("("):
		p.take()
		inner := p.or()
		if p.take() != ")" && p.problem == "" {
			p.problem = "invalid expression; I was expecting to find a ')' somewhere but did not see one."
		}
		return inner
	}
	return p.primary()
}

func (p *findParser) primary() test {
	never := func(*found) bool { return false }
	if len(p.args) == 0 {
		p.problem = "invalid expression; an operand is missing"
		return never
	}
	name := p.take()
	if t, ok := p.option(name); ok {
		return t
	}
	if t, ok := p.action(name); ok {
		return t
	}
	if len(p.args) == 0 {
		p.problem = "missing argument to '" + name + "'"
		if primaries[name] == nil {
			p.problem = "unknown predicate '" + name + "'"
		}
		return never
	}
	make := primaries[name]
	if make == nil {
		p.problem = "unknown predicate '" + name + "'"
		if !strings.HasPrefix(name, "-") {
			p.problem = "paths must precede expression: '" + name + "'"
		}
		return never
	}
	value := p.take()
	t := make(p, value)
	if t == nil {
		p.problem = "invalid argument '" + value + "' to '" + name + "'"
		if name == "-type" || name == "-xtype" {
			p.problem = "Unknown argument to " + name + ": " + value
		}
		return never
	}
	return t
}

// option serves what is no test: depths and the like.
func (p *findParser) option(name string) (test, bool) {
	always := func(*found) bool { return true }
	switch name {
	case "-maxdepth", "-mindepth":
		n, err := strconv.Atoi(p.take())
		if err != nil {
			p.problem = "Expected a positive decimal integer argument to " + name
		}
		if name == "-maxdepth" {
			p.maxDepth = n
		} else {
			p.minDepth = n
		}
		return always, true
	case "-depth", "-d":
		p.depthFirst = true
		return always, true
	case "-follow":
		p.follow = true
		return always, true
	case "-xdev", "-mount", "-noleaf", "-ignore_readdir_race", "-true", "-warn", "-nowarn":
		return always, true
	case "-regextype":
		kind := p.take()
		p.extended = strings.Contains(kind, "extended") || strings.Contains(kind, "egrep") || strings.Contains(kind, "awk")
		p.basic = !p.extended
		return always, true
	case "-false":
		return func(*found) bool { return false }, true
	}
	return nil, false
}
