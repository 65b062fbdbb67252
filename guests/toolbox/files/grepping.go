package files

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"capbox/toolbox/abi"
	"capbox/toolbox/files/search"
)

// lineCharsMax is about how much of a long line is shown, around its match.
const lineCharsMax = 500

type grepCount struct {
	Path  string `json:"path"`
	Count int    `json:"count"`
}

type grepData struct {
	Mode       string      `json:"mode"`
	Matches    int         `json:"matches"`
	Files      int         `json:"files"` // with a match
	Searched   int         `json:"searched"`
	More       bool        `json:"more,omitempty"` // the search ended before the tree did
	Paths      []string    `json:"paths,omitempty"`
	Counts     []grepCount `json:"counts,omitempty"`
	Unreadable []string    `json:"unreadable,omitempty"`
}

// grepping is one search under way.
type grepping struct {
	expression *search.Expression
	searcher   *search.Searcher
	walk       *walk
	filter     *filter
	names      []string
	mode       string
	before     int
	after      int
	limit      int
	offset     int
	until      time.Time // when to stop by itself

	path, shown string // the file being searched; shown is filled at its first match
	inFile      int    // matching lines in it
	trailing    int    // context lines shown after the last match the limit allows
	binary      bool   // a NUL turned up behind the first bytes

	page     *page
	prefix   []byte
	searched int
	passed   int    // results that offset left out
	bound    string // what ended the search before its time
	matched  int
	matches  int
	binaries int
	more     bool
	stopped  bool
	paths    []string
	counts   []grepCount
}

const (
	// searchedMax and the time bound the work of one search; what it found until then is shown.
	searchedMax = 250_000
	filesAClock = 32 // looking at the clock is a host call
)

// deadline leaves a tenth of the call's time for the answer; the zero time is none.
func deadline(req *abi.Request) time.Time {
	if req.Call.DeadlineMS <= 0 {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(req.Call.DeadlineMS) * time.Millisecond * 9 / 10)
}

// exhausted says, before a file is searched, whether a bound has been reached.
func (g *grepping) exhausted() bool {
	switch {
	case g.searched >= searchedMax:
		g.bound = "after " + counted(g.searched, "file", "files")
	case g.searched%filesAClock == filesAClock-1 && !g.until.IsZero() && time.Now().After(g.until):
		g.bound = "its time is over after " + counted(g.searched, "file", "files")
	}
	return g.bound != ""
}

// onward is how to see what was not shown.
func (g *grepping) onward() string {
	shown := g.matched
	if g.mode == "content" {
		shown = g.matches
	}
	return fmt.Sprintf("continue with offset %d, or narrow with path, glob or type", g.offset+shown)
}

// take receives one line of the file being searched; false ends this file.
func (g *grepping) take(line search.Line) bool {
	if line.Match && bytes.IndexByte(line.Text, 0) >= 0 {
		g.binary = true
		return false
	}
	switch g.mode {
	case "files":
		g.inFile++
		return false
	case "count":
		g.inFile++
		return true
	}
	if g.passed < g.offset {
		if line.Match {
			g.passed++
		}
		return true
	}
	if g.matches+g.inFile >= g.limit {
		if line.Match {
			g.more, g.stopped = true, true
			return false
		}
		// What follows is context of the last match, until it is context of the next one.
		if g.trailing++; g.inFile == 0 || line.Gap || g.trailing > g.after {
			return true
		}
	}
	if !g.showLine(line) {
		g.stopped = true
		return false
	}
	return true
}

func (g *grepping) showLine(line search.Line) bool {
	if around := g.before+g.after > 0; around && (line.Gap || g.shown == "") && len(g.page.text) > 0 {
		g.page.line("", []byte("--"))
	}
	if g.shown == "" {
		g.shown = visible(shorten(g.walk.cwd, g.path))
	}
	mark := byte('-')
	text := line.Text
	if line.Match {
		mark = ':'
	}
	if len(text) > lineCharsMax {
		text = g.excerpt(text, line.Match)
	}
	g.prefix = append(append(g.prefix[:0], g.shown...), mark)
	g.prefix = append(strconv.AppendInt(g.prefix, int64(line.Number), 10), mark)
	if !g.page.line(string(g.prefix), text) {
		return false
	}
	if line.Match {
		g.inFile++
	}
	return true
}

// excerpt shows a long line around its match, and says how long it is.
func (g *grepping) excerpt(text []byte, match bool) []byte {
	start, end := 0, lineCharsMax
	if match {
		at, _ := g.expression.Find(text)
		start = max(0, min(at-lineCharsMax/4, len(text)-lineCharsMax))
		end = min(start+lineCharsMax, len(text))
	}
	for start > 0 && start < end && !utf8.RuneStart(text[start]) {
		start++
	}
	for end < len(text) && end > start && !utf8.RuneStart(text[end]) {
		end--
	}
	var out []byte
	if start > 0 {
		out = append(out, "[...] "...)
	}
	out = append(out, text[start:end]...)
	if end < len(text) {
		out = append(out, " [...]"...)
	}
	return fmt.Appendf(out, " [cut: %s]", counted(len(text), "byte", "bytes"))
}

// endFile books a file with matches.
func (g *grepping) endFile() {
	if g.mode != "content" {
		if g.passed < g.offset {
			g.passed++
			return
		}
		if g.matched == g.limit {
			g.more, g.stopped = true, true
			return
		}
		shown := shorten(g.walk.cwd, g.path)
		if !g.showFile(shown) {
			g.stopped = true
			return
		}
	}
	g.matched++
	g.matches += g.inFile
}

func (g *grepping) showFile(shown string) bool {
	if !g.page.take(40 + abi.EscapedSize([]byte(shown))) {
		return false
	}
	if g.mode == "files" {
		g.paths = append(g.paths, shown)
		return g.page.line("", []byte(visible(shown)))
	}
	g.counts = append(g.counts, grepCount{shown, g.inFile})
	return g.page.line(visible(shown), strconv.AppendInt([]byte{':'}, int64(g.inFile), 10))
}
