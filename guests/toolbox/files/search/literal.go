package search

import (
	"bytes"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// rarity ranks bytes by how seldom they occur in source text and prose: a search looks for the rarest byte first.
// Counted roughly over English and code; only the order matters, and only for speed.
const commonest = " etaoinsrhldcumfpgywbvkxjqz_.,()=\n\t\"'-:;/{}[]0123456789ETAOINSRHLDCUMFPGYWBVKXJQZ<>*&#$%+|!?@\\^`~"

var rarity = func() (table [256]uint8) {
	for i := range table {
		table[i] = 255
	}
	for i := range len(commonest) {
		table[commonest[i]] = uint8(i)
	}
	return table
}()

// finder looks for one literal by its rarest byte.
type finder struct {
	literal []byte
	offset  int
}

func newFinder(literal []byte) finder {
	f := finder{literal: literal}
	for i, b := range literal {
		if rarity[b] > rarity[literal[f.offset]] {
			f.offset = i
		}
	}
	return f
}

// index is like bytes.Index. bytes.IndexByte is the one search Go has in assembly for wasm; bytes.Index is not.
func (f *finder) index(text []byte) int {
	rare := f.literal[f.offset]
	for from := f.offset; from < len(text); {
		at := bytes.IndexByte(text[from:], rare)
		if at < 0 {
			return -1
		}
		start := from + at - f.offset
		if len(text)-start < len(f.literal) {
			return -1
		}
		if string(text[start:start+len(f.literal)]) == string(f.literal) {
			return start
		}
		from += at + 1
	}
	return -1
}

// required is the longest text that every match of the expression contains; empty when there is none.
func required(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		// Go's regexp reads a stray byte as U+FFFD, which then is not the bytes to look for.
		if re.Flags&syntax.FoldCase == 0 && !slices.Contains(re.Rune, utf8.RuneError) {
			return string(re.Rune)
		}
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		best := ""
		for _, sub := range re.Sub {
			if text := required(sub); len(text) > len(best) {
				best = text
			}
		}
		return best
	}
	return ""
}
