package commands

import (
	"io"
)

// unclosed is a writer that others go on using.
type unclosed struct{ io.Writer }

// Close does nothing.
func (unclosed) Close() error { return nil }

// passage counts what is read.
type passage struct {
	in io.Reader
	n  int64
}

// Read passes on and counts.
func (p *passage) Read(into []byte) (int, error) {
	n, err := p.in.Read(into)
	p.n += int64(n)
	return n, err
}

// counted counts what goes through, to pad the last record.
type counted struct {
	io.Writer
	n int64
}

// Write passes on and counts.
func (c *counted) Write(text []byte) (int, error) {
	n, err := c.Writer.Write(text)
	c.n += int64(n)
	return n, err
}

// noted keeps the reader's error apart from the writer's.
type noted struct {
	in  io.Reader
	err error
}

// Read passes on and notes what fails.
func (n *noted) Read(into []byte) (int, error) {
	count, err := n.in.Read(into)
	if err != nil && err != io.EOF {
		n.err = err
	}
	return count, err
}

// umask is what files are not made with: a session has no other.
const umask = 0o022
