// Package search holds the commands that find something: grep in files, find in trees, look in sorted lists, which in
// $PATH.
package search

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/pattern"
)

// grepSpec is shared by grep, egrep and fgrep.
var grepSpec = kit.Spec{
	Short: "EFGPe:f:ivwxcLlm:oqsbHhnTZA:B:C:aIrRzU", Usage: "[OPTION]... PATTERNS [FILE]...", Status: 2,
	Long: "extended-regexp=E fixed-strings=F basic-regexp=G perl-regexp=P regexp=e file=f ignore-case=i invert-match=v " +
		"word-regexp=w line-regexp=x count=c files-without-match=L files-with-matches=l max-count=m only-matching=o " +
		"quiet=q silent=q no-messages=s byte-offset=b with-filename=H no-filename=h line-number=n initial-tab=T null=Z " +
		"after-context=A before-context=B context=C text=a recursive=r dereference-recursive=R null-data=z binary=U " +
		"include: exclude: exclude-dir: color:: colour:: line-buffered binary-files: no-ignore-case label:",
}

// grepJob is one run of grep.
type grepJob struct {
	c                      *kit.Call
	opts                   *kit.Options
	patterns               []*pattern.Pattern
	before, after          int
	limit                  int
	names                  bool
	found, failed          bool
	include, exclude, dirs []string
	block                  []byte // what is read of a file, the same for all

	// What is asked of every line; looking an option up takes longer than most lines.
	invert, silent, counts, only, word, whole bool
	numbers, offsets, tab, terse              bool
}

// Grep is the commands egrep, fgrep and grep.
func Grep(c *kit.Call) int {
	c.Args = numericContext(c.Args)
	opts, status, done := c.Parse(grepSpec)
	if done {
		return status
	}
	j := &grepJob{c: c, opts: opts, limit: -1}
	if problem := j.prepare(); problem != "" {
		c.Fail("%s", problem)
		return 2
	}
	j.note()
	names := opts.Operands
	recursive := opts.Has("r", "R")
	if len(names) == 0 {
		names = []string{"-"}
		if recursive {
			names = []string{"."}
		}
	}
	j.names = (len(names) > 1 || recursive) && !opts.Has("h") || opts.Has("H")
	if recursive && len(names) == 1 && !opts.Has("H") {
		if info, err := os.Stat(c.Path(names[0])); err == nil && !info.IsDir() {
			j.names = false
		}
	}
	for _, name := range names {
		if j.stopped() {
			break
		}
		j.operand(name, recursive, len(opts.Operands) == 0)
	}
	switch {
	case j.found && (opts.Has("q") || !j.failed):
		return 0
	case j.failed:
		return 2
	}
	return 1
}

// numericContext turns -5 into -C 5.
func numericContext(args []string) []string {
	var out []string
	for i, arg := range args {
		if arg == "--" {
			return append(out, args[i:]...)
		}
		if len(arg) > 1 && arg[0] == '-' && strings.Trim(arg[1:], "0123456789") == "" {
			out = append(out, "-C", arg[1:])
			continue
		}
		out = append(out, arg)
	}
	return out
}

// prepare compiles the patterns and reads the numbers; the result is what is wrong.
func (j *grepJob) prepare() string {
	texts, problem := j.patternTexts()
	if problem != "" {
		return problem
	}
	dialect := pattern.Basic
	switch j.opts.Last("E", "F", "G", "P") {
	case "E":
		dialect = pattern.Extended
	case "F":
		dialect = pattern.Fixed
	case "P":
		dialect = pattern.Perl
	case "":
		dialect = map[string]pattern.Dialect{"egrep": pattern.Extended, "fgrep": pattern.Fixed}[j.c.Name]
	}
	for _, text := range texts {
		compiled, err := pattern.Compile(text, dialect, pattern.Options{IgnoreCase: j.opts.Has("i")})
		if err != nil {
			return err.Error()
		}
		j.patterns = append(j.patterns, compiled)
	}
	for _, one := range j.opts.List {
		switch one.Key {
		case "A", "B", "C", "m":
			n, err := strconv.Atoi(one.Value)
			if err != nil {
				return one.Value + ": invalid context length argument"
			}
			switch one.Key {
			case "A":
				j.after = n
			case "B":
				j.before = n
			case "C":
				j.before, j.after = n, n
			case "m":
				j.limit = n
			}
		case "include":
			j.include = append(j.include, one.Value)
		case "exclude":
			j.exclude = append(j.exclude, one.Value)
		case "exclude-dir":
			j.dirs = append(j.dirs, strings.TrimSuffix(one.Value, "/"))
		}
	}
	return ""
}

