package files

import (
	"bytes"
	"strings"
	"unicode"
)

func wordsOf(line string) map[string]bool {
	words := make(map[string]bool)
	for word := range strings.FieldsFuncSeq(line, notInWord) {
		words[word] = true
	}
	return words
}

func notInWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' }

// overlap is the share of words that two lines have in common (Jaccard).
func overlap(words map[string]bool, line []byte) float64 {
	shared, other := 0, 0
	for word := range bytes.FieldsFuncSeq(line, notInWord) {
		if words[string(word)] {
			shared++
		} else {
			other++
		}
	}
	if shared == 0 {
		return 0
	}
	return float64(min(shared, len(words))) / float64(len(words)+other)
}

// likenessBytesMax is where a line is too long to be compared letter by letter.
const likenessBytesMax = 500

// pairs is a line's pairs of neighbouring bytes: two lines that differ in a letter or two have nearly all of them in
// common, whatever their words are. Comparing takes time in proportion to the line.
type pairs struct {
	counts [1 << 16]uint16 // how often each pair occurs
	total  int
	met    []uint16 // those of the line that is compared, to be put back
}

func pairsOf(line string) *pairs {
	p := &pairs{}
	if len(line) > likenessBytesMax {
		return p
	}
	for i := 1; i < len(line); i++ {
		p.counts[pair(line, i)]++
		p.total++
	}
	return p
}

func pair(line string, at int) uint16 { return uint16(line[at-1])<<8 | uint16(line[at]) }

// alike is the share of pairs that two lines have in common (Dice), white space at their ends and its amount aside.
// A line of quite another length cannot have enough in common and is not looked at.
func (p *pairs) alike(line []byte) float64 {
	const totalMin = 3 // "}" is like everything
	line = bytes.TrimSpace(line)
	if p.total < totalMin || len(line) > 4*p.total || 3*len(line) < p.total {
		return 0
	}
	have := squeeze(string(line))
	p.met = p.met[:0]
	for i := 1; i < len(have); i++ {
		if one := pair(have, i); p.counts[one] > 0 {
			p.counts[one]--
			p.met = append(p.met, one)
		}
	}
	for _, one := range p.met {
		p.counts[one]++
	}
	return 2 * float64(len(p.met)) / float64(p.total+max(len(have)-1, 0))
}
