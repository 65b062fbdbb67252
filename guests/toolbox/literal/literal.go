// Package literal finds one text by the byte of it that is rarest in most texts, and tells which text every match of an
// expression holds: what searches look for before they run an expression.
//
// It knows nothing of lines or files.
package literal

import (
	"bytes"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// commonest are bytes by how often they occur in source text and prose: a search looks for the rarest byte first.
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

// Rarity ranks a byte: the higher, the more seldom it occurs.
func Rarity(b byte) int { return int(rarity[b]) }

// Finder looks for Text, which must not be empty, by its rarest byte.
type Finder struct {
	Text   []byte
	offset int // of that byte
}

// New is what finds the text; an empty one is kept, not looked for.
func New(text []byte) Finder {
	f := Finder{Text: text}
	for i, b := range text {
		if rarity[b] > rarity[text[f.offset]] {
			f.offset = i
		}
	}
	return f
}

// Index is like bytes.Index. bytes.IndexByte is the one search Go has in assembly for wasm; bytes.Index is not.
func (f *Finder) Index(text []byte) int {
	rare := f.Text[f.offset]
	for from := f.offset; from < len(text); {
		at := bytes.IndexByte(text[from:], rare)
		if at < 0 {
			return -1
		}
		start := from + at - f.offset
		if len(text)-start < len(f.Text) {
			return -1
		}
		if string(text[start:start+len(f.Text)]) == string(f.Text) {
			return start
		}
		from += at + 1
	}
	return -1
}

// Required is the longest text that every match of the expression contains; empty when there is none.
func Required(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		// Go's regexp reads a stray byte as U+FFFD, which then is not the bytes to look for.
		if re.Flags&syntax.FoldCase == 0 && !slices.Contains(re.Rune, utf8.RuneError) {
			return string(re.Rune)
		}
	case syntax.OpCapture, syntax.OpPlus:
		return Required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return Required(re.Sub[0])
		}
	case syntax.OpConcat:
		best := ""
		for _, sub := range re.Sub {
			if text := Required(sub); len(text) > len(best) {
				best = text
			}
		}
		return best
	}
	return ""
}
