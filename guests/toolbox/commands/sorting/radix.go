package sorting

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strings"
)

const (
	insertionMax  = 12 // up to so many are sorted by insertion
	radixDepthMax = 64 // beyond so many equal bytes of text lines are compared: recursion must end
)

// sortEntry is a line by its number, with eight bytes of its key. It holds no pointer, so that moving it costs the
// garbage collector nothing.
type sortEntry struct {
	key uint64
	at  uint32
}

// sorting puts lines in order by the bytes of their first key, most significant first; it is stable.
type sorting struct {
	order   *sortOrder
	lines   []string
	texts   []string // the first keys if they are text, nil if they are numbers
	reverse bool
	whole   bool // whether the texts are the lines, so that equal texts need no other key
	spare   []sortEntry
}

// newSorting prepares the first key of each line.
func newSorting(order *sortOrder, lines []string) (*sorting, []sortEntry) {
	kind := order.global
	if len(order.keys) > 0 {
		kind = order.keys[0].kind
	}
	entries := make([]sortEntry, len(lines))
	s := &sorting{order: order, lines: lines, reverse: kind.reverse, spare: make([]sortEntry, len(lines))}
	switch {
	case len(order.keys) == 0 && kind == sortKind{any: kind.any, reverse: kind.reverse}:
		s.texts, s.whole = lines, true
	case kind.letter == 0 || kind.letter == 'R':
		s.texts = make([]string, len(lines))
		for i, line := range lines {
			s.texts[i] = order.prepare(kind, order.part(0, line)).text
		}
	default:
		for i, line := range lines {
			entries[i] = sortEntry{s.turned(orderedBits(order.prepare(kind, order.part(0, line)).number)), uint32(i)}
		}
		return s, entries
	}
	for i := range entries {
		entries[i].at = uint32(i)
	}
	s.load(entries, 0)
	return s, entries
}

// turned is the key under which greater ones come first if the order is reversed.
func (s *sorting) turned(key uint64) uint64 {
	if s.reverse {
		return ^key
	}
	return key
}

// orderedBits is a number as bits that compare like it; both zeros are one, and what is no number comes first.
func orderedBits(number float64) uint64 {
	if number != number {
		return 0
	}
	raw := math.Float64bits(number + 0)
	if number == 0 {
		raw = 0
	}
	if raw>>63 != 0 {
		return ^raw
	}
	return raw | 1<<63
}

// load takes the eight bytes of each text at a depth; shorter texts are filled with zeros.
func (s *sorting) load(entries []sortEntry, depth int) {
	var short [8]byte
	for i := range entries {
		text := s.texts[entries[i].at]
		if len(text) >= depth+8 {
			copy(short[:], text[depth:])
		} else {
			short = [8]byte{}
			copy(short[:], text[min(depth, len(text)):])
		}
		entries[i].key = s.turned(binary.BigEndian.Uint64(short[:]))
	}
}

// radix sorts entries whose texts are the same before the depth.
func (s *sorting) radix(entries []sortEntry, depth int) {
	if len(entries) <= insertionMax {
		s.insertion(entries, depth)
		return
	}
	different := uint64(0)
	for i := range entries {
		different |= entries[i].key ^ entries[0].key
	}
	if different == 0 {
		s.same(entries, depth)
		return
	}
	shift := (63 - bits.LeadingZeros64(different)) &^ 7
	var ends [256]uint32
	for i := range entries {
		ends[byte(entries[i].key>>shift)]++
	}
	total := uint32(0)
	for i, count := range ends {
		ends[i] = total
		total += count
	}
	spare := s.spare[:len(entries)]
	for i := range entries {
		to := &ends[byte(entries[i].key>>shift)]
		spare[*to] = entries[i]
		*to++
	}
	copy(entries, spare)
	start := uint32(0)
	for _, end := range ends {
		if end-start > 1 {
			s.radix(entries[start:end], depth)
		}
		start = end
	}
}

