// Package archive reads and writes what archives are made of: compressed streams, member names, and a tree of files
// that members unpack into.
//
// It guarantees that streams are read in a few megabytes whatever they claim, that a broken stream is an error and
// never a panic, and that no member reaches outside the tree's base. It does not know commands, options or messages.
package archive

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	bzip2writer "github.com/dsnet/compress/bzip2"
	xzreader "github.com/mikelolasagasti/xz"
	xzwriter "github.com/ulikunitz/xz"
)

// Codec is one format of compressed streams.
type Codec struct {
	Name   string
	Suffix string   // of compressed files
	tars   []string // suffixes of compressed tar archives
	magic  []byte
	open   func(*bufio.Reader) (io.Reader, error)
	create func(out io.Writer, level int) (io.WriteCloser, error)
}

// The codecs that are read and written here.
var (
	Gzip = &Codec{
		Name: "gzip", Suffix: ".gz", tars: []string{".tgz", ".taz"},
		magic: []byte{0x1f, 0x8b}, open: openGzip, create: createGzip,
	}
	Bzip2 = &Codec{
		Name: "bzip2", Suffix: ".bz2", tars: []string{".tbz", ".tbz2", ".tz2"},
		magic: []byte("BZh"), open: openBzip2, create: createBzip2,
	}
	Xz = &Codec{
		Name: "xz", Suffix: ".xz", tars: []string{".txz"},
		magic: []byte("\xfd7zXZ\x00"), open: openXz, create: createXz,
	}
)

// Codecs are all of them.
var Codecs = []*Codec{Gzip, Bzip2, Xz}

// What can be wrong with a stream; anything else is an error of reading it.
var (
	ErrFormat   = errors.New("not in this format")
	ErrTrailing = errors.New("trailing garbage")
	ErrCorrupt  = errors.New("corrupt data")
	ErrChecksum = errors.New("checksum error")
	ErrTooBig   = errors.New("memory limit reached")
)

// dictionaryBytesMax is what a stream of xz may ask for: that of `xz -9`. A header can claim 4 GB.
const dictionaryBytesMax = 64 << 20

// dictionaryBytesMade bounds the dictionary of streams written here, since the match finder needs several times as much.
const dictionaryBytesMade = 8 << 20

// Detect is the codec whose magic the stream begins with, or nil.
func Detect(in *bufio.Reader) *Codec {
	for _, codec := range Codecs {
		if codec.Matches(in) {
			return codec
		}
	}
	return nil
}

// BySuffix is the codec that a file's name asks for, or nil.
func BySuffix(name string) *Codec {
	for _, codec := range Codecs {
		for _, suffix := range append([]string{codec.Suffix}, codec.tars...) {
			if strings.HasSuffix(name, suffix) {
				return codec
			}
		}
	}
	return nil
}

// Matches says whether the stream begins as one of this format.
func (c *Codec) Matches(in *bufio.Reader) bool {
	start, _ := in.Peek(len(c.magic))
	return bytes.Equal(start, c.magic)
}

// Open reads the stream's content. Its errors are those above, io.ErrUnexpectedEOF, or the input's own.
func (c *Codec) Open(in *bufio.Reader) (io.Reader, error) {
	if start, err := in.Peek(1); len(start) == 0 {
		if err == io.EOF && c != Xz {
			return nil, io.ErrUnexpectedEOF
		}
		if err != io.EOF {
			return nil, err
		}
	}
	if !c.Matches(in) {
		return nil, ErrFormat
	}
	var out io.Reader
	err := guarded(func() (err error) {
		out, err = c.open(in)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &decoder{out}, nil
}

// Create compresses into out; level is 1 to 9, 0 the format's usual.
func (c *Codec) Create(out io.Writer, level int) (io.WriteCloser, error) { return c.create(out, level) }

// decoder gives the errors of any library the names above.
type decoder struct{ in io.Reader }

func (d *decoder) Read(into []byte) (n int, err error) {
	err = guarded(func() error {
		n, err = d.in.Read(into)
		return err
	})
	return n, err
}

// guarded turns the libraries' errors into ours. The streams are hostile and the libraries index tables by what they
// read: one index out of range must be a broken stream, not a broken command.
func guarded(step func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v", ErrCorrupt, cause)
		}
	}()
	return named(step())
}

func named(err error) error {
	var badFlate flate.CorruptInputError
	var badBzip2 bzip2.StructuralError
	switch {
	case err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case errors.As(err, &badBzip2) && badBzip2 == "bad magic value in continuation file":
		return ErrTrailing
	case errors.As(err, &badBzip2) && badBzip2 == "checksum mismatch", errors.Is(err, gzip.ErrChecksum):
		return ErrChecksum
	case errors.As(err, &badFlate), errors.As(err, &badBzip2), errors.Is(err, gzip.ErrHeader),
		errors.Is(err, xzreader.ErrData), errors.Is(err, xzreader.ErrOptions), errors.Is(err, xzreader.ErrFormat),
		errors.Is(err, xzreader.ErrUnsupportedCheck):
		return ErrCorrupt
	case errors.Is(err, xzreader.ErrBuf):
		return io.ErrUnexpectedEOF
	case errors.Is(err, xzreader.ErrMemlimit):
		return ErrTooBig
	}
	return err
}

func openBzip2(in *bufio.Reader) (io.Reader, error) { return bzip2.NewReader(in), nil }

func openXz(in *bufio.Reader) (io.Reader, error) { return xzreader.NewReader(in, dictionaryBytesMax) }

func createGzip(out io.Writer, level int) (io.WriteCloser, error) {
	if level == 0 {
		level = gzip.DefaultCompression
	}
	return gzip.NewWriterLevel(out, level)
}

func createBzip2(out io.Writer, level int) (io.WriteCloser, error) {
	if level == 0 {
		level = bzip2writer.BestCompression
	}
	return bzip2writer.NewWriter(out, &bzip2writer.WriterConfig{Level: level})
}

func createXz(out io.Writer, level int) (io.WriteCloser, error) {
	if level == 0 {
		level = 6
	}
	return xzwriter.WriterConfig{DictCap: min(1<<(19+level), dictionaryBytesMade)}.NewWriter(out)
}
