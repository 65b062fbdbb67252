package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	"capbox/toolbox/abi"
)

// Target is a file that a stream will be written to. What can be known before the stream begins was looked at.
type Target struct {
	Path   string // as results show it
	Exists bool
	place  place
	file   string
}

// saveBufferBytes is what a stream takes of memory.
const saveBufferBytes = 256 << 10

// NewTarget looks at the path of an argument; the second result is a failure when the third is false.
func NewTarget(req *abi.Request, text string) (Target, abi.Result, bool) {
	p, bad, ok := locate(req, text)
	if !ok {
		return Target{}, bad, false
	}
	if p.directory {
		return Target{}, abi.Fail("is_directory", "%s/ names a directory: add a file name (parents are created).", p.shown), false
	}
	file, before, bad, ok := destination(p)
	return Target{p.shown, before != nil, p, file}, bad, ok
}

// Save writes a stream to the file in one step, as the tool write does, and says how many bytes there were. A failure of
// the file is a result, one of the stream an error; neither leaves anything behind.
func (t Target) Save(stream io.Reader) (bytes int64, bad *abi.Result, broken error) {
	failure := func(err error) *abi.Result {
		res := failed(t.place, "write", err)
		return &res
	}
	temporary, file, err := createBeside(t.file)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(path.Dir(t.file), 0o777); err == nil {
			temporary, file, err = createBeside(t.file)
		}
	}
	if err != nil {
		return 0, failure(err), nil
	}
	source := &failing{in: stream}
	bytes, err = io.CopyBuffer(struct{ io.Writer }{file}, source, make([]byte, saveBufferBytes))
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = commit(temporary, t.file)
	} else {
		_ = os.Remove(temporary)
	}
	switch {
	case source.failure != nil:
		return 0, nil, source.failure
	case err != nil:
		return 0, failure(err), nil
	}
	return bytes, nil, nil
}

// failing remembers why a stream ended, to tell it from why a file could not be written.
type failing struct {
	in      io.Reader
	failure error
}

// Read implements io.Reader.
func (f *failing) Read(into []byte) (int, error) {
	n, err := f.in.Read(into)
	if err != nil && !errors.Is(err, io.EOF) {
		f.failure = err
	}
	return n, err
}

// BinaryKind names what the beginning of a file is; empty for text.
func BinaryKind(head []byte) string { return binaryKind(head) }
