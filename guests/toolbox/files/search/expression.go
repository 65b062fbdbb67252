// Package search finds the lines of a text that match an RE2 expression, fast enough for whole trees.
//
// It guarantees the lines Go's regexp would find line by line (tests compare the two), memory bounded by
// constants however large the text is, and one set of buffers for any number of files.
// It knows no directories, ignore rules or output formats.
package search

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"capbox/toolbox/literal"
)

// Options change how an expression is read.
type Options struct {
	IgnoreCase bool
	// Multiline lets matches span lines; `.` then matches newlines and `^` `$` every line's ends.
	Multiline bool
}

// Expression is a compiled pattern. It is used by one goroutine at a time.
type Expression struct {
	regexp    *regexp.Regexp
	literal   literal.Finder // text every match contains; its literal may be empty
	several   *several       // or some texts, of which every match contains one; nil without
	exact     bool           // the pattern is that text and nothing else
	multiline bool
	lines     *automaton // nil when the expression has more instructions than it can hold
}

// Compile reads an RE2 pattern. Its errors name what RE2 does not know and what to write instead.
func Compile(pattern string, options Options) (*Expression, error) {
	flags := syntax.Perl
	if options.IgnoreCase {
		flags |= syntax.FoldCase
	}
	prefix := ""
	if options.Multiline {
		flags = flags&^syntax.OneLine | syntax.DotNL
		prefix = "(?ms)"
	}
	if options.IgnoreCase {
		prefix += "(?i)"
	}
	tree, err := syntax.Parse(pattern, flags)
	if err != nil {
		return nil, explain(pattern, err)
	}
	compiled, err := regexp.Compile(prefix + pattern)
	if err != nil {
		return nil, explain(pattern, err)
	}
	text := literal.Required(tree)
	e := &Expression{regexp: compiled, multiline: options.Multiline, literal: literal.New([]byte(text))}
	e.exact = tree.Op == syntax.OpLiteral && text != ""
	if text == "" && !options.Multiline {
		e.several = newSeveral(requiredAny(tree))
	}
	if options.Multiline {
		return e, nil
	}
	if strings.Contains(text, "\n") {
		return nil, errors.New(`the pattern holds a newline, which no single line contains: set multiline`)
	}
	if !e.exact {
		e.lines = newAutomaton(tree)
	}
	return e, nil
}

func explain(pattern string, err error) error {
	var broken *syntax.Error
	if !errors.As(err, &broken) {
		return err
	}
	what := fmt.Sprintf("%s: `%s`", broken.Code, broken.Expr)
	switch {
	case strings.Contains(pattern, "(?=") || strings.Contains(pattern, "(?!") || strings.Contains(pattern, "(?<"):
		return errors.New(what + " (RE2 has no lookahead or lookbehind: search wider, then filter)")
	case broken.Code == syntax.ErrInvalidEscape && len(broken.Expr) == 2 && '1' <= broken.Expr[1] && broken.Expr[1] <= '9':
		return errors.New(what + " (RE2 has no backreferences)")
	case broken.Code == syntax.ErrMissingParen || broken.Code == syntax.ErrUnexpectedParen || broken.Code == syntax.ErrMissingBracket:
		return errors.New(what + ` (to search for the character itself, escape it with \)`)
	}
	return errors.New(what)
}

// Find gives the place of the first match within one line, for showing it.
func (e *Expression) Find(line []byte) (start, end int) {
	if e.exact {
		if at := e.literal.Index(line); at >= 0 {
			return at, at + len(e.literal.Text)
		}
		return 0, 0
	}
	if at := e.regexp.FindIndex(line); at != nil {
		return at[0], at[1]
	}
	return 0, 0
}

// next gives the bounds of the first matching line (in multiline mode: lines) at or after `from`, which must be
// the start of a line. The end does not include the newline. The start is -1 when there is none.
func (e *Expression) next(text []byte, from int) (start, end int) {
	if e.multiline {
		return e.nextSpan(text, from)
	}
	for from < len(text) {
		at := e.candidate(text, from)
		if at < 0 {
			return -1, 0
		}
		start = bytes.LastIndexByte(text[from:at], '\n') + 1 + from
		end = lineEnd(text, at)
		if e.exact || e.confirms(text[start:end]) {
			return start, end
		}
		from = end + 1
	}
	return -1, 0
}

// begin prepares for another text, which then stays the same while next goes through it.
func (e *Expression) begin() {
	if e.several != nil {
		e.several.begin()
	}
}

// candidate is a place in the next line that may match.
func (e *Expression) candidate(text []byte, from int) int {
	switch {
	case len(e.literal.Text) > 0:
		at := e.literal.Index(text[from:])
		if at < 0 {
			return -1
		}
		return from + at
	case e.several != nil && (e.lines == nil || !e.several.tired()):
		return e.several.index(text, from)
	case e.lines != nil:
		return e.lines.find(text, from)
	}
	return from
}

// confirms decides one line. The automaton works on bytes and takes a carriage return for the end of the line,
// so what it accepts beyond plain ASCII is asked again.
func (e *Expression) confirms(line []byte) bool {
	if e.lines != nil {
		if (len(e.literal.Text) > 0 || e.several != nil) && e.lines.find(line, 0) < 0 {
			return false
		}
		if isPlain(line) {
			return true
		}
	}
	return e.regexp.Match(bytes.TrimSuffix(line, []byte{'\r'}))
}

func isPlain(line []byte) bool {
	for _, b := range line {
		if b >= 0x80 || b == '\r' {
			return false
		}
	}
	return true
}

func (e *Expression) nextSpan(text []byte, from int) (start, end int) {
	if from >= len(text) || len(e.literal.Text) > 0 && e.literal.Index(text[from:]) < 0 {
		return -1, 0
	}
	at := e.regexp.FindIndex(text[from:])
	if at == nil || from+at[0] == len(text) && text[len(text)-1] == '\n' {
		return -1, 0
	}
	first, last := from+at[0], from+at[1]
	if last > first {
		last-- // a match that ends with a newline does not reach the next line
	}
	start = bytes.LastIndexByte(text[from:first], '\n') + 1 + from
	return start, lineEnd(text, last)
}

func lineEnd(text []byte, at int) int {
	if end := bytes.IndexByte(text[at:], '\n'); end >= 0 {
		return at + end
	}
	return len(text)
}
