package seams

import "io"

// ReadOnly is a file that can be read, and whose Close leaves the reader open.
func ReadOnly(r io.Reader) io.ReadWriteCloser { return readOnly{r} }

// WriteOnly is a file that can be written, and whose Close leaves the writer open.
func WriteOnly(w io.Writer) io.ReadWriteCloser { return writeOnly{w} }

type readOnly struct{ io.Reader }

func (readOnly) Write([]byte) (int, error) { return 0, errEnd }
func (readOnly) Close() error              { return nil }

type writeOnly struct{ io.Writer }

func (writeOnly) Read([]byte) (int, error) { return 0, errEnd }
func (writeOnly) Close() error             { return nil }
