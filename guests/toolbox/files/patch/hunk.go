package patch

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var ranges = regexp.MustCompile(`^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@`)

// hunk reads the block at the reader's place. Where the header's counts do not fit the lines below it, as models often
// write them, the lines count: each is compared with the file anyway.
func (r *reader) hunk() (Hunk, error) {
	hunk := Hunk{Header: strings.TrimSuffix(r.lines[r.at], "\r")}
	counts := ranges.FindStringSubmatch(hunk.Header)
	begin := r.at + 1
	if counts == nil {
		if strings.HasPrefix(hunk.Header, "@@@") {
			return hunk, errors.New("not supported: a combined diff of a merge")
		}
		hunk.Header = clipped(hunk.Header)
		r.at = r.end(begin)
	} else {
		hunk.Line = number(counts[1], 0)
		olds, news := number(counts[2], 1), number(counts[4], 1)
		if olds == 0 {
			hunk.Line++ // "-5,0" stands behind line 5
		}
		end := r.counted(begin, olds, news)
		if end < 0 || r.goesOn(end) {
			hunk.Recounted = true
			end = r.end(begin)
		}
		r.at = end
	}
	hunk.take(r.lines[begin:r.at])
	if hunk.added()+hunk.removed() == 0 {
		return hunk, fmt.Errorf("the hunk %s changes nothing: its lines must begin with ' ', '-' or '+'", hunk.Header)
	}
	return hunk, nil
}

func number(text string, absent int) int {
	if text == "" {
		return absent
	}
	value, _ := strconv.Atoi(text) // nine digits fit
	return value
}

func clipped(text string) string {
	const bytesMax = 80
	if len(text) > bytesMax {
		return strings.ToValidUTF8(text[:bytesMax], "") + "..."
	}
	return text
}

// counted is where a body with so many old and new lines ends, -1 if the lines are not like that.
func (r *reader) counted(at, olds, news int) int {
	for ; olds > 0 || news > 0; at++ {
		if at == len(r.lines) {
			return -1
		}
		switch kindOf(r.lines[at]) {
		case ' ':
			olds--
			news--
		case '-':
			olds--
		case '+':
			news--
		case '\\':
		default:
			return -1
		}
		if olds < 0 || news < 0 {
			return -1
		}
	}
	if at < len(r.lines) && kindOf(r.lines[at]) == '\\' {
		at++
	}
	return at
}

// goesOn says whether the line behind a counted body still looks like one of its lines.
func (r *reader) goesOn(at int) bool {
	if at >= len(r.lines) || r.lines[at] == "" || r.isHeader(at) || r.lines[at] == "-- " {
		return false // "-- " begins the signature that git format-patch writes
	}
	return strings.IndexByte(" +-", r.lines[at][0]) >= 0
}

// end is where the lines of a body end when nothing counts them.
func (r *reader) end(at int) int {
	for ; at < len(r.lines); at++ {
		if r.isHeader(at) || r.lines[at] == "-- " || kindOf(r.lines[at]) == 0 {
			break
		}
	}
	for at > 0 && strings.TrimSuffix(r.lines[at-1], "\r") == "" { // blank lines before the next section
		at--
	}
	return at
}

// kindOf is a body line's first character, 0 if it is none. An empty line is a blank line of context whose space an
// editor took away.
func kindOf(line string) byte {
	if line == "" || line == "\r" {
		return ' '
	}
	if strings.IndexByte(" +-\\", line[0]) >= 0 {
		return line[0]
	}
	return 0
}

func (h *Hunk) take(lines []string) {
	for _, line := range lines {
		switch {
		case kindOf(line) == '\\':
			if h.Unended == nil {
				h.Unended = make(map[int]bool)
			}
			h.Unended[len(h.Lines)-1] = true
			continue
		case line == "" || line == "\r":
			line = " " + line
		}
		h.Lines = append(h.Lines, line)
	}
}

func (h *Hunk) count(kind byte) int {
	n := 0
	for _, line := range h.Lines {
		if line[0] == kind {
			n++
		}
	}
	return n
}

func (h *Hunk) added() int   { return h.count('+') }
func (h *Hunk) removed() int { return h.count('-') }

// Changed is how many lines the section adds and removes.
func (s *Section) Changed() (added, removed int) {
	for i := range s.Hunks {
		added += s.Hunks[i].added()
		removed += s.Hunks[i].removed()
	}
	return added, removed
}

// Olds are the lines that must stand in the file.
func (h *Hunk) Olds() []string {
	var out []string
	for _, line := range h.Lines {
		if line[0] != '+' {
			out = append(out, line[1:])
		}
	}
	return out
}
