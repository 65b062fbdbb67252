package sorting

import (
	"io"
	"slices"
	"strings"

	"capbox/toolbox/commands/kit"
)

// knot is one word of tsort's input.
type knot struct {
	name  string
	after []*knot // in the order of the input
	waits int     // for how many others
	gone  bool
}

// Tsort is the command tsort.
func Tsort(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{Usage: "[FILE]"})
	if done {
		return status
	}
	if len(opts.Operands) > 1 {
		return c.Usage(1, "extra operand '%s'", opts.Operands[1])
	}
	name := "-"
	if len(opts.Operands) == 1 {
		name = opts.Operands[0]
	}
	var words []string
	if status := c.Each([]string{name}, func(_ string, in io.Reader) error {
		raw, err := io.ReadAll(in)
		words = strings.Fields(string(raw))
		return err
	}); status != 0 {
		return status
	}
	if len(words)%2 != 0 {
		return c.Fail("%s: input contains an odd number of tokens", name)
	}
	return printSorted(c, name, words)
}

func printSorted(c *kit.Call, name string, words []string) int {
	knots := map[string]*knot{}
	var order []*knot
	find := func(word string) *knot {
		if knots[word] == nil {
			knots[word] = &knot{name: word}
			order = append(order, knots[word])
		}
		return knots[word]
	}
	for i := 0; i < len(words); i += 2 {
		before, after := find(words[i]), find(words[i+1])
		if before != after {
			before.after = append(before.after, after)
			after.waits++
		}
	}
	status := 0
	slices.SortFunc(order, func(a, b *knot) int { return strings.Compare(a.name, b.name) })
	var ready []*knot
	for _, one := range order {
		if one.waits == 0 {
			ready = append(ready, one)
		}
	}
	for left := len(order); left > 0; {
		if len(ready) == 0 {
			status = c.Fail("%s: input contains a loop:", name)
			ready = append(ready, breakLoop(c, order))
			continue
		}
		one := ready[0]
		ready = ready[1:]
		if one.gone {
			continue
		}
		one.gone = true
		left--
		c.Out.Line(one.name)
		for _, next := range slices.Backward(one.after) {
			if next.waits--; next.waits == 0 && !next.gone {
				ready = append(ready, next)
			}
		}
	}
	return status
}

// breakLoop names the words of one loop and frees one of them.
func breakLoop(c *kit.Call, order []*knot) *knot {
	at := 0
	for order[at].gone {
		at++
	}
	seen := map[*knot]int{}
	var path []*knot
	for one := order[at]; ; {
		if start, met := seen[one]; met {
			for _, member := range path[start:] {
				c.Fail("%s", member.name)
			}
			one.waits = 0
			return one
		}
		seen[one] = len(path)
		path = append(path, one)
		one = waitsFor(order, one)
	}
}

// waitsFor is a word that is not printed yet and must come before the given one.
func waitsFor(order []*knot, one *knot) *knot {
	for _, other := range order {
		if other.gone {
			continue
		}
		for _, next := range other.after {
			if next == one {
				return other
			}
		}
	}
	return one
}
