package search

import (
	"bytes"
	"regexp/syntax"
	"slices"
	"unicode/utf8"

	"capbox/toolbox/literal"
)

const (
	// severalMax is how many texts, of which every match contains one, are looked for at once.
	severalMax = 4
	probesMax  = 5
	// rarityMin leaves the commonest bytes out: stopping at each of them costs more than the automaton.
	rarityMin = 12
)

// piece is a text that a match contains; folded, in ASCII lower case, if upper case counts as the same.
type piece struct {
	text   string
	folded bool
}

// probe is one byte that is looked for on behalf of one piece.
type probe struct {
	char   byte
	piece  int
	offset int // of the byte in the piece
	next   int // its first place at or after the last question; -1 when it is not known yet
}

// several looks for any of some texts: by the rarest byte of each, remembering where each byte comes next, so that a
// text is passed over once for each of them, however often it is asked.
type several struct {
	pieces []piece
	probes []probe
	passed int // bytes looked through
	stops  int // places that a byte named and no piece stood at
}

// tired is true where the bytes turned out to be common: a stop costs about as much as the automaton for so many bytes.
func (s *several) tired() bool {
	const stopsMin, bytesEach = 2048, 24
	return s.stops > stopsMin && s.stops*bytesEach > s.passed
}

// newSeveral is nil when the pieces hold no bytes rare enough.
func newSeveral(pieces []piece) *several {
	if len(pieces) == 0 || len(pieces) > severalMax {
		return nil
	}
	s := &several{pieces: pieces}
	for number, one := range pieces {
		best, bestRank := 0, -1
		for i := range len(one.text) {
			if rank := one.rank(i); rank > bestRank {
				best, bestRank = i, rank
			}
		}
		if bestRank < rarityMin {
			return nil
		}
		s.probes = append(s.probes, probe{char: one.text[best], piece: number, offset: best})
		if upper := upperOf(one.text[best]); one.folded && upper != one.text[best] {
			s.probes = append(s.probes, probe{char: upper, piece: number, offset: best})
		}
	}
	if len(s.probes) > probesMax {
		return nil
	}
	return s
}

func (p *piece) rank(at int) int {
	rank := literal.Rarity(p.text[at])
	if p.folded {
		rank = min(rank, literal.Rarity(upperOf(p.text[at])))
	}
	return rank
}

func upperOf(b byte) byte {
	if 'a' <= b && b <= 'z' {
		return b - 'a' + 'A'
	}
	return b
}

func lowerOf(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b - 'A' + 'a'
	}
	return b
}

// begin forgets the places found in the last text.
func (s *several) begin() {
	for i := range s.probes {
		s.probes[i].next = -1
	}
}

// index gives a place within the first piece that lies behind `from`; -1 when there is none. Between two begins the
// text stays the same and `from` does not go back.
func (s *several) index(text []byte, from int) int {
	at := s.find(text, from)
	if at < 0 {
		s.passed += len(text) - from
	} else {
		s.passed += at - from
	}
	return at
}

func (s *several) find(text []byte, from int) int {
	for {
		first := -1
		for i := range s.probes {
			p := &s.probes[i]
			if p.next < from {
				p.next = len(text)
				if at := bytes.IndexByte(text[from:], p.char); at >= 0 {
					p.next = from + at
				}
			}
			if first < 0 || p.next < s.probes[first].next {
				first = i
			}
		}
		p := &s.probes[first]
		if p.next == len(text) {
			return -1
		}
		if start := p.next - p.offset; s.pieces[p.piece].stands(text, start) {
			return p.next
		}
		s.stops++
		from = p.next
		p.next = len(text)
		if at := bytes.IndexByte(text[from+1:], p.char); at >= 0 {
			p.next = from + 1 + at
		}
	}
}

func (p *piece) stands(text []byte, start int) bool {
	if start < 0 || len(text)-start < len(p.text) {
		return false
	}
	text = text[start : start+len(p.text)]
	if !p.folded {
		return string(text) == p.text
	}
	for i, b := range text {
		if lowerOf(b) != p.text[i] {
			return false
		}
	}
	return true
}

// requiredAny are texts of which every match contains at least one; none when there are none or too many.
func requiredAny(re *syntax.Regexp) []piece {
	switch re.Op {
	case syntax.OpLiteral:
		return pieceOf(re)
	case syntax.OpCapture, syntax.OpPlus:
		return requiredAny(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return requiredAny(re.Sub[0])
		}
	case syntax.OpConcat:
		var best []piece
		for _, sub := range re.Sub {
			if found := requiredAny(sub); weight(found) > weight(best) {
				best = found
			}
		}
		return best
	case syntax.OpAlternate:
		var all []piece
		for _, sub := range re.Sub {
			found := requiredAny(sub)
			if all = append(all, found...); len(found) == 0 || len(all) > severalMax {
				return nil
			}
		}
		return all
	}
	return nil
}

// weight is how telling a choice of pieces is: the shortest of them, rather fewer than more.
func weight(pieces []piece) int {
	if len(pieces) == 0 {
		return 0
	}
	shortest := slices.MinFunc(pieces, func(a, b piece) int { return len(a.text) - len(b.text) })
	return 1 + 8*len(shortest.text)/len(pieces)
}

// pieceOf is the longest part of a literal that can be looked for byte by byte. Without regard to case k and s have a
// third form each beyond ASCII, and so may every other character.
func pieceOf(re *syntax.Regexp) []piece {
	if slices.Contains(re.Rune, utf8.RuneError) {
		return nil // as which Go's regexp reads a stray byte
	}
	if re.Flags&syntax.FoldCase == 0 {
		return []piece{{text: string(re.Rune)}}
	}
	var best, run []byte
	for _, r := range re.Rune {
		b := lowerOf(byte(r))
		if r >= utf8.RuneSelf || b == 'k' || b == 's' {
			run = nil
			continue
		}
		if run = append(run, b); len(run) > len(best) {
			best = slices.Clone(run)
		}
	}
	if len(best) == 0 {
		return nil
	}
	return []piece{{text: string(best), folded: true}}
}
