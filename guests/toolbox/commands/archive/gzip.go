package archive

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"time"
)

// gzipMembers reads the members of a gzip file one after the other: the library's own way of doing so takes bytes
// after the last one for a broken file, where gzip ignores them and says so.
type gzipMembers struct {
	in     *bufio.Reader
	member *gzip.Reader
}

func openGzip(in *bufio.Reader) (io.Reader, error) {
	member, err := gzip.NewReader(in)
	if err != nil {
		return nil, unended(err)
	}
	member.Multistream(false)
	return &gzipMembers{in, member}, nil
}

// unended is an error in the middle of a stream: an end is not expected there.
func unended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (g *gzipMembers) Read(into []byte) (int, error) {
	for {
		n, err := g.member.Read(into)
		if err != io.EOF {
			return n, err
		}
		if n > 0 {
			return n, nil // the end comes again
		}
		if err := g.next(); err != nil {
			return 0, err
		}
	}
}

// next begins the member that follows; zeros between members are padding of tapes.
func (g *gzipMembers) next() error {
	for {
		start, err := g.in.Peek(1)
		if len(start) == 0 {
			return err
		}
		if start[0] != 0 {
			break
		}
		_, _ = g.in.Discard(1)
	}
	if !Gzip.Matches(g.in) {
		return ErrTrailing
	}
	if err := g.member.Reset(g.in); err != nil {
		return unended(err)
	}
	g.member.Multistream(false)
	return nil
}

// GzipHeader is what the first member of a file says about itself; in is not read further than its buffer.
func GzipHeader(in *bufio.Reader) (name string, when time.Time) {
	start, _ := in.Peek(in.Size())
	var header gzip.Header
	err := guarded(func() error {
		member, err := gzip.NewReader(bytes.NewReader(start))
		if err == nil {
			header = member.Header
		}
		return err
	})
	if err != nil {
		return "", time.Time{}
	}
	return header.Name, header.ModTime
}

// CreateGzip is Gzip.Create with a name and a time in the header.
func CreateGzip(out io.Writer, level int, name string, when time.Time) (io.WriteCloser, error) {
	stream, err := createGzip(out, level)
	if err != nil {
		return nil, err
	}
	// The header has room for Latin-1 only; another name is left out rather than the file.
	header := &stream.(*gzip.Writer).Header
	header.OS = 3
	header.ModTime = when
	if isLatin1(name) {
		header.Name = name
	}
	return stream, nil
}

func isLatin1(text string) bool {
	for _, char := range text {
		if char == 0 || char > 0xff {
			return false
		}
	}
	return true
}
