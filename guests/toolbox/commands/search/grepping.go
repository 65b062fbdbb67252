package search

import (
	"bytes"
	"errors"
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
	return f.read(stream)
}

const (
	grepBlockBytes = 128 << 10
	binaryBytes    = 8 << 10 // a zero byte in so many at the start makes a file binary
)

// read goes through the stream by blocks of whole lines.
func (f *grepFile) read(in io.Reader) error {
	if f.block == nil {
		f.block = make([]byte, grepBlockBytes)
	}
	held, started := 0, false
	for f.limit != 0 {
		n, err := in.Read(f.block[held:])
		held += n
		if !started && err == nil && held < binaryBytes {
			continue
		}
		if !started {
			started = true
			if skip := f.judge(f.block[:min(held, binaryBytes)]); skip {
				return nil
			}
		}
		text := f.block[:held]
		if err == nil {
			text = text[:bytes.LastIndexByte(text, f.end)+1]
		}
		if f.lines(text) {
			break
		}
		if err != nil {
			f.summary()
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		held = copy(f.block, f.block[len(text):held])
		if held > len(f.block)/2 {
			f.block = append(f.block, make([]byte, len(f.block))...)
		}
	}
	f.summary()
	return nil
}

// judge looks at the start of a file; true if it is binary and to be left out.
func (f *grepFile) judge(start []byte) bool {
	mode, _ := f.opts.Value("binary-files")
	f.binary = bytes.IndexByte(start, 0) >= 0 && !f.opts.Has("a", "z") && mode != "text"
	return f.binary && (f.opts.Has("I") || mode == "without-match")
}

// lines judges whole lines; true ends the file. Where only lines that match matter it goes from one place that may
// match to the next.
func (f *grepFile) lines(text []byte) bool {
	leaps := len(f.patterns) == 1 && f.patterns[0].Selective() && !f.invert && !f.binary && f.before == 0 && f.after == 0
	for len(text) > 0 {
		if leaps {
			at := f.patterns[0].Candidate(text)
			if at < 0 {
				f.pass(text)
				return false
			}
			start := bytes.LastIndexByte(text[:at], f.end) + 1
			f.pass(text[:start])
			text = text[start:]
		}
		line, rest := text, []byte(nil)
		if at := bytes.IndexByte(text, f.end); at >= 0 {
			line, rest = text[:at], text[at+1:]
		}
		f.number++
		if f.line(line) {
			return true
		}
		f.offset += len(line) + 1
		text = rest
	}
	return false
}

// pass counts lines without looking at them.
func (f *grepFile) pass(text []byte) {
	if f.numbers {
		f.number += bytes.Count(text, []byte{f.end})
	}
	f.offset += len(text)
}

// line judges one line; true ends the file.
func (f *grepFile) line(line []byte) bool {
	matches := f.matches(line)
	selected := (matches != nil) != f.invert
	if !selected {
		f.context(line)
		return f.limit >= 0 && f.count >= f.limit && f.owed == 0
	}
	if f.limit >= 0 && f.count >= f.limit {
		return true
	}
	f.count++
	f.found = true
	if f.silent || f.binary && !f.counts {
		return true
	}
	if !f.counts {
		f.print(line, matches)
	}
	return f.limit >= 0 && f.count >= f.limit && f.after == 0
}

// matches gives the ranges that match under -w and -x; nil is no match.
func (f *grepFile) matches(line []byte) [][]int {
	if f.binary {
		line = bytes.ToValidUTF8(line, []byte("?"))
	}
	simple := !(f.only || f.word || f.whole)
	var all [][]int
	for _, p := range f.patterns {
		if simple {
			if p.Match(line) {
				return [][]int{}
			}
			continue
		}
		for _, m := range p.FindAll(line, -1) {
			if f.whole && (m[0] != 0 || m[1] != len(line)) {
				continue
			}
			if f.word && !wordAlone(line, m[0], m[1]) {
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
	case f.terse || f.binary:
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
	if f.only {
		if !f.invert {
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
	width := 0
	if f.tab {
		width = 19 // as wide as any offset
	}
	if f.numbers {
		f.c.Out.Printf("%*d%c", width, number, mark)
	}
	if f.offsets {
		f.c.Out.Printf("%*d%c", width, offset, mark)
	}
	if f.tab {
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
			f.c.Out.WriteString(f.label)
			f.c.Out.WriteByte(end)
		}
	case f.opts.Has("c"):
		f.prefix(':')
		f.c.Out.Printf("%d\n", f.count)
	case f.binary && f.count > 0:
		f.c.Fail("%s: binary file matches", f.label)
	}
}