// same goes on where all keys are equal: with the next bytes of the texts, or with the next order.
func (s *sorting) same(entries []sortEntry, depth int) {
	if s.texts == nil {
		s.tied(entries)
		return
	}
	depth += 8
	ended := 0
	for _, one := range entries {
		if len(s.texts[one.at]) <= depth {
			ended++
		}
	}
	switch {
	case depth >= radixDepthMax || ended > 0 && ended < len(entries):
		slices.SortStableFunc(entries, func(a, b sortEntry) int { return s.compareTexts(a, b) })
	case ended == 0:
		s.load(entries, depth)
		s.radix(entries, depth)
	case slices.ContainsFunc(entries, func(one sortEntry) bool { return s.texts[one.at] != s.texts[entries[0].at] }):
		// They differ in how many zero bytes they end with.
		slices.SortStableFunc(entries, func(a, b sortEntry) int { return s.compareTexts(a, b) })
	default:
		s.tied(entries)
	}
}

// tied orders lines whose first keys are equal.
func (s *sorting) tied(entries []sortEntry) {
	switch {
	case s.whole || s.order.stable && len(s.order.keys) <= 1:
	case len(s.order.keys) <= 1:
		lines := &sorting{order: s.order, lines: s.lines, texts: s.lines, reverse: s.order.reverse, whole: true, spare: s.spare}
		lines.load(entries, 0)
		lines.radix(entries, 0)
	default:
		slices.SortStableFunc(entries, s.compareRest)
	}
}

func (s *sorting) insertion(entries []sortEntry, depth int) {
	for i := 1; i < len(entries); i++ {
		one := entries[i]
		at := i
		for at > 0 && s.before(one, entries[at-1], depth) {
			entries[at] = entries[at-1]
			at--
		}
		entries[at] = one
	}
}

// before says whether a comes before b; both are the same before the depth.
func (s *sorting) before(a, b sortEntry, depth int) bool {
	if a.key != b.key {
		return a.key < b.key
	}
	if s.texts == nil {
		return s.compareRest(a, b) < 0
	}
	return s.compareTexts(a, b) < 0
}

// compareTexts compares the first keys, then the rest.
func (s *sorting) compareTexts(a, b sortEntry) int {
	d := strings.Compare(s.texts[a.at], s.texts[b.at])
	if s.reverse {
		d = -d
	}
	if d == 0 && !s.whole {
		return s.compareRest(a, b)
	}
	return d
}

// compareRest compares by all keys but the first, then by the whole lines.
func (s *sorting) compareRest(a, b sortEntry) int {
	return s.order.compareFrom(1, s.lines[a.at], s.lines[b.at])
}

// equal says whether two lines are one for -u; keys of numbers are still those of the start.
func (s *sorting) equal(a, b sortEntry) bool {
	if s.texts == nil {
		return a.key == b.key && s.compareRest(a, b) == 0
	}
	return s.texts[a.at] == s.texts[b.at] && (s.whole || s.compareRest(a, b) == 0)
}

// sorted sorts, and drops equal lines if unique is asked for.
func (o *sortOrder) sorted(lines []string) []string {
	if o.unique {
		o.stable = true
	}
	first := o.global
	if len(o.keys) > 0 {
		first = o.keys[0].kind
	}
	if first.letter == 'V' {
		return o.sortedVersions(lines, first)
	}
	s, entries := newSorting(o, lines)
	s.radix(entries, 0)
	if o.unique {
		entries = slices.CompactFunc(entries, s.equal)
	}
	out := make([]string, len(entries))
	for i, one := range entries {
		out[i] = lines[one.at]
	}
	return out
}

// sortedVersions compares: versions have no bytes that order them.
func (o *sortOrder) sortedVersions(lines []string, kind sortKind) []string {
	type keyed struct {
		line  string
		first prepared
	}
	all := make([]keyed, len(lines))
	for i, line := range lines {
		all[i] = keyed{line, o.prepare(kind, o.part(0, line))}
	}
	slices.SortStableFunc(all, func(a, b keyed) int {
		return cmp.Or(comparePrepared(kind, a.first, b.first), o.compareFrom(1, a.line, b.line))
	})
	for i := range all {
		lines[i] = all[i].line
	}
	if o.unique {
		lines = slices.CompactFunc(lines, func(a, b string) bool { return o.compare(a, b) == 0 })
	}
	return lines
}
