// Package pattern compiles the regular expressions of grep, sed and others: POSIX basic and extended with GNU's
// extensions, and Perl's.
//
// It guarantees linear time for what RE2 can express. Back-references, look-around and \K go to a backtracking engine
// with a time limit per match. It does not know collating elements or equivalence classes.
package pattern

import (
	"errors"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"

	"capbox/toolbox/literal"
)

// Dialect is the language a pattern is written in.
type Dialect int

// The dialects.
const (
	Basic Dialect = iota
	Extended
	Perl
	Fixed
)

// Options of a pattern. Dot lets . match a newline; Lines lets ^ and $ match at every line.
type Options struct {
	IgnoreCase, Dot, Lines bool
}

// backtrackLimit bounds one match of the backtracking engine.
const backtrackLimit = 5 * time.Second

// Pattern finds matches. It is safe for one goroutine at a time.
type Pattern struct {
	fast   *regexp.Regexp
	slow   *regexp2.Regexp
	groups int
	source string
	needle literal.Finder // what each match holds, if that is known
	exact  bool           // whether that is all of a match
}

// Compile reads a pattern.
func Compile(text string, dialect Dialect, options Options) (*Pattern, error) {
	translated, needs, err := translate(text, dialect)
	if err != nil {
		return nil, err
	}
	flags := ""
	for _, one := range []struct {
		on   bool
		flag string
	}{{options.IgnoreCase, "i"}, {options.Dot, "s"}, {options.Lines, "m"}} {
		if one.on {
			flags += one.flag
		}
	}
	if flags != "" {
		translated = "(?" + flags + ")" + translated
	}
	if !needs {
		fast, err := regexp.Compile(translated)
		if err == nil {
			if dialect != Perl && strings.Contains(translated, "|") {
				fast.Longest()
			}
			text, exact := required(translated)
			return &Pattern{
				fast: fast, groups: fast.NumSubexp(), source: translated, needle: literal.New([]byte(text)), exact: exact,
			}, nil
		}
		if dialect != Perl {
			return nil, explain(err)
		}
	}
	slow, err := regexp2.Compile(translated, regexp2.RE2)
	if err != nil {
		return nil, explain(err)
	}
	slow.MatchTimeout = backtrackLimit
	return &Pattern{slow: slow, groups: len(slow.GetGroupNumbers()) - 1}, nil
}

// explain drops Go's own prefix.
func explain(err error) error {
	text := err.Error()
	if _, after, ok := strings.Cut(text, "error parsing regexp: "); ok {
		text = after
	}
	for words, posix := range map[string]string{ // what grep and sed call it
		"invalid character class range": "Invalid range end", "reference to undefined group": "Invalid back reference",
		"invalid escape sequence": "Invalid back reference",
	} {
		if strings.HasPrefix(text, words) {
			text = posix
		}
	}
	return errors.New(text)
}

// Groups is the number of groups in parentheses.
func (p *Pattern) Groups() int { return p.groups }

// RE2 is the pattern in Go's syntax; false if only the backtracking engine can run it.
func (p *Pattern) RE2() (string, bool) { return p.source, p.fast != nil }

// Match says whether the text has a match.
func (p *Pattern) Match(text []byte) bool {
	if p.Selective() {
		if at := p.needle.Index(text); at < 0 || p.exact {
			return at >= 0
		}
	}
	if p.fast != nil {
		return p.fast.Match(text)
	}
	ok, err := p.slow.MatchString(string(text))
	return ok && err == nil
}

// Find gives the first match as pairs of byte offsets (the whole, then each group; -1 for a group that took no part),
// or nil.
func (p *Pattern) Find(text []byte) []int {
	if p.fast != nil {
		return p.fast.FindSubmatchIndex(text)
	}
	all := p.findSlow(text, 1)
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// FindAll gives up to limit matches that do not overlap (all if limit < 0).
func (p *Pattern) FindAll(text []byte, limit int) [][]int {
	switch {
	case p.exact:
		return p.findLiteral(text, limit)
	case p.Selective() && p.needle.Index(text) < 0:
		return nil
	case p.fast != nil:
		return p.fast.FindAllSubmatchIndex(text, limit)
	}
	return p.findSlow(text, limit)
}

func (p *Pattern) findSlow(text []byte, limit int) [][]int {
	runes := []rune(string(text))
	offsets := runeOffsets(text, len(runes))
	var all [][]int
	match, err := p.slow.FindRunesMatch(runes)
	end := -1
	for match != nil && err == nil && (limit < 0 || len(all) < limit) {
		if match.Length > 0 || match.Index != end {
			all = append(all, p.pairs(match, offsets))
		}
		end = match.Index + match.Length
		match, err = p.slow.FindNextMatch(match)
	}
	return all
}

func (p *Pattern) pairs(match *regexp2.Match, offsets []int) []int {
	pairs := make([]int, 0, 2*(p.groups+1))
	for _, group := range match.Groups() {
		if len(group.Captures) == 0 {
			pairs = append(pairs, -1, -1)
			continue
		}
		pairs = append(pairs, offsets[group.Index], offsets[group.Index+group.Length])
	}
	return pairs
}

// runeOffsets is where each character begins, and the end.
func runeOffsets(text []byte, count int) []int {
	offsets := make([]int, 0, count+1)
	for at := 0; at < len(text); {
		offsets = append(offsets, at)
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return append(offsets, len(text))
}
