package commands

import (
	"bytes"
	"io"
)

// grepFile is the search of one stream.
type grepFile struct {
	*grepJob
	label   string
	binary  bool
	end     byte
	count   int
	number  int
	offset  int
	shown   int // number of the last line printed
	owed    int // context lines still to print
	pending [][]byte
}

func (j *grepJob) search(label string, stream io.Reader) error {
	if text, ok := j.opts.Value("label"); ok && label == "(standard input)" {
		label = text
	}
	f := &grepFile{grepJob: j, label: label, end: '\n'}
	if j.opts.Has("z") {
		f.end = 0
	}
	in, binary := binaryStart(stream)
	mode, _ := j.opts.Value("binary-files")
	f.binary = binary && !j.opts.Has("a", "z") && mode != "text"
	if f.binary && (j.opts.Has("I") || mode == "without-match") {
		return nil
	}
	lines := newLineReader(in, f.end)
	for j.limit != 0 {
		line, ok := lines.next()
		if !ok {
			break
		}
		f.number++
		if f.line(line) {
			break
		}
		f.offset += len(line) + 1
	}
	f.summary()
	return lines.failed
}

// line judges one line; true ends the file.
func (f *grepFile) line(line []byte) bool {
	matches := f.matches(line)
	selected := (matches != nil) != f.opts.Has("v")
	if !selected {
		f.context(line)
		return f.limit >= 0 && f.count >= f.limit && f.owed == 0
	}
	if f.limit >= 0 && f.count >= f.limit {
		return true
	}
	f.count++
	f.found = f.found || !f.opts.Has("L")
	if f.opts.Has("q", "l", "L") || f.binary && !f.opts.Has("c") {
		return true
	}
	if !f.opts.Has("c") {
		f.print(line, matches)
	}
	return f.limit >= 0 && f.count >= f.limit && f.after == 0
}

// matches gives the ranges that match under -w and -x; nil is no match.
func (f *grepFile) matches(line []byte) [][]int {
	if f.binary {
		line = bytes.ToValidUTF8(line, []byte("?"))
	}
	simple := !f.opts.Has("o", "w", "x")
	var all [][]int
	for _, p := range f.patterns {
		if simple {
			if p.Match(line) {
				return [][]int{}
			}
			continue
		}
		for _, m := range p.FindAll(line, -1) {
			if f.opts.Has("x") && (m[0] != 0 || m[1] != len(line)) {
				continue
			}
			if f.opts.Has("w") && !wordAlone(line, m[0], m[1]) {
				continue
			}
			all = append(all, m)
		}
	}
	return all
}

// wordAlone says whether no word character touches the match.
func wordAlone(line []byte, from, to int) bool {
	return (from == 0 || !wordByte(line[from-1])) && (to == len(line) || !wordByte(line[to]))
}

func wordByte(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b|32 >= 'a' && b|32 <= 'z' || b >= 0x80
}

// context prints or keeps a line that was not selected.
func (f *grepFile) context(line []byte) {
	switch {
	case f.opts.Has("c", "q", "l", "L", "o") || f.binary:
	case f.owed > 0:
		f.owed--
		f.put(line, '-', f.number, f.offset)
	case f.before > 0:
		if len(f.pending) == f.before {
			f.pending = append(f.pending[:0], f.pending[1:]...)
		}
		f.pending = append(f.pending, bytes.Clone(line))
	}
}

func (f *grepFile) print(line []byte, matches [][]int) {
	if f.opts.Has("o") {
		if !f.opts.Has("v") {
			f.printParts(line, matches)
		}
		return
	}
	first := f.number - len(f.pending)
	if (f.before > 0 || f.after > 0) && f.shown > 0 && first > f.shown+1 {
		f.c.Out.Line("--")
	}
	offset := f.offset
	for _, earlier := range f.pending {
		offset -= len(earlier) + 1
	}
	for i, earlier := range f.pending {
		f.put(earlier, '-', first+i, offset)
		offset += len(earlier) + 1
	}
	f.pending = f.pending[:0]
	f.put(line, ':', f.number, f.offset)
	f.owed = f.after
}

// printParts prints each matching part on its own line, -o.
func (f *grepFile) printParts(line []byte, matches [][]int) {
	for len(matches) > 0 {
		next := 0
		for i, m := range matches { // several patterns: the leftmost, then the longest
			if m[0] < matches[next][0] || m[0] == matches[next][0] && m[1] > matches[next][1] {
				next = i
			}
		}
		m := matches[next]
		if m[1] > m[0] {
			f.put(line[m[0]:m[1]], ':', f.number, f.offset+m[0])
		}
		kept := matches[:0]
		for i, other := range matches {
			if i != next && other[0] >= m[1] {
				kept = append(kept, other)
			}
		}
		matches = kept
	}
}

func (f *grepFile) put(line []byte, mark byte, number, offset int) {
	f.shown = number
	f.prefix(mark)
	if f.opts.Has("n") {
		f.c.Out.Printf("%d%c", number, mark)
	}
	if f.opts.Has("b") {
		f.c.Out.Printf("%d%c", offset, mark)
	}
	if f.opts.Has("T") {
		f.c.Out.WriteByte('\t')
	}
	f.c.Out.Write(line)
	f.c.Out.WriteByte(f.end)
}

func (f *grepFile) prefix(mark byte) {
	if !f.names {
		return
	}
	f.c.Out.WriteString(f.label)
	if f.opts.Has("Z") {
		mark = 0
	}
	f.c.Out.WriteByte(mark)
}

// summary prints what comes once a file: a count, a name, or that a binary file matches.
func (f *grepFile) summary() {
	end := byte('\n')
	if f.opts.Has("Z") {
		end = 0
	}
	switch {
	case f.opts.Has("q"):
	case f.opts.Has("l"):
		if f.count > 0 {
			f.c.Out.WriteString(f.label)
			f.c.Out.WriteByte(end)
		}
	case f.opts.Has("L"):
		if f.count == 0 {
			f.found = true
			f.c.Out.WriteString(f.label)
			f.c.Out.WriteByte(end)
		}
	case f.opts.Has("c"):
		f.prefix(':')
		f.c.Out.Printf("%d\n", f.count)
	case f.binary && f.count > 0:
		f.c.Out.Line(f.c.Name + ": " + f.label + ": binary file matches")
	}
}
