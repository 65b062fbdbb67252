package pattern

import (
	"regexp/syntax"

	"capbox/toolbox/literal"
)

// required is a text that every match holds, "" if none is known; exact says that it is all that a match holds.
func required(source string) (text string, exact bool) {
	parsed, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return "", false
	}
	parsed = parsed.Simplify()
	text = literal.Required(parsed)
	return text, text != "" && parsed.Op == syntax.OpLiteral
}

// Candidate is a place in the first line of a text that may match: -1 if no line does, 0 if nothing is known.
func (p *Pattern) Candidate(text []byte) int {
	if len(p.needle.Text) == 0 {
		return 0
	}
	return p.needle.Index(text)
}

// Selective says whether Candidate knows anything.
func (p *Pattern) Selective() bool { return len(p.needle.Text) > 0 }

// findLiteral gives the matches of a pattern that is one text.
func (p *Pattern) findLiteral(text []byte, limit int) [][]int {
	var all [][]int
	for from := 0; limit < 0 || len(all) < limit; {
		next := p.needle.Index(text[from:])
		if next < 0 {
			break
		}
		start := from + next
		from = start + len(p.needle.Text)
		all = append(all, []int{start, from})
	}
	return all
}
