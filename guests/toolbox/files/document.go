package files

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

var (
	lf   = []byte("\n")
	crlf = []byte("\r\n")
	mark = []byte("\ufeff")
)

// trackedMax bounds how many changed places are remembered for the snippet.
const trackedMax = 100

type span struct{ start, end int }

// document is a text under edit: its byte order mark kept apart, its line endings known.
type document struct {
	text         []byte
	marked       bool
	windows      bool // most lines end with CRLF
	replacements int
	spans        []span // changed places, in the coordinates of the text as it is now
}

func newDocument(whole []byte) *document {
	text, marked := bytes.CutPrefix(whole, mark)
	pairs := bytes.Count(text, crlf)
	return &document{text: text, marked: marked, windows: pairs > 0 && 2*pairs >= bytes.Count(text, lf)}
}

func (d *document) bytes() []byte {
	if d.marked {
		return append(slices.Clone(mark), d.text...)
	}
	return d.text
}

// apply makes one change or says why not.
func (d *document) apply(p place, one change) *refusal {
	old := bytes.TrimPrefix([]byte(*one.Old), mark)
	with := bytes.TrimPrefix([]byte(*one.New), mark)
	if len(old) == 0 {
		return &refusal{"invalid_arguments", "old is only a byte order mark, which edit keeps as it is."}
	}
	at := bytes.Index(d.text, old)
	switch {
	case at < 0 && bytes.Contains(old, lf) && bytes.Contains(d.text, crlf):
		old, with = toWindows(old), toWindows(with)
		at = bytes.Index(d.text, old)
	case at >= 0 && d.windows && bytes.Count(old, lf) == bytes.Count(old, crlf):
		with = toWindows(with)
	}
	if at < 0 {
		return &refusal{"no_match", fmt.Sprintf("%s: old was not found. %s", p.shown, d.hint(*one.Old))}
	}
	if bytes.Equal(old, with) {
		return &refusal{"invalid_arguments", "old and new are the same but for line endings, which edit keeps."}
	}
	if !one.All && bytes.Contains(d.text[at+1:], old) {
		return &refusal{"not_unique", d.ambiguous(p, old)}
	}
	d.substitute(old, with, at)
	return nil
}

func toWindows(text []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(text, crlf, lf), lf, crlf)
}

// ambiguous says where the text occurs; occurrences may overlap.
func (d *document) ambiguous(p place, old []byte) string {
	const listed = 10
	var places []string
	count, line, from := 0, 1, 0
	for at := 0; ; at++ {
		next := bytes.Index(d.text[at:], old)
		if next < 0 {
			break
		}
		at += next
		if count++; count <= listed {
			line += bytes.Count(d.text[from:at], lf)
			from = at
			places = append(places, fmt.Sprint(line))
		}
	}
	more := ""
	if count > listed {
		more = ", ..."
	}
	return fmt.Sprintf("%s: old occurs %d times (lines %s%s). Add neighbouring lines until it is unique, or set all to true.",
		p.shown, count, strings.Join(places, ", "), more)
}

// substitute replaces every occurrence from the first on; the caller has seen that it is one, or all are meant.
func (d *document) substitute(old, with []byte, first int) {
	shift := len(with) - len(old)
	out := make([]byte, 0, len(d.text)+bytes.Count(d.text[first:], old)*shift)
	var starts []int // of each occurrence, in the text before
	from := 0
	for at := first; at >= 0; {
		starts = append(starts, at)
		out = append(append(out, d.text[from:at]...), with...)
		from = at + len(old)
		if next := bytes.Index(d.text[from:], old); next >= 0 {
			at = from + next
		} else {
			at = -1
		}
	}
	for i := range d.spans {
		d.spans[i] = d.spans[i].moved(starts, len(old), shift)
	}
	for i, start := range starts {
		if len(d.spans) < trackedMax {
			now := start + i*shift
			d.spans = append(d.spans, span{now, now + len(with)})
		}
	}
	d.replacements += len(starts)
	d.text = append(out, d.text[from:]...)
}

// moved is where an earlier change lies after occurrences at `starts` of the given length changed their size.
func (s span) moved(starts []int, length, shift int) span {
	move := func(at int) int {
		before, _ := slices.BinarySearch(starts, at)
		if before > 0 && starts[before-1]+length > at { // inside a replaced text: its end
			return starts[before-1] + length + before*shift
		}
		return at + before*shift
	}
	start := move(s.start)
	return span{start, max(start, move(s.end))}
}

// snippet shows the changed lines with three lines around them.
func (d *document) snippet(out *page) {
	const around, linesMax, charsMax = 3, 60, 300
	slices.SortFunc(d.spans, func(a, b span) int { return a.start - b.start })
	lines := bytes.Split(d.text, lf)
	if len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	shown, next := 0, 0 // next: index of the first line not yet shown
	number, counted := 0, 0
	for _, s := range d.spans {
		number += bytes.Count(d.text[counted:s.start], lf)
		counted = s.start
		last := number + bytes.Count(d.text[s.start:s.end], lf)
		if s.end > s.start && d.text[s.end-1] == '\n' {
			last--
		}
		from := max(number-around, next)
		if next > 0 && from > next {
			out.line("", []byte("   ..."))
		}
		for ; from < min(last+around+1, len(lines)); from++ {
			if shown++; shown > linesMax {
				out.line("", []byte("[further changed lines are not shown]"))
				return
			}
			text, cut := clip(bytes.TrimSuffix(lines[from], []byte{'\r'}), charsMax)
			if cut > 0 {
				text = append(slices.Clone(text), " [cut]"...)
			}
			if !out.line(numbered(from+1), text) {
				return
			}
			next = from + 1
		}
	}
}
