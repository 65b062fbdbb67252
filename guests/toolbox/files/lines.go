package files

import (
	"bytes"
	"io"

	"capbox/toolbox/files/search"
)

// lineReader streams a text line by line in constant memory, however long the text or a line is.
type lineReader struct {
	source     io.Reader
	buffer     []byte
	start, end int
	atEnd      bool
	failure    error
	partial    bool // bytes were seen after the last newline
	held       []byte
}

func newLineReader(source io.Reader, size int64) *lineReader {
	return &lineReader{source: source, buffer: make([]byte, min(max(size+1, 4<<10), 256<<10))}
}

// more reads into an empty buffer; false at the end.
func (r *lineReader) more() bool {
	for r.start == r.end && !r.atEnd {
		n, err := r.source.Read(r.buffer)
		r.start, r.end = 0, n
		if err != nil {
			r.atEnd = true
			if err != io.EOF {
				r.failure = err
			}
		}
	}
	return r.start < r.end
}

// peek is the first bytes of the text; only for the first call.
func (r *lineReader) peek() []byte {
	r.more()
	return r.buffer[r.start:r.end]
}

// skip passes over at most so many lines and says how many there were.
func (r *lineReader) skip(lines int) int {
	skipped := 0
	for skipped < lines && r.more() {
		rest := r.buffer[r.start:r.end]
		if n := search.CountNewlines(rest); skipped+n < lines {
			skipped += n
			r.partial = rest[len(rest)-1] != '\n'
			r.start = r.end
			continue
		}
		for ; skipped < lines; skipped++ {
			r.start += bytes.IndexByte(r.buffer[r.start:r.end], '\n') + 1
		}
		r.partial = false
	}
	if skipped < lines && r.partial {
		r.partial = false
		skipped++
	}
	return skipped
}

// next gives one line without its newline: its first `keep` bytes and its whole length. The bytes are valid until
// the next call.
func (r *lineReader) next(keep int) (line []byte, length int, ok bool) {
	r.held = r.held[:0]
	for r.more() {
		ok = true
		rest := r.buffer[r.start:r.end]
		at := bytes.IndexByte(rest, '\n')
		if at < 0 {
			r.held = append(r.held, rest[:min(len(rest), keep-len(r.held))]...)
			length += len(rest)
			r.start = r.end
			continue
		}
		r.start += at + 1
		if length == 0 {
			return rest[:min(at, keep)], at, true
		}
		r.held = append(r.held, rest[:min(at, keep-len(r.held))]...)
		return r.held, length + at, true
	}
	return r.held, length, ok
}

// count passes over the rest, but no more than about so many bytes, and says whether that was all.
func (r *lineReader) count(bytesMax int64) (lines int, all bool) {
	unended := false
	for r.more() {
		if bytesMax <= 0 {
			return lines, false
		}
		rest := r.buffer[r.start:r.end]
		lines += search.CountNewlines(rest)
		unended = rest[len(rest)-1] != '\n'
		bytesMax -= int64(len(rest))
		r.start = r.end
	}
	if unended {
		lines++
	}
	return lines, true
}
