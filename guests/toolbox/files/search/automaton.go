package search

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
)

// The automaton is a lazily built deterministic automaton over bytes (Thompson 1968; Cox, "Regular Expression
// Matching in the Wild", 2010): Go's regexp costs about 30 ns a byte in wasm, a table look-up about 2.
// It answers one question: is there a line that matches? Lines never see each other, because a newline leads
// back to the start.

// statesMax bounds the table (1 KiB a state); when it is full it is emptied and built anew.
const statesMax = 2048

const (
	unknown  int32 = 0
	accepted int32 = 1
	initial  int32 = 2
)

const (
	afterWord   = 1 << 0 // the byte before was a word character
	atLineStart = 1 << 1
)

type automaton struct {
	prog   []instruction
	start  uint32
	cares  uint32 // the context bits that some assertion asks for; others would only multiply states
	table  [][256]int32
	places [][]uint32 // per state: its instructions, sorted, then its context bits
	index  map[string]int32
	seen   []uint32 // marks of the closure under way
	mark   uint32
	stack  []uint32
	set    []uint32
	next   []uint32
	key    []byte
}

// newAutomaton is nil for an expression too large to be worth it.
func newAutomaton(tree *syntax.Regexp) *automaton {
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil
	}
	a := &automaton{}
	if a.prog, a.start = compileBytes(prog); a.prog == nil {
		return nil
	}
	for i := range a.prog {
		if a.prog[i].holds&(syntax.EmptyWordBoundary|syntax.EmptyNoWordBoundary) != 0 {
			a.cares = afterWord
		}
	}
	a.seen = make([]uint32, len(a.prog))
	a.clear()
	return a
}

func (a *automaton) clear() {
	a.table = append(a.table[:0], [256]int32{}, [256]int32{})
	a.places = append(a.places[:0], nil, nil)
	a.index = make(map[string]int32)
	a.state([]uint32{a.start}, atLineStart)
}

// state finds or makes the state of a sorted set of instructions.
func (a *automaton) state(set []uint32, context uint32) int32 {
	a.key = a.key[:0]
	for _, at := range set {
		a.key = binary.LittleEndian.AppendUint32(a.key, at)
	}
	a.key = append(a.key, byte(context))
	if known, ok := a.index[string(a.key)]; ok {
		return known
	}
	id := int32(len(a.table))
	a.index[string(a.key)] = id
	a.table = append(a.table, [256]int32{})
	a.places = append(a.places, append(slices.Clone(set), context))
	return id
}

// find gives a place within (or at the end of) the first line that matches from `from`, a line's start; else -1.
func (a *automaton) find(text []byte, from int) int {
	state := initial
	table := a.table
	for at := from; at < len(text); at++ {
		next := table[state][text[at]]
		if next <= accepted {
			if next == unknown {
				next = a.extend(state, text[at])
				table = a.table
			}
			if next == accepted {
				return at
			}
		}
		state = next
	}
	if len(text) > from && text[len(text)-1] != '\n' || len(text) == from {
		if a.extend(state, '\n') == accepted {
			return len(text)
		}
	}
	return -1
}

// extend computes where one byte leads and remembers it.
func (a *automaton) extend(state int32, b byte) int32 {
	place := a.places[state]
	set, context := place[:len(place)-1], place[len(place)-1]
	next, matched := a.follow(set, context, b)
	to := initial
	switch {
	case matched:
		to = accepted
	case b != '\n':
		if len(a.table) >= statesMax {
			kept := slices.Clone(next)
			a.clear()
			return a.state(kept, contextAfter(b)&a.cares)
		}
		to = a.state(next, contextAfter(b)&a.cares)
	}
	a.table[state][b] = to
	return to
}

func contextAfter(b byte) uint32 {
	if isWord(b) {
		return afterWord
	}
	return 0
}

func isWord(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}

// follow closes the set over empty transitions, which the bytes on both sides decide, and takes the byte.
func (a *automaton) follow(set []uint32, context uint32, b byte) (next []uint32, matched bool) {
	a.closure(set, conditions(context, b))
	a.next = a.next[:0]
	for _, at := range a.set {
		in := &a.prog[at]
		switch {
		case in.kind == matches:
			return nil, true
		case in.kind == takes && in.low <= b && b <= in.high && b != '\n':
			a.next = append(a.next, in.out)
		}
	}
	a.next = append(a.next, a.start) // a match may begin at any byte
	slices.Sort(a.next)
	return slices.Compact(a.next), false
}

// conditions are the empty-width assertions that hold between what came before and the byte.
func conditions(context uint32, b byte) syntax.EmptyOp {
	var holds syntax.EmptyOp
	if context&atLineStart != 0 {
		holds |= syntax.EmptyBeginLine | syntax.EmptyBeginText
	}
	if b == '\n' || b == '\r' {
		holds |= syntax.EmptyEndLine | syntax.EmptyEndText
	}
	if (context&afterWord != 0) != isWord(b) {
		return holds | syntax.EmptyWordBoundary
	}
	return holds | syntax.EmptyNoWordBoundary
}

func (a *automaton) closure(set []uint32, holds syntax.EmptyOp) {
	a.mark++
	a.set = a.set[:0]
	a.stack = append(a.stack[:0], set...)
	for len(a.stack) > 0 {
		at := a.stack[len(a.stack)-1]
		a.stack = a.stack[:len(a.stack)-1]
		if a.seen[at] == a.mark {
			continue
		}
		a.seen[at] = a.mark
		in := &a.prog[at]
		switch in.kind {
		case splits:
			a.stack = append(a.stack, in.out, in.other)
		case asserts:
			if in.holds&^holds == 0 {
				a.stack = append(a.stack, in.out)
			}
		case takes, matches:
			a.set = append(a.set, at)
		}
	}
}
