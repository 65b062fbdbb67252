package compare

import (
	"fmt"

	"capbox/toolbox/commands/kit"
)

// edit says that lines fromA..toA of the first text became fromB..toB of the second (ends excluded, from 0).
type edit struct{ fromA, toA, fromB, toB int }

// costMax bounds the search for one shortest path; beyond it a good path will do.
const costMax = 512

// compareLines gives the edits between two texts: Myers' O(ND) algorithm in linear space ("An O(ND) Difference
// Algorithm and Its Variations", 1986, section 4b) over numbered lines. Lines that the other text does not have are
// set aside first, as GNU diff does: they are in no common part.
func compareLines(a, b []string) []edit {
	numbers := map[string]int{}
	number := func(lines []string) []int {
		out := make([]int, len(lines))
		for i, line := range lines {
			n, ok := numbers[line]
			if !ok {
				n = len(numbers)
				numbers[line] = n
			}
			out[i] = n
		}
		return out
	}
	allA, allB := number(a), number(b)
	keptA, placesA := shared(allA, allB, len(numbers))
	keptB, placesB := shared(allB, allA, len(numbers))
	m := &myers{a: keptA, b: keptB}
	size := len(keptA) + len(keptB) + 3
	m.forward, m.backward = make([]int, 2*size+1), make([]int, 2*size+1)
	m.compare(0, len(keptA), 0, len(keptB))
	return allEdits(m.edits, placesA, placesB, len(a), len(b))
}

// shared keeps the lines that the other side has too, with their places.
func shared(lines, others []int, count int) (kept, places []int) {
	has := make([]bool, count)
	for _, n := range others {
		has[n] = true
	}
	for i, n := range lines {
		if has[n] {
			kept, places = append(kept, n), append(places, i)
		}
	}
	return kept, places
}

// allEdits turns the edits of the kept lines into edits of all lines: whatever lies between two common lines changed.
func allEdits(edits []edit, placesA, placesB []int, lenA, lenB int) []edit {
	var out []edit
	atA, atB := 0, 0
	common := func(a, b int) {
		if a > atA || b > atB {
			out = append(out, edit{atA, a, atB, b})
		}
		atA, atB = a+1, b+1
	}
	i, j := 0, 0
	for _, e := range append(edits, edit{len(placesA), len(placesA), len(placesB), len(placesB)}) {
		for ; i < e.fromA; i, j = i+1, j+1 {
			common(placesA[i], placesB[j])
		}
		i, j = e.toA, e.toB
	}
	common(lenA, lenB)
	return out
}

type myers struct {
	a, b              []int
	forward, backward []int
	edits             []edit
}

func (m *myers) add(e edit) {
	if n := len(m.edits); n > 0 && m.edits[n-1].toA == e.fromA && m.edits[n-1].toB == e.fromB {
		m.edits[n-1].toA, m.edits[n-1].toB = e.toA, e.toB
		return
	}
	m.edits = append(m.edits, e)
}

func (m *myers) compare(a0, a1, b0, b1 int) {
	for a0 < a1 && b0 < b1 && m.a[a0] == m.b[b0] {
		a0++
		b0++
	}
	for a0 < a1 && b0 < b1 && m.a[a1-1] == m.b[b1-1] {
		a1--
		b1--
	}
	if a0 == a1 || b0 == b1 {
		if a0 < a1 || b0 < b1 {
			m.add(edit{a0, a1, b0, b1})
		}
		return
	}
	x, y := m.middle(a0, a1, b0, b1)
	if x == a0 && y == b0 || x == a1 && y == b1 {
		m.add(edit{a0, a1, b0, b1})
		return
	}
	m.compare(a0, x, b0, y)
	m.compare(x, a1, y, b1)
}

