package archive

import (
	"io"
)

// Unclosed is a writer that others go on using.
type Unclosed struct{ io.Writer }

// Close does nothing.
func (Unclosed) Close() error { return nil }

// Passage counts what is read.
type Passage struct {
	In io.Reader
	N  int64
}

// Read passes on and counts.
func (p *Passage) Read(into []byte) (int, error) {
	n, err := p.In.Read(into)
	p.N += int64(n)
	return n, err
}

// Counted counts what goes through, to pad the last record.
type Counted struct {
	io.Writer
	N int64
}

// Write passes on and counts.
func (c *Counted) Write(text []byte) (int, error) {
	n, err := c.Writer.Write(text)
	c.N += int64(n)
	return n, err
}

// Noted keeps the reader's error apart from the writer's.
type Noted struct {
	In  io.Reader
	Err error
}

// Read passes on and notes what fails.
func (n *Noted) Read(into []byte) (int, error) {
	count, err := n.In.Read(into)
	if err != nil && err != io.EOF {
		n.Err = err
	}
	return count, err
}

// Umask is what files are not made with: a session has no other.
const Umask = 0o022
