package zip

import (
	stdzip "archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"capbox/toolbox/commands/archive"
	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// triedBytesMax is up to which size a file is compressed in memory first, to store what does not get smaller.
const triedBytesMax = 256 << 10

// zipWriting is the archive as it is written anew.
type zipWriting struct {
	*zipJob
	out   *stdzip.Writer
	shown *stdzip.FileHeader // whose line is still without its end: the sizes are known with the next member
}

// write makes the archive beside the old one and puts it in its place: members that stay, those that replace them, and
// new ones at the end.
func (j *zipJob) write(gone func(name string) bool) int {
	if j.name == "-" {
		buffered := bufio.NewWriterSize(archive.Unclosed{Writer: j.c.Out}, 64<<10)
		status := j.fill(buffered, gone)
		if err := buffered.Flush(); err != nil && status == 0 {
			return j.fatal(14, "writing: %s", kit.Reason(err))
		}
		return status
	}
	target := j.c.Path(j.name)
	temp, err := os.CreateTemp(filepath.Dir(target), "zi*")
	if err != nil {
		return j.fatal(15, "Could not create output file (%s): %s", j.name, kit.Reason(err))
	}
	defer os.Remove(temp.Name())
	buffered := bufio.NewWriterSize(temp, 64<<10)
	status := j.fill(buffered, gone)
	for _, step := range []func() error{buffered.Flush, temp.Close, func() error { return j.settle(temp.Name(), target) }} {
		if err := step(); err != nil && status == 0 {
			status = j.fatal(14, "writing %s: %s", j.name, kit.Reason(err))
		}
	}
	return status
}

// settle gives the new archive the old one's mode and its name.
func (j *zipJob) settle(temp, target string) error {
	mode := uint32(0o644)
	if old, _, err := fileinfo.Mode(target); err == nil {
		mode = old & 0o777
	}
	if err := fileinfo.SetMode(temp, mode); err != nil {
		return err
	}
	return os.Rename(temp, target)
}

func (j *zipJob) fill(out io.Writer, gone func(name string) bool) int {
	w := &zipWriting{zipJob: j, out: stdzip.NewWriter(out)}
	w.out.RegisterCompressor(stdzip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, max(j.level, 1)) })
	written := map[string]bool{}
	var err error
	if j.old != nil {
		for _, file := range j.old.File {
			if gone(file.Name) || err != nil {
				continue
			}
			if at, replaced := j.place[file.Name]; replaced && !written[file.Name] {
				written[file.Name] = true
				err = w.add(j.added[at], "updating")
			} else if !replaced {
				err = w.out.Copy(file)
			}
		}
		if err == nil && j.old.Comment != "" {
			err = w.out.SetComment(j.old.Comment)
		}
	}
	for _, one := range j.added {
		if err == nil && !written[one.member] && j.c.Context.Err() == nil {
			err = w.add(one, "  adding")
		}
	}
	if err == nil {
		err = w.out.Close()
	}
	w.endLine()
	if err != nil {
		return j.fatal(14, "writing %s: %s", j.name, kit.Reason(err))
	}
	return 0
}

// add writes one member. A file that cannot be read is left out; an error is one of the archive.
func (w *zipWriting) add(one zipSource, doing string) error {
	header := &stdzip.FileHeader{Name: one.member, Modified: one.info.ModTime().UTC().Truncate(time.Second)}
	mode, _, err := fileinfo.Mode(one.path)
	if err != nil {
		mode = 0o644
	}
	header.SetMode(one.info.Mode().Type() | fs.FileMode(mode&0o777))
	var in io.Reader
	switch {
	case one.info.IsDir():
	case one.info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(one.path)
		if err != nil {
			w.unreadable(one, err)
			return nil
		}
		header.SetMode(fs.ModeSymlink | 0o777)
		in = bytes.NewReader([]byte(target))
	default:
		file, err := os.Open(one.path)
		if err != nil {
			w.unreadable(one, err)
			return nil
		}
		defer file.Close()
		in = file
		header.Method = stdzip.Deflate
		if w.level == 0 || one.info.Size() == 0 {
			header.Method = stdzip.Store
		} else if one.info.Size() <= triedBytesMax {
			in = w.tried(file, header)
		}
	}
	return w.copy(header, in, doing)
}

// tried reads a small file and chooses to store it if compression does not make it smaller.
func (w *zipWriting) tried(file io.Reader, header *stdzip.FileHeader) io.Reader {
	var start bytes.Buffer
	_, err := io.CopyN(&start, file, triedBytesMax)
	packed := &archive.Counted{Writer: io.Discard}
	if stream, flateErr := flate.NewWriter(packed, w.level); flateErr == nil && err == io.EOF {
		_, _ = stream.Write(start.Bytes())
		_ = stream.Close()
		if packed.N >= int64(start.Len()) {
			header.Method = stdzip.Store
		}
	}
	return io.MultiReader(&start, file)
}

func (w *zipWriting) unreadable(one zipSource, err error) {
	w.warn("could not open for reading: %s: %s", one.member, kit.Reason(err))
	w.status = 18
}

func (w *zipWriting) copy(header *stdzip.FileHeader, in io.Reader, doing string) error {
	out, err := w.out.CreateHeader(header)
	w.endLine()
	if err != nil {
		return err
	}
	if !w.opts.Has("q") && w.name != "-" {
		w.c.Out.WriteString(doing + ": " + visible(header.Name))
		w.shown = header
	}
	if in == nil {
		return nil
	}
	source := &archive.Noted{In: in}
	_, err = io.CopyBuffer(struct{ io.Writer }{out}, source, make([]byte, 64<<10))
	if source.Err != nil {
		w.warn("reading %s: %s", header.Name, kit.Reason(source.Err))
		w.status = 18
		return nil
	}
	return err
}

// endLine ends the line of the last member, now that its sizes are known.
func (w *zipWriting) endLine() {
	if w.shown == nil {
		return
	}
	how := "stored"
	if w.shown.Method == stdzip.Deflate {
		how = "deflated"
	}
	fmt.Fprintf(w.c.Out, " (%s %d%%)\n", how, saved(w.shown.UncompressedSize64, w.shown.CompressedSize64))
	w.shown = nil
}
