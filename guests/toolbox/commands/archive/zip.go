package archive

import (
	stdzip "archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// zipEntriesMax and zipDirectoryMax bound a zip file's directory, which the library holds in memory as a whole.
const (
	zipEntriesMax   = 100_000
	zipDirectoryMax = 16 << 20
)

// What can be wrong with a zip file besides its members.
var (
	ErrNoZip    = errors.New("no end of a central directory")
	ErrOverlaps = errors.New("members overlap")
	ErrManyZip  = fmt.Errorf("more than %d members", zipEntriesMax)
)

// OpenZip reads a zip file's directory.
func OpenZip(in io.ReaderAt, size int64) (*stdzip.Reader, error) {
	if err := checkDirectory(in, size); err != nil {
		return nil, err
	}
	var out *stdzip.Reader
	err := guarded(func() (err error) {
		out, err = stdzip.NewReader(in, size)
		return err
	})
	if err != nil && (errors.Is(err, stdzip.ErrFormat) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrCorrupt)) {
		return nil, ErrNoZip
	}
	return out, err
}

// checkDirectory refuses a directory that would fill the memory, before the library makes room for as many members as
// the file claims to have.
func checkDirectory(in io.ReaderAt, size int64) error {
	tail := make([]byte, min(size, 22+1<<16))
	if _, err := in.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if at < 0 || at+22 > len(tail) {
		return ErrNoZip
	}
	// Any of the ends that the library may choose: a comment can hold another one, and there is the one of 64 bits.
	for ; at >= 0; at = bytes.LastIndex(tail[:at], []byte("PK\x05\x06")) {
		if at+22 > len(tail) {
			continue
		}
		end := tail[at:]
		count, length := uint64(binary.LittleEndian.Uint16(end[10:])), uint64(binary.LittleEndian.Uint32(end[12:]))
		if err := checkEnd(count, length); err != nil && length != 0xffffffff {
			return err
		}
		if at < 20 || !bytes.HasPrefix(tail[at-20:], []byte("PK\x06\x07")) {
			continue
		}
		var wide [56]byte
		place := binary.LittleEndian.Uint64(tail[at-20+8:])
		if place > uint64(size) {
			return ErrNoZip
		}
		if _, err := in.ReadAt(wide[:], int64(place)); err != nil {
			return ErrNoZip
		}
		if err := checkEnd(binary.LittleEndian.Uint64(wide[32:]), binary.LittleEndian.Uint64(wide[40:])); err != nil {
			return err
		}
	}
	return nil
}

func checkEnd(count, length uint64) error {
	if count > zipEntriesMax || length > zipDirectoryMax {
		return ErrManyZip
	}
	return nil
}

// Overlapping says whether members share bytes: a zip bomb describes one kernel of data many thousand times.
func Overlapping(files []*stdzip.File) bool {
	type span struct{ start, end int64 }
	spans := make([]span, 0, len(files))
	for _, file := range files {
		start, err := file.DataOffset()
		length := int64(file.CompressedSize64)
		if err != nil {
			continue // a broken header is the member's own trouble
		}
		if length < 0 || start+length < start {
			return true
		}
		spans = append(spans, span{start - 30 - int64(len(file.Name)), start + length})
	}
	slices.SortFunc(spans, func(a, b span) int { return int(min(max(a.start-b.start, -1), 1)) })
	for i := 1; i < len(spans); i++ {
		if spans[i].start < spans[i-1].end {
			return true
		}
	}
	return false
}

// OpenZipped reads a member's content; its errors are those of Codec.Open, and zip.ErrAlgorithm.
func OpenZipped(file *stdzip.File) (io.ReadCloser, error) {
	var out io.ReadCloser
	err := guarded(func() (err error) {
		out, err = file.Open()
		return err
	})
	if err != nil {
		if errors.Is(err, stdzip.ErrFormat) || errors.Is(err, io.EOF) {
			err = ErrCorrupt
		}
		return nil, err
	}
	return &zipped{decoder{out}, out}, nil
}

type zipped struct {
	decoder
	io.Closer
}

func (z *zipped) Read(into []byte) (int, error) {
	n, err := z.decoder.Read(into)
	switch {
	case errors.Is(err, stdzip.ErrChecksum):
		err = ErrChecksum
	case errors.Is(err, stdzip.ErrFormat):
		err = ErrCorrupt
	}
	return n, err
}

// Inside is a zip member's name without what leads elsewhere, as unzip cuts it; the results say what was cut.
func Inside(name string) (rest string, absolute, climbing bool) {
	var parts []string
	for i, part := range strings.Split(name, "/") {
		switch part {
		case "":
			absolute = absolute || i == 0 && name != ""
		case "..":
			climbing = true
		case ".":
		default:
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "/"), absolute, climbing
}
