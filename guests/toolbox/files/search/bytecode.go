package search

import (
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

type kind uint8

const (
	fails kind = iota
	takes
	splits
	asserts
	matches
)

type instruction struct {
	kind       kind
	low, high  byte
	holds      syntax.EmptyOp
	out, other uint32
}

// instructionsMax keeps large Unicode classes and repetitions from growing the automaton beyond use.
const instructionsMax = 20_000

type translator struct {
	out    []instruction
	suffix map[[3]uint32]uint32 // shared byte ranges: (low, high, next) to the instruction
}

// compileBytes turns a program over characters into one over bytes of UTF-8. It is nil if that gets too large.
func compileBytes(prog *syntax.Prog) ([]instruction, uint32) {
	t := &translator{out: make([]instruction, len(prog.Inst)), suffix: make(map[[3]uint32]uint32)}
	for i := range prog.Inst {
		t.instruction(uint32(i), &prog.Inst[i])
		if len(t.out) > instructionsMax {
			return nil, 0
		}
	}
	return t.out, uint32(prog.Start)
}

func (t *translator) instruction(at uint32, in *syntax.Inst) {
	switch in.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		t.out[at] = instruction{kind: splits, out: in.Out, other: in.Arg}
	case syntax.InstCapture, syntax.InstNop:
		t.out[at] = instruction{kind: splits, out: in.Out, other: in.Out}
	case syntax.InstEmptyWidth:
		t.out[at] = instruction{kind: asserts, holds: syntax.EmptyOp(in.Arg), out: in.Out}
	case syntax.InstMatch:
		t.out[at] = instruction{kind: matches}
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		var heads []uint32
		for _, pair := range runePairs(in) {
			heads = t.characters(heads, pair[0], pair[1], in.Out)
		}
		t.out[at] = t.choice(heads)
	}
}

// runePairs are the ranges of characters an instruction takes.
func runePairs(in *syntax.Inst) [][2]rune {
	switch in.Op {
	case syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return [][2]rune{{0, unicode.MaxRune}}
	}
	if len(in.Rune) == 1 {
		first := in.Rune[0]
		pairs := [][2]rune{{first, first}}
		if syntax.Flags(in.Arg)&syntax.FoldCase != 0 {
			for other := unicode.SimpleFold(first); other != first; other = unicode.SimpleFold(other) {
				pairs = append(pairs, [2]rune{other, other})
			}
		}
		return pairs
	}
	var pairs [][2]rune
	for i := 0; i+1 < len(in.Rune); i += 2 {
		pairs = append(pairs, [2]rune{in.Rune[i], in.Rune[i+1]})
	}
	return pairs
}

// choice is an instruction that leads to any of the heads.
func (t *translator) choice(heads []uint32) instruction {
	if len(heads) == 0 {
		return instruction{kind: fails}
	}
	last := heads[len(heads)-1]
	for i := len(heads) - 2; i > 0; i-- {
		t.out = append(t.out, instruction{kind: splits, out: heads[i], other: last})
		last = uint32(len(t.out) - 1)
	}
	return instruction{kind: splits, out: heads[0], other: last}
}

func (t *translator) byteRange(low, high byte, out uint32) uint32 {
	key := [3]uint32{uint32(low), uint32(high), out}
	if at, ok := t.suffix[key]; ok {
		return at
	}
	t.out = append(t.out, instruction{kind: takes, low: low, high: high, out: out})
	at := uint32(len(t.out) - 1)
	t.suffix[key] = at
	return at
}

// characters adds the byte sequences of a range of characters, split where their UTF-8 forms change length.
func (t *translator) characters(heads []uint32, low, high rune, out uint32) []uint32 {
	if low <= utf8.RuneError && utf8.RuneError <= high {
		// Go's regexp reads a stray byte as U+FFFD. Too much is accepted here; confirms() asks again.
		heads = append(heads, t.byteRange(0x80, 0xff, out))
	}
	for _, last := range []rune{0x7f, 0x7ff, 0xffff, unicode.MaxRune} {
		if low > high {
			break
		}
		if low <= last {
			heads = t.sameLength(heads, low, min(high, last), out)
			low = last + 1
		}
	}
	return heads
}

// sameLength splits a range until every byte position is an independent range.
func (t *translator) sameLength(heads []uint32, low, high rune, out uint32) []uint32 {
	for shift := 6; shift < 21 && high > 0x7f; shift += 6 {
		mask := rune(1)<<shift - 1
		if low&^mask == high&^mask {
			continue
		}
		if low&mask != 0 {
			heads = t.sameLength(heads, low, low|mask, out)
			return t.sameLength(heads, low|mask+1, high, out)
		}
		if high&mask != mask {
			heads = t.sameLength(heads, low, high&^mask-1, out)
			return t.sameLength(heads, high&^mask, high, out)
		}
	}
	first, last := encode(low), encode(high)
	for i := len(first) - 1; i >= 0; i-- {
		out = t.byteRange(first[i], last[i], out)
	}
	return append(heads, out)
}

// encode is UTF-8 without the exception for surrogates, which only appear as bounds of ranges.
func encode(r rune) []byte {
	switch {
	case r <= 0x7f:
		return []byte{byte(r)}
	case r <= 0x7ff:
		return []byte{0xc0 | byte(r>>6), 0x80 | byte(r)&0x3f}
	case r <= 0xffff:
		return []byte{0xe0 | byte(r>>12), 0x80 | byte(r>>6)&0x3f, 0x80 | byte(r)&0x3f}
	}
	return []byte{0xf0 | byte(r>>18), 0x80 | byte(r>>12)&0x3f, 0x80 | byte(r>>6)&0x3f, 0x80 | byte(r)&0x3f}
}
