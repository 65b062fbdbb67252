package patch

import (
	"bytes"
	"slices"
	"strings"
)

var bom = []byte("\ufeff")

// Text is a file under change: its lines keep their endings.
type Text struct {
	lines   []string
	marked  bool // begins with a byte order mark
	windows bool // most lines end with CRLF
	floor   int  // lines before it belong to hunks already applied
	shift   int  // how far the last hunk was from where its header said
}

// NewText splits a file.
func NewText(whole []byte) *Text {
	text, marked := bytes.CutPrefix(whole, bom)
	t := &Text{marked: marked, lines: slices.Collect(strings.Lines(string(text)))}
	pairs := bytes.Count(text, []byte("\r\n"))
	t.windows = pairs > 0 && 2*pairs >= len(t.lines)
	return t
}

// Bytes is the text as it is now.
func (t *Text) Bytes() []byte {
	var out []byte
	if t.marked {
		out = append(out, bom...)
	}
	for _, line := range t.lines {
		out = append(out, line...)
	}
	return out
}

// Lines are the lines with their endings.
func (t *Text) Lines() []string { return t.lines }

// Reset lets hunks of another section begin at the top again.
func (t *Text) Reset() { t.floor, t.shift = 0, 0 }

// placesMax is how many places of an ambiguous hunk are listed.
const placesMax = 10

// Placed is where a hunk went in: its line, and how far that is from where its header said.
type Placed struct{ Line, Offset int }

// Misfit is why a hunk does not apply. Lines are the several places where it would.
type Misfit struct {
	Message string
	Lines   []int
}

// Apply puts one hunk in, behind those already applied.
func (t *Text) Apply(h *Hunk) (Placed, *Misfit) {
	want := h.Olds()
	if len(want) == 0 {
		if len(t.lines) > 0 {
			return Placed{}, &Misfit{Message: "it adds lines without any line of context, so its place cannot be checked: repeat the line before or behind them"}
		}
		t.replace(0, h)
		return Placed{Line: 1}, nil
	}
	expected := h.Line - 1 + t.shift
	if h.Line > 0 && expected >= t.floor && t.fits(expected, h, want) {
		return t.place(expected, h), nil
	}
	var found []int
	for at := t.floor; at+len(want) <= len(t.lines) && len(found) <= placesMax; at++ {
		if t.fits(at, h, want) {
			found = append(found, at)
		}
	}
	switch len(found) {
	case 0:
		return Placed{}, &Misfit{Message: "its old lines do not stand in the file"}
	case 1:
		return t.place(found[0], h), nil
	}
	misfit := &Misfit{Message: "its old lines stand in several places, and not where the header says: add lines of context"}
	for _, at := range found[:min(len(found), placesMax)] {
		misfit.Lines = append(misfit.Lines, at+1)
	}
	return Placed{}, misfit
}

func (t *Text) place(at int, h *Hunk) Placed {
	placed := Placed{Line: at + 1}
	if h.Line > 0 {
		placed.Offset = at - (h.Line - 1 + t.shift)
		t.shift += placed.Offset
	}
	t.replace(at, h)
	t.shift += h.added() - h.removed()
	return placed
}

// fits says whether the old lines stand at a place. A carriage return at a line's end that the hunk does not have is
// the file's own way of ending lines, and so is a missing newline at its very end.
func (t *Text) fits(at int, h *Hunk, want []string) bool {
	if at < 0 || at+len(want) > len(t.lines) {
		return false
	}
	old := -1
	for i, line := range h.Lines {
		if line[0] == '+' {
			continue
		}
		old++
		have, ended := strings.CutSuffix(t.lines[at+old], "\n")
		if ended && h.Unended[i] {
			return false
		}
		if line[1:] != have && line[1:] != strings.TrimSuffix(have, "\r") {
			return false
		}
	}
	return true
}

// replace puts the hunk's new lines in the place of its old ones; context keeps the file's own bytes.
func (t *Text) replace(at int, h *Hunk) {
	ending := "\n"
	if t.windows && !h.hasReturns() {
		ending = "\r\n"
	}
	var made []string
	old := at
	for i, line := range h.Lines {
		switch line[0] {
		case ' ':
			made = append(made, t.lines[old])
			old++
		case '-':
			old++
		default:
			text := line[1:]
			if !h.Unended[i] {
				text += ending
			}
			made = append(made, text)
		}
	}
	for i := range made { // a line that was the last one, without a newline, may no longer be
		if (i < len(made)-1 || old < len(t.lines)) && !strings.HasSuffix(made[i], "\n") {
			made[i] += ending
		}
	}
	t.lines = slices.Replace(t.lines, at, old, made...)
	t.floor = at + len(made)
}

// hasReturns says whether the hunk itself spells out carriage returns.
func (h *Hunk) hasReturns() bool {
	return slices.ContainsFunc(h.Lines, func(line string) bool { return strings.HasSuffix(line, "\r") })
}
