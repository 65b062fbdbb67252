package expand

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"mvdan.cc/sh/v3/internal"
	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"
)

// removal finds what a pattern takes off one end of a text.
type removal func(text string) (start, end int)

// trimmed serves # ## % %%.
func trimmed(op syntax.ParExpOperator, pat string, elems []string) []string {
	suffix := op == syntax.RemSmallSuffix || op == syntax.RemLargeSuffix
	shortest := op == syntax.RemSmallPrefix || op == syntax.RemSmallSuffix
	find := endMatch(pat, suffix, shortest)
	out := make([]string, len(elems))
	for i, elem := range elems {
		start, end := find(elem)
		out[i] = elem[:start] + elem[end:]
	}
	return out
}

// endMatch matches a pattern at the beginning or at the end of a text.
func endMatch(pat string, suffix, shortest bool) removal {
	if !pattern.HasMeta(pat, 0) && !strings.ContainsAny(pat, `\(`) {
		return func(text string) (int, int) {
			switch {
			case suffix && strings.HasSuffix(text, pat):
				return len(text) - len(pat), len(text)
			case !suffix && strings.HasPrefix(text, pat):
				return 0, len(pat)
			}
			return 0, 0
		}
	}
	mode := pattern.ExtendedOperators
	if shortest {
		mode |= pattern.Shortest
	}
	expr, err := pattern.Regexp(pat, mode)
	if err != nil {
		return endSearch(pat, suffix, shortest)
	}
	switch {
	case suffix && shortest:
		expr = "(?s)^.*(" + expr + ")$"
	case suffix:
		expr = "(?s)(" + expr + ")$"
	default:
		expr = "(?s)^(" + expr + ")"
	}
	rx, err := regexp.Compile(expr)
	if err != nil {
		return func(string) (int, int) { return 0, 0 }
	}
	if !shortest {
		rx.Longest()
	}
	return func(text string) (int, int) {
		if at := rx.FindStringSubmatchIndex(text); at != nil {
			return at[2], at[3]
		}
		return 0, 0
	}
}

// endSearch tries every length: patterns with !(...) are no regular expressions.
func endSearch(pat string, suffix, shortest bool) removal {
	matches, err := internal.ExtendedPatternMatcher(pat, pattern.EntireString|pattern.ExtendedOperators)
	if err != nil {
		return func(string) (int, int) { return 0, 0 }
	}
	return func(text string) (int, int) {
		for i := 0; i <= len(text); i++ {
			size := len(text) - i
			if shortest {
				size = i
			}
			switch {
			case suffix && matches(text[len(text)-size:]):
				return len(text) - size, len(text)
			case !suffix && matches(text[:size]):
				return 0, size
			}
		}
		return 0, 0
	}
}

// caseConverted serves ^ ^^ , ,, with their optional pattern.
func caseConverted(op syntax.ParExpOperator, pat string, elems []string) []string {
	convert := unicode.ToLower
	if op == syntax.UpperFirst || op == syntax.UpperAll {
		convert = unicode.ToUpper
	}
	matches := func(string) bool { return true }
	if pat != "" {
		var err error
		matches, err = internal.ExtendedPatternMatcher(pat, pattern.EntireString|pattern.ExtendedOperators)
		if err != nil {
			return elems
		}
	}
	out := make([]string, len(elems))
	for i, elem := range elems {
		runes := []rune(elem)
		for j, r := range runes {
			if matches(string(r)) {
				runes[j] = convert(r)
			}
			if op == syntax.UpperFirst || op == syntax.LowerFirst {
				break
			}
		}
		out[i] = string(runes)
	}
	return out
}

// textMax bounds what replacing may make of a text.
const textMax = 64 << 20

// replace serves ${x/pattern/text}, // for all, and # and % for an end. An unquoted & is what matched.
func (cfg *Config) replace(repl *syntax.Replace, elems []string) ([]string, error) {
	pat, err := Pattern(cfg, repl.Orig)
	if err != nil {
		return nil, err
	}
	with, err := cfg.replacement(repl.With)
	if err != nil {
		return nil, err
	}
	find := cfg.finder(repl, pat)
	out := make([]string, len(elems))
	for i, elem := range elems {
		var b strings.Builder
		last := 0
		for _, at := range find(elem) {
			b.WriteString(elem[last:at[0]])
			for j, piece := range with {
				if j > 0 {
					b.WriteString(elem[at[0]:at[1]])
				}
				b.WriteString(piece)
			}
			if b.Len() > textMax {
				return nil, &ExpansionError{"substitution: result too large"}
			}
			last = at[1]
		}
		b.WriteString(elem[last:])
		out[i] = b.String()
	}
	return out, nil
}

