package kit

import (
	"bufio"
	"errors"
	"io"
)

// Lines gives the lines of a stream, of any length. It is not safe after the next call: lines share one buffer.
type Lines struct {
	in     *bufio.Reader
	long   []byte
	End    byte
	Ended  bool  // whether the last line had its end
	Failed error // why reading ended before the end
}

// NewLines reads lines that end in the byte `end`.
func NewLines(in io.Reader, end byte) *Lines {
	reader, ok := in.(*bufio.Reader)
	if !ok {
		reader = bufio.NewReaderSize(in, 64<<10)
	}
	return &Lines{in: reader, End: end}
}

// Next is the next line without its end; false at the end of the stream or on an error.
func (l *Lines) Next() ([]byte, bool) {
	line, err := l.in.ReadSlice(l.End)
	if errors.Is(err, bufio.ErrBufferFull) {
		l.long = append(l.long[:0], line...)
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = l.in.ReadSlice(l.End)
			l.long = append(l.long, line...)
		}
		line = l.long
	}
	if err == nil {
		l.Ended = true
		return line[:len(line)-1], true
	}
	l.Ended = false
	if !errors.Is(err, io.EOF) {
		l.Failed = err
	}
	return line, len(line) > 0
}

// EachLine visits the lines of a stream, without their newlines.
func EachLine(in io.Reader, visit func(line []byte) error) error {
	lines := NewLines(in, '\n')
	for {
		line, ok := lines.Next()
		if !ok {
			return lines.Failed
		}
		if err := visit(line); err != nil {
			return err
		}
	}
}

// AllLines holds the lines of a stream as strings.
func AllLines(in io.Reader, end byte) ([]string, error) {
	lines := NewLines(in, end)
	var all []string
	for {
		line, ok := lines.Next()
		if !ok {
			return all, lines.Failed
		}
		all = append(all, string(line))
	}
}

// NextString is next as a string.
func NextString(lines *Lines) (string, bool) {
	line, ok := lines.Next()
	return string(line), ok
}
