package patch

import (
	"slices"
	"strings"

	"capbox/toolbox/commands/compare"
)

// placer finds where hunks belong in a file. Lines count from 1.
type placer struct {
	lines  []string
	out    []string
	frozen int // lines that are already in `out`
	offset int // how far hunks were found from where they said
	blanks bool
	same   func(a, b string) bool
}

func newPlacer(text string, blanks bool) *placer {
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	p := &placer{lines: lines, same: func(a, b string) bool { return a == b }}
	if blanks {
		p.same = func(a, b string) bool { return blanksFolded(a) == blanksFolded(b) }
	}
	return p
}

// blanksFolded is what -l compares: runs of blanks are one, those at the end are none.
func blanksFolded(line string) string {
	return strings.TrimRight(strings.Join(strings.FieldsFunc(" "+line, compare.IsBlank), " "), " \r\n")
}

// find is the line where the hunk's old side stands, 0 if nowhere. With fuzz, that many lines of the outer context may
// differ; a hunk whose context is shorter on one side stands at that end of the file.
func (p *placer) find(h *patchHunk, fuzz int) int {
	guess := h.oldStart + p.offset
	if len(h.old) == 0 {
		if guess-1 > len(p.lines) || guess-1 < p.frozen {
			return 0
		}
		return guess
	}
	context := max(h.prefix, h.suffix)
	before, after := fuzz+h.prefix-context, fuzz+h.suffix-context
	last := len(p.lines) - (len(h.old) - after) + 1
	switch {
	case before < 0 && h.oldStart <= 1:
		if after < 0 && len(h.old) != len(p.lines) {
			return 0
		}
		return p.try(h, 1, 0, max(after, 0))
	case after < 0:
		return p.try(h, len(p.lines)-len(h.old)+1, max(before, 0), 0)
	}
	before = max(before, 0)
	for far := max(0, guess-last); guess+far <= last || guess-far > p.frozen; far++ {
		if found := p.try(h, guess+far, before, after); found > 0 && guess+far <= last {
			return found
		}
		if far > 0 {
			if found := p.try(h, guess-far, before, after); found > 0 {
				return found
			}
		}
	}
	return 0
}

// try compares the old side, without `before` and `after` lines at its ends, with what stands at a line.
func (p *placer) try(h *patchHunk, at, before, after int) int {
	if at < 1 || at <= p.frozen-before || at+before <= p.frozen || at-1+len(h.old)-after > len(p.lines) {
		return 0
	}
	if before+after > len(h.old) {
		return 0
	}
	for i := before; i < len(h.old)-after; i++ {
		if !p.same(p.lines[at-1+i], h.old[i]) {
			return 0
		}
	}
	p.offset += at - (h.oldStart + p.offset)
	return at
}

// apply copies the lines up to the hunk, then its new side. Lines of context stay as the file has them.
func (p *placer) apply(h *patchHunk, at int) {
	p.copyTo(at - 1)
	for _, line := range h.body {
		switch line[0] {
		case '+':
			p.out = append(p.out, line[1:])
		case '-':
			p.frozen++
		default:
			if p.frozen < len(p.lines) {
				p.out = append(p.out, p.lines[p.frozen])
			}
			p.frozen++
		}
	}
}

// copyTo passes on lines as they are.
func (p *placer) copyTo(line int) {
	line = min(line, len(p.lines))
	if line > p.frozen {
		p.out = append(p.out, p.lines[p.frozen:line]...)
		p.frozen = line
	}
}

func (p *placer) text() string {
	p.copyTo(len(p.lines))
	return strings.Join(p.out, "")
}

// fits says whether the first hunk would fit with its sides swapped: the patch was applied before, or is reversed.
func (p *placer) fits(h *patchHunk, fuzz int) bool {
	swapped := cloneHunks([]*patchHunk{h})[0]
	swapped.body = slices.Clone(h.body)
	swapped.reverse()
	probe := *p
	return probe.find(swapped, fuzz) > 0
}

// clone copies the hunks, so that a reversal can be tried.
func cloneHunks(hunks []*patchHunk) []*patchHunk {
	all := slices.Clone(hunks)
	for i, h := range all {
		one := *h
		all[i] = &one
	}
	return all
}
