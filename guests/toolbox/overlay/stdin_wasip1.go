package interp

// This file takes the place of interp/stdin_os.go, whose pipes are those of the operating system; WASI has none.
// It has the functions of interp/stdin_js.go, with a buffer as large as Linux gives a pipe, so that a short writer does
// not wait for its reader, and with the knowledge of a reader that went away.

import (
	"io"
	"time"

	"capbox/toolbox/seams"
)

// stdinFile is the runner's standard input.
type stdinFile interface {
	io.ReadCloser
	SetReadDeadline(t time.Time) error
}

// plainReader adapts any reader; a read of it cannot be interrupted.
type plainReader struct {
	io.Reader
}

func (r plainReader) Close() error {
	if c, ok := r.Reader.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

func (plainReader) SetReadDeadline(time.Time) error { return nil }

// newPipe returns an in-process pipe.
func newPipe() (stdinFile, io.WriteCloser, error) {
	reader, writer := seams.Pipe()
	return plainReader{reader}, writer, nil
}

// newStdinFile converts a reader into the runner's stdin.
func newStdinFile(r io.Reader) (stdinFile, error) {
	if r == nil {
		return nil, nil
	}
	if file, ok := r.(stdinFile); ok {
		return file, nil
	}
	return plainReader{r}, nil
}

// stdinTerminal is false: nothing here is a terminal.
func stdinTerminal(stdinFile) (int, bool) { return -1, false }
