package commands

import (
	"bufio"
	"errors"
	"io"
)

// lineReader gives the lines of a stream, of any length. It is not safe after the next call: lines share one buffer.
type lineReader struct {
	in     *bufio.Reader
	long   []byte
	end    byte
	ended  bool  // whether the last line had its end
	failed error // why reading ended before the end
}

// newLineReader reads lines that end in the byte `end`.
func newLineReader(in io.Reader, end byte) *lineReader {
	reader, ok := in.(*bufio.Reader)
	if !ok {
		reader = bufio.NewReaderSize(in, 64<<10)
	}
	return &lineReader{in: reader, end: end}
}

// next is the next line without its end; false at the end of the stream or on an error.
func (l *lineReader) next() ([]byte, bool) {
	line, err := l.in.ReadSlice(l.end)
	if errors.Is(err, bufio.ErrBufferFull) {
		l.long = append(l.long[:0], line...)
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = l.in.ReadSlice(l.end)
			l.long = append(l.long, line...)
		}
		line = l.long
	}
	if err == nil {
		l.ended = true
		return line[:len(line)-1], true
	}
	l.ended = false
	if !errors.Is(err, io.EOF) {
		l.failed = err
	}
	return line, len(line) > 0
}

// eachLine visits the lines of a stream, without their newlines.
func eachLine(in io.Reader, visit func(line []byte) error) error {
	lines := newLineReader(in, '\n')
	for {
		line, ok := lines.next()
		if !ok {
			return lines.failed
		}
		if err := visit(line); err != nil {
			return err
		}
	}
}

// allLines holds the lines of a stream as strings.
func allLines(in io.Reader, end byte) ([]string, error) {
	lines := newLineReader(in, end)
	var all []string
	for {
		line, ok := lines.next()
		if !ok {
			return all, lines.failed
		}
		all = append(all, string(line))
	}
}

// nextString is next as a string.
func nextString(lines *lineReader) (string, bool) {
	line, ok := lines.next()
	return string(line), ok
}