// finder gives the places that a pattern replaces.
func (cfg *Config) finder(repl *syntax.Replace, pat string) func(string) [][]int {
	if pat == "" {
		return func(string) [][]int { return nil }
	}
	if !repl.All && (pat[0] == '#' || pat[0] == '%') {
		suffix := pat[0] == '%'
		find := endMatch(pat[1:], suffix, false)
		return func(text string) [][]int {
			start, end := find(text)
			if start == end && pat != "#" && pat != "%" {
				return nil
			}
			if start == end && suffix {
				start, end = len(text), len(text)
			}
			return [][]int{{start, end}}
		}
	}
	most := 1
	if repl.All {
		most = -1
	}
	if !pattern.HasMeta(pat, 0) && !strings.ContainsAny(pat, `\(`) {
		return func(text string) [][]int { return plainMatches(text, pat, most) }
	}
	expr, err := pattern.Regexp(pat, pattern.ExtendedOperators)
	if err != nil {
		return searcher(pat, most)
	}
	rx, err := regexp.Compile("(?s)" + expr)
	if err != nil {
		return func(string) [][]int { return nil }
	}
	rx.Longest()
	return func(text string) [][]int { return nonEmpty(rx.FindAllStringIndex(text, -1), most) }
}

func plainMatches(text, pat string, most int) (found [][]int) {
	for at := 0; most != 0; most-- {
		next := strings.Index(text[at:], pat)
		if next < 0 {
			break
		}
		found = append(found, []int{at + next, at + next + len(pat)})
		at += next + len(pat)
	}
	return found
}

// nonEmpty drops empty matches, which bash does not replace.
func nonEmpty(all [][]int, most int) (found [][]int) {
	for _, at := range all {
		if at[0] < at[1] && (most < 0 || len(found) < most) {
			found = append(found, at)
		}
	}
	return found
}

// searcher finds matches of a pattern with !(...), the longest at each place.
func searcher(pat string, most int) func(string) [][]int {
	find := endSearch(pat, false, false)
	return func(text string) (found [][]int) {
		for at := 0; at < len(text) && (most < 0 || len(found) < most); {
			if _, end := find(text[at:]); end > 0 {
				found = append(found, []int{at, at + end})
				at += end
				continue
			}
			_, size := utf8.DecodeRuneInString(text[at:])
			at += size
		}
		return found
	}
}

// replacement is the new text, cut where the match goes.
func (cfg *Config) replacement(word *syntax.Word) ([]string, error) {
	if word == nil {
		return []string{""}, nil
	}
	pieces := []string{""}
	add := func(text string) { pieces[len(pieces)-1] += text }
	active := func(text string) {
		for i := 0; i < len(text); i++ {
			switch {
			case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '&' || text[i+1] == '\\'):
				i++
				add(text[i : i+1])
			case text[i] == '&':
				pieces = append(pieces, "")
			default:
				add(text[i : i+1])
			}
		}
	}
	for i, part := range word.Parts {
		if lit, ok := part.(*syntax.Lit); ok {
			active(cfg.unescapedBut(lit.Value, i == 0))
			continue
		}
		field, err := cfg.wordField([]syntax.WordPart{part}, quoteNone)
		if err != nil {
			return nil, err
		}
		for _, one := range field {
			if one.quote > quoteNone {
				add(one.val)
			} else {
				active(one.val)
			}
		}
	}
	return pieces, nil
}

// unescapedBut removes the backslashes of a literal except those that keep & and \ from their meaning here.
func (cfg *Config) unescapedBut(text string, first bool) string {
	if first {
		prefix, rest := cfg.expandUser(text, false)
		text = prefix + rest
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
			if text[i] == '&' || text[i] == '\\' {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// globs says whether the text is a pattern for names of files.
func (cfg *Config) globs(text string) bool {
	return pattern.HasMeta(text, 0) || cfg.ExtGlob && strings.IndexByte(text, '(') > 0
}
