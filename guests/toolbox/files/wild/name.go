// Package wild matches names and paths against shell patterns.
//
// It guarantees linear memory, no recursion on input, and that a bad pattern is an error and never a match.
// It does not touch the file system and does not expand `~` or variables.
package wild

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// ErrUnclosed is a `[` or `{` without its partner.
var ErrUnclosed = errors.New("a [ or { is not closed")

type tokenKind uint8

const (
	exact tokenKind = iota
	anyOne
	anyRun
	oneOf
)

type span struct{ low, high rune }

type token struct {
	kind    tokenKind
	char    rune
	negated bool
	spans   []span
}

// Name is a compiled pattern for one path component: `*`, `?`, `[a-z]`, `[!a]`, `[[:alpha:]]` and `\x`.
type Name struct {
	literal string
	plain   bool
	suffix  string // for `*suffix`, by far the commonest pattern
	tailed  bool
	bytes   bool // as git does it: `?` and a class take one byte
	tokens  []token
}

// CompileName compiles a pattern that holds no slash and no braces.
func CompileName(pattern string) (Name, error) { return compileName(pattern, false) }

// CompileBytes compiles as git reads its ignore files: byte by byte, and a backslash at the end matches nothing.
func CompileBytes(pattern string) (Name, error) { return compileName(pattern, true) }

func compileName(pattern string, bytes bool) (Name, error) {
	if !strings.ContainsAny(pattern, `*?[\`) {
		return Name{literal: pattern, plain: true}, nil
	}
	if rest, ok := strings.CutPrefix(pattern, "*"); ok && !strings.ContainsAny(rest, `*?[\`) {
		return Name{suffix: rest, tailed: true}, nil
	}
	var tokens []token
	for i := 0; i < len(pattern); {
		tok, width, err := nextToken(pattern[i:], bytes)
		if err != nil {
			return Name{}, err
		}
		i += width
		if tok.kind == anyRun && len(tokens) > 0 && tokens[len(tokens)-1].kind == anyRun {
			continue
		}
		tokens = append(tokens, tok)
	}
	return Name{tokens: tokens, bytes: bytes}, nil
}

// first is the first character and its width; read by bytes, it is the first byte.
func first(text string, bytes bool) (rune, int) {
	if bytes || text[0] < utf8.RuneSelf {
		return rune(text[0]), 1
	}
	return utf8.DecodeRuneInString(text)
}

func nextToken(pattern string, bytes bool) (token, int, error) {
	switch pattern[0] {
	case '*':
		return token{kind: anyRun}, 1, nil
	case '?':
		return token{kind: anyOne}, 1, nil
	case '[':
		return class(pattern, bytes)
	case '\\':
		if len(pattern) > 1 {
			char, width := first(pattern[1:], bytes)
			return token{kind: exact, char: char}, 1 + width, nil
		}
		if bytes {
			return token{}, 0, ErrUnclosed
		}
	}
	char, width := first(pattern, bytes)
	return token{kind: exact, char: char}, width, nil
}

var named = map[string][]span{
	"alpha": {{'a', 'z'}, {'A', 'Z'}}, "digit": {{'0', '9'}}, "lower": {{'a', 'z'}}, "upper": {{'A', 'Z'}},
	"alnum": {{'a', 'z'}, {'A', 'Z'}, {'0', '9'}}, "space": {{' ', ' '}, {'\t', '\r'}}, "blank": {{' ', ' '}, {'\t', '\t'}},
	"xdigit": {{'0', '9'}, {'a', 'f'}, {'A', 'F'}}, "punct": {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}},
	"cntrl": {{0, 31}, {127, 127}}, "graph": {{'!', '~'}}, "print": {{' ', '~'}},
}

// class reads `[...]` at the start of the pattern; a `]` right after the opening stands for itself.
func class(pattern string, bytes bool) (token, int, error) {
	tok := token{kind: oneOf}
	i := 1
	if i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^') {
		tok.negated = true
		i++
	}
	for opening := true; ; opening = false {
		if i >= len(pattern) {
			return tok, 0, ErrUnclosed
		}
		if pattern[i] == ']' && !opening {
			return tok, i + 1, nil
		}
		if strings.HasPrefix(pattern[i:], "[:") {
			if end := strings.Index(pattern[i+2:], ":]"); end >= 0 {
				spans, known := named[pattern[i+2:i+2+end]]
				if bytes && !known {
					return tok, 0, ErrUnclosed // git gives the whole pattern up
				}
				tok.spans = append(tok.spans, spans...)
				i += end + 4
				continue
			}
		}
		low, width := classChar(pattern[i:], bytes)
		i += width
		high := low
		if i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			high, width = classChar(pattern[i+1:], bytes)
			i += 1 + width
		}
		tok.spans = append(tok.spans, span{low, high})
	}
}

func classChar(pattern string, bytes bool) (rune, int) {
	if pattern[0] == '\\' && len(pattern) > 1 {
		char, width := first(pattern[1:], bytes)
		return char, width + 1
	}
	return first(pattern, bytes)
}

// Match says whether the whole name matches.
func (n *Name) Match(name string) bool {
	if n.plain {
		return name == n.literal
	}
	if n.tailed {
		return strings.HasSuffix(name, n.suffix)
	}
	at, in := 0, 0
	star, resume := -1, 0 // where to go on after the last `*` if the rest does not fit
	for in < len(name) {
		if at < len(n.tokens) && n.tokens[at].kind == anyRun {
			star, resume = at, in
			at++
			continue
		}
		char, width := first(name[in:], n.bytes)
		if at < len(n.tokens) && n.tokens[at].takes(char) {
			at++
			in += width
			continue
		}
		if star < 0 {
			return false
		}
		_, width = first(name[resume:], n.bytes)
		resume += width
		at, in = star+1, resume
	}
	for at < len(n.tokens) && n.tokens[at].kind == anyRun {
		at++
	}
	return at == len(n.tokens)
}

func (t *token) takes(char rune) bool {
	switch t.kind {
	case exact:
		return char == t.char
	case anyOne:
		return true
	}
	for _, s := range t.spans {
		if s.low <= char && char <= s.high {
			return !t.negated
		}
	}
	return t.negated
}

// IsPlain says whether the text holds no pattern character, so that it names exactly one file.
func IsPlain(text string) bool {
	return !strings.ContainsAny(text, `*?[]{}\`)
}
