package pattern

import (
	"bytes"
	"regexp/syntax"
	"strings"
)

// required is a text that every match holds, "" if none is known; exact says that it is all that a match holds.
func required(source string) (text string, exact bool) {
	parsed, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return "", false
	}
	parsed = parsed.Simplify()
	text = longestLiteral(parsed)
	return text, text != "" && parsed.Op == syntax.OpLiteral
}

// longestLiteral looks only where every match must pass.
func longestLiteral(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 && !strings.ContainsRune(string(re.Rune), '\uFFFD') {
			return string(re.Rune)
		}
	case syntax.OpCapture, syntax.OpPlus:
		return longestLiteral(re.Sub[0])
	case syntax.OpConcat:
		longest := ""
		for _, part := range re.Sub {
			if text := longestLiteral(part); len(text) > len(longest) {
				longest = text
			}
		}
		return longest
	}
	return ""
}

// frequent are bytes that text is full of, the most frequent first.
const frequent = " etaonirslducmphgfybvw.\n\t,0k1_-=\"2'/():x;3456789"

// needle finds one text by the byte of it that is rarest in most texts.
type needle struct {
	text []byte
	rare int // where that byte is
}

func newNeedle(text string) needle {
	n := needle{text: []byte(text)}
	rarest := -1
	for i := range n.text {
		rank := strings.IndexByte(frequent, n.text[i])
		if rank < 0 {
			rank = len(frequent)
		}
		if rank > rarest {
			rarest, n.rare = rank, i
		}
	}
	return n
}

// index is where the text first occurs, or -1.
func (n *needle) index(text []byte) int {
	for at := n.rare; at < len(text); at++ {
		next := bytes.IndexByte(text[at:], n.text[n.rare])
		if next < 0 {
			return -1
		}
		at += next
		start := at - n.rare
		if len(text)-start < len(n.text) {
			return -1
		}
		if bytes.Equal(text[start:start+len(n.text)], n.text) {
			return start
		}
	}
	return -1
}

// Candidate is a place in the first line of a text that may match: -1 if no line does, 0 if nothing is known.
func (p *Pattern) Candidate(text []byte) int {
	if len(p.needle.text) == 0 {
		return 0
	}
	return p.needle.index(text)
}

// Selective says whether Candidate knows anything.
func (p *Pattern) Selective() bool { return len(p.needle.text) > 0 }

// findLiteral gives the matches of a pattern that is one text.
func (p *Pattern) findLiteral(text []byte, limit int) [][]int {
	var all [][]int
	for from := 0; limit < 0 || len(all) < limit; {
		next := p.needle.index(text[from:])
		if next < 0 {
			break
		}
		start := from + next
		from = start + len(p.needle.text)
		all = append(all, []int{start, from})
	}
	return all
}