// middle is a point on a shortest path, found from both ends at once.
func (m *myers) middle(a0, a1, b0, b1 int) (x, y int) {
	n, k := a1-a0, b1-b0
	delta, middle := n-k, len(m.forward)/2
	limit := (n+k+1)/2 + 1
	m.forward[middle+1], m.backward[middle+1] = 0, 0
	for d := 0; d <= limit; d++ {
		for diagonal := -d; diagonal <= d; diagonal += 2 {
			x := furthest(m.forward, middle, diagonal, d)
			y := x - diagonal
			for x < n && y < k && y >= 0 && m.a[a0+x] == m.b[b0+y] {
				x++
				y++
			}
			m.forward[middle+diagonal] = x
			other := delta - diagonal
			if delta%2 != 0 && other >= -(d-1) && other <= d-1 && x+m.backward[middle+other] >= n {
				return clampPoint(a0+x, a0, a1), clampPoint(b0+y, b0, b1)
			}
		}
		for diagonal := -d; diagonal <= d; diagonal += 2 {
			x := furthest(m.backward, middle, diagonal, d)
			y := x - diagonal
			for x < n && y < k && y >= 0 && m.a[a1-1-x] == m.b[b1-1-y] {
				x++
				y++
			}
			m.backward[middle+diagonal] = x
			other := delta - diagonal
			if delta%2 == 0 && other >= -d && other <= d && x+m.forward[middle+other] >= n {
				return clampPoint(a1-x, a0, a1), clampPoint(b1-y, b0, b1)
			}
		}
		if d >= costMax {
			return m.best(d, a0, a1, b0, b1)
		}
	}
	return a0, b0
}

// best is the point that the search from the start got furthest to.
func (m *myers) best(d, a0, a1, b0, b1 int) (x, y int) {
	middle, most := len(m.forward)/2, -1
	for diagonal := -d; diagonal <= d; diagonal += 2 {
		reachX := min(m.forward[middle+diagonal], a1-a0)
		reachY := reachX - diagonal
		if reachY > b1-b0 {
			reachX, reachY = b1-b0+diagonal, b1-b0
		}
		if reachX >= 0 && reachY >= 0 && reachX+reachY > most {
			most, x, y = reachX+reachY, a0+reachX, b0+reachY
		}
	}
	return x, y
}

func furthest(reach []int, middle, diagonal, d int) int {
	if diagonal == -d || diagonal != d && reach[middle+diagonal-1] < reach[middle+diagonal+1] {
		return reach[middle+diagonal+1]
	}
	return reach[middle+diagonal-1] + 1
}

func clampPoint(n, low, high int) int { return min(max(n, low), high) }

// diffSides are the two texts as they are shown, and whether each ends in a newline.
type diffSides struct {
	a, b       []string
	endA, endB bool
}

func (s diffSides) put(out *kit.Output, mark string, lines []string, from, to int, ended bool) {
	for i := from; i < to; i++ {
		out.Line(mark + lines[i])
		if i == len(lines)-1 && !ended {
			out.Line("\\ No newline at end of file")
		}
	}
}

// normal is diff's old format: 2c2, < and >.
func (s diffSides) normal(out *kit.Output, edits []edit) {
	for _, e := range edits {
		letter := "c"
		switch {
		case e.fromA == e.toA:
			letter = "a"
		case e.fromB == e.toB:
			letter = "d"
		}
		out.Line(lineRange(e.fromA, e.toA) + letter + lineRange(e.fromB, e.toB))
		s.put(out, "< ", s.a, e.fromA, e.toA, s.endA)
		if letter == "c" {
			out.Line("---")
		}
		s.put(out, "> ", s.b, e.fromB, e.toB, s.endB)
	}
}

func lineRange(from, to int) string {
	switch to - from {
	case 0:
		return fmt.Sprint(from)
	case 1:
		return fmt.Sprint(from + 1)
	}
	return fmt.Sprintf("%d,%d", from+1, to)
}

// unified shows hunks with - and +. title is what stands behind the place of a hunk.
func (s diffSides) unified(out *kit.Output, edits []edit, context int, title func(from int) string) {
	for _, hunk := range hunks(edits, context) {
		first, last := hunk[0], hunk[len(hunk)-1]
		before := min(context, first.fromA)
		after := min(context, len(s.a)-last.toA)
		at := first.fromA - before
		out.Line("@@ -" + UnifiedRange(at, last.toA+after) + " +" + UnifiedRange(first.fromB-before, last.toB+after) + " @@" + title(at))
		for _, e := range hunk {
			s.put(out, " ", s.a, at, e.fromA, s.endA)
			s.put(out, "-", s.a, e.fromA, e.toA, s.endA)
			s.put(out, "+", s.b, e.fromB, e.toB, s.endB)
			at = e.toA
		}
		s.put(out, " ", s.a, at, last.toA+after, s.endA)
	}
}

// UnifiedRange is a range of lines as the head of a unified hunk names it.
func UnifiedRange(from, to int) string {
	switch to - from {
	case 0:
		return fmt.Sprintf("%d,0", from)
	case 1:
		return fmt.Sprint(from + 1)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}