// note keeps the options that matter for each line.
func (j *grepJob) note() {
	has := j.opts.Has
	j.invert, j.silent, j.counts = has("v"), has("q", "l", "L"), has("c")
	j.only, j.word, j.whole = has("o"), has("w"), has("x")
	j.numbers, j.offsets, j.tab = has("n"), has("b"), has("T")
	j.terse = j.counts || j.silent || j.only
}

// patternTexts collects -e, -f or the first operand; each line is a pattern of its own.
func (j *grepJob) patternTexts() ([]string, string) {
	var texts []string
	given := false
	for _, one := range j.opts.List {
		switch one.Key {
		case "e":
			texts = append(texts, strings.Split(one.Value, "\n")...)
			given = true
		case "f":
			file, err := j.c.Open(one.Value)
			if err != nil {
				return nil, one.Value + ": " + kit.Reason(err)
			}
			lines, err := kit.AllLines(file, '\n')
			file.Close()
			if err != nil {
				return nil, one.Value + ": " + kit.Reason(err)
			}
			texts, given = append(texts, lines...), true
		}
	}
	if !given {
		if len(j.opts.Operands) == 0 {
			return nil, "no pattern given\nUsage: " + j.c.Name + " " + grepSpec.Usage
		}
		texts = strings.Split(j.opts.Operands[0], "\n")
		j.opts.Operands = j.opts.Operands[1:]
	}
	return texts, ""
}

func (j *grepJob) stopped() bool { return j.found && j.opts.Has("q") }

func (j *grepJob) complain(name string, err error) {
	j.failed = true
	if !j.opts.Has("s") {
		j.c.FailPath(name, err)
	}
}

// operand searches one file, or a tree.
func (j *grepJob) operand(name string, recursive, implied bool) {
	if name == "-" {
		j.file("(standard input)", "-")
		return
	}
	info, err := j.c.Stat(name)
	switch {
	case err != nil:
		j.complain(name, err)
	case !info.IsDir():
		if recursive || j.wanted(filepath.Base(name)) {
			j.file(name, name)
		}
	case !recursive:
		j.failed = true
		if !j.opts.Has("s") {
			j.c.Fail("%s: Is a directory", name)
		}
	default:
		shown := name
		if implied {
			shown = ""
		}
		j.tree(name, shown)
	}
}

func (j *grepJob) wanted(base string) bool {
	if pattern.MatchAnyGlob(j.exclude, base) {
		return false
	}
	return len(j.include) == 0 || pattern.MatchAnyGlob(j.include, base)
}

// tree searches below a directory, in order of names. Links are followed only with -R.
func (j *grepJob) tree(name, shown string) {
	entries, err := os.ReadDir(j.c.Path(name))
	if err != nil {
		j.complain(name, err)
	}
	for _, entry := range entries {
		if j.stopped() {
			return
		}
		child, label := kit.JoinName(name, entry.Name()), entry.Name()
		if shown != "" {
			label = kit.JoinName(shown, entry.Name())
		}
		kind := entry.Type()
		if kind&os.ModeSymlink != 0 {
			if !j.opts.Has("R") {
				continue
			}
			info, err := os.Stat(j.c.Path(child))
			if err != nil {
				j.complain(label, err)
				continue
			}
			kind = info.Mode().Type()
		}
		switch {
		case kind.IsDir():
			if !pattern.MatchAnyGlob(j.dirs, entry.Name()) {
				j.tree(child, label)
			}
		case kind.IsRegular() && j.wanted(entry.Name()):
			j.regular(label, child)
		}
	}
}

func (j *grepJob) file(label, name string) {
	in, err := j.c.Open(name)
	j.opened(label, in, err)
}

// regular searches a file that a directory's list called regular, in four calls of the host instead of ten.
func (j *grepJob) regular(label, name string) {
	in, err := openPlain(j.c.Path(name))
	j.opened(label, in, err)
}

// opened searches what was opened, unless that failed, and closes it.
func (j *grepJob) opened(label string, in io.ReadCloser, err error) {
	if err != nil {
		j.complain(label, err)
		return
	}
	defer in.Close()
	if err := j.search(label, in); err != nil && !errors.Is(err, kit.ErrStop) {
		j.complain(label, err)
	}
}
