package compare

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"capbox/toolbox/commands/kit"
)

// contextual is diff's format of 1980: both sides of a hunk one after the other, with !, - and +.
func (s diffSides) contextual(out *kit.Output, edits []edit, context int, title func(from int) string) {
	for _, hunk := range hunks(edits, context) {
		first, last := hunk[0], hunk[len(hunk)-1]
		before := min(context, first.fromA)
		after := min(context, len(s.a)-last.toA)
		out.Line("***************" + title(first.fromA-before))
		out.Line("*** " + lineRange(first.fromA-before, last.toA+after) + " ****")
		s.contextSide(out, hunk, first.fromA-before, last.toA+after, true)
		out.Line("--- " + lineRange(first.fromB-before, last.toB+after) + " ----")
		s.contextSide(out, hunk, first.fromB-before, last.toB+after, false)
	}
}

// contextSide shows one side of a hunk, nothing if nothing of it changed.
func (s diffSides) contextSide(out *kit.Output, hunk []edit, at, end int, old bool) {
	lines, ended, changed := s.b, s.endB, false
	if old {
		lines, ended = s.a, s.endA
	}
	for _, e := range hunk {
		changed = changed || old && e.fromA < e.toA || !old && e.fromB < e.toB
	}
	if !changed {
		return
	}
	for _, e := range hunk {
		from, to, mark := e.fromB, e.toB, "+ "
		if old {
			from, to, mark = e.fromA, e.toA, "- "
		}
		if e.fromA < e.toA && e.fromB < e.toB {
			mark = "! "
		}
		s.put(out, "  ", lines, at, from, ended)
		s.put(out, mark, lines, from, to, ended)
		at = to
	}
	s.put(out, "  ", lines, at, end, ended)
}

// hunks groups edits whose contexts touch.
func hunks(edits []edit, context int) [][]edit {
	var all [][]edit
	for start := 0; start < len(edits); {
		end := start + 1
		for end < len(edits) && edits[end].fromA-edits[end-1].toA <= 2*context {
			end++
		}
		all = append(all, edits[start:end])
		start = end
	}
	return all
}

// script is diff -e: what ed would have to do, from the end to the start.
func (s diffSides) script(out *kit.Output, edits []edit) {
	for i := len(edits) - 1; i >= 0; i-- {
		e := edits[i]
		switch {
		case e.fromB == e.toB:
			out.Line(lineRange(e.fromA, e.toA) + "d")
			continue
		case e.fromA == e.toA:
			out.Line(strconv.Itoa(e.fromA) + "a")
		default:
			out.Line(lineRange(e.fromA, e.toA) + "c")
		}
		for _, line := range s.b[e.fromB:e.toB] {
			out.Line(line)
		}
		out.Line(".")
	}
}

// beside is diff -y: two columns and what parts them.
type beside struct {
	out                *kit.Output
	half, second       int
	common, leftColumn bool
}

func newBeside(out *kit.Output, width int, common, leftColumn bool) *beside {
	offset := (width + 8 + 3) / 16 * 8 // a gutter of three, the second column at a tab stop
	half := max(0, min(offset-3, width-offset))
	if half == 0 {
		offset = width
	}
	return &beside{out: out, half: half, second: offset, common: common, leftColumn: leftColumn}
}

func (b *beside) print(s diffSides, edits []edit) {
	at := 0
	common := func(to int) {
		for ; at < to && b.common; at++ {
			if b.leftColumn {
				b.row(s.a[at:at+1], '(', nil)
			} else {
				b.row(s.a[at:at+1], ' ', s.a[at:at+1])
			}
		}
	}
	for _, e := range edits {
		common(e.fromA)
		left, right := s.a[e.fromA:e.toA], s.b[e.fromB:e.toB]
		for len(left) > 0 && len(right) > 0 {
			b.row(left[:1], '|', right[:1])
			left, right = left[1:], right[1:]
		}
		for i := range left {
			b.row(left[i:i+1], '<', nil)
		}
		for i := range right {
			b.row(nil, '>', right[i:i+1])
		}
		at = e.toA
	}
	common(len(s.a))
}

func (b *beside) row(left []string, mark byte, right []string) {
	column := 0
	for _, line := range left {
		column = b.cell(line, 0)
	}
	if mark != ' ' {
		column = b.tabs(column, (b.half+b.second-1)/2) + 1
		b.out.WriteByte(mark)
	}
	for _, line := range right {
		if line != "" {
			b.cell(line, b.tabs(column, b.second))
		}
	}
	b.out.WriteByte('\n')
}

// tabs goes from a column to another by tabs, then blanks.
func (b *beside) tabs(from, to int) int {
	for next := from + 8 - from%8; next <= to; next += 8 {
		b.out.WriteByte('\t')
		from = next
	}
	b.out.WriteString(strings.Repeat(" ", max(0, to-from)))
	return max(from, to)
}

// cell writes as much of a line as fits, and gives the column after it.
func (b *beside) cell(line string, indent int) int {
	in, shown := 0, 0
	for line != "" {
		r, size := utf8.DecodeRuneInString(line)
		if r == '\t' {
			next := in + 8 - in%8
			if in == shown && next < b.half {
				b.out.WriteByte('\t')
				shown = next
			}
			in = next
		} else if in++; in <= b.half {
			b.out.WriteString(line[:size])
			shown = in
		}
		line = line[size:]
	}
	return indent + shown
}

// lineFormats are what --old-line-format and its like print for lines that went, came or stayed.
type lineFormats struct{ old, new, same string }

// print gives every line its form: %L the line, %l without its end, %% a sign. False for a form that is not known.
func (f lineFormats) print(out *kit.Output, s diffSides, edits []edit) bool {
	for _, format := range []string{f.old, f.new, f.same} {
		if _, ok := lineForm(format, "", true); !ok {
			return false
		}
	}
	put := func(format string, lines []string, from, to, count int, ended bool) {
		for i := from; i < to; i++ {
			text, _ := lineForm(format, lines[i], i < count-1 || ended)
			out.WriteString(text)
		}
	}
	at := 0
	for _, e := range edits {
		put(f.same, s.a, at, e.fromA, len(s.a), s.endA)
		put(f.old, s.a, e.fromA, e.toA, len(s.a), s.endA)
		put(f.new, s.b, e.fromB, e.toB, len(s.b), s.endB)
		at = e.toA
	}
	put(f.same, s.a, at, len(s.a), len(s.a), s.endA)
	return true
}

func lineForm(format, line string, ended bool) (string, bool) {
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			out.WriteByte(format[i])
			continue
		}
		i++
		switch format[i] {
		case '%':
			out.WriteByte('%')
		case 'l':
			out.WriteString(line)
		case 'L':
			out.WriteString(line)
			if ended {
				out.WriteByte('\n')
			}
		default:
			return "", false
		}
	}
	return out.String(), true
}
