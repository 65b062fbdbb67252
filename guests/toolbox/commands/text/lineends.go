package text

import (
	"bufio"
	"bytes"
	"io"
	"os"

	"capbox/toolbox/commands/kit"
)

// lineEnds is one run of dos2unix or unix2dos.
type lineEnds struct {
	c     *kit.Call
	opts  *kit.Options
	toDOS bool
}

// Dos2unix is the command dos2unix.
func Dos2unix(c *kit.Call) int { return convertLines(c, false) }

// Unix2dos is the command unix2dos.
func Unix2dos(c *kit.Call) int { return convertLines(c, true) }

func convertLines(c *kit.Call, toDOS bool) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "bc:fhkmnoqrsOe", Usage: "[OPTION]... [FILE]... [-n INFILE OUTFILE]...",
		Long: "keep-bom=b convmode=c force=f keepdate=k add-bom=m newfile=n oldfile=o quiet=q remove-bom=r safe=s to-stdout=O add-eol=e",
	})
	if done {
		return status
	}
	if mode, ok := opts.Value("c"); ok && mode != "ascii" && mode != "ASCII" {
		return c.Unsupported("-c " + mode)
	}
	if key := opts.Last("m", "e"); key != "" {
		return c.Unsupported("-" + key)
	}
	l := &lineEnds{c: c, opts: opts, toDOS: toDOS}
	names := opts.Operands
	if len(names) == 0 {
		if err := l.copy(c.Out, c.Input()); err != nil {
			return c.FailPath("-", err)
		}
		return 0
	}
	if opts.Has("n") {
		if len(names)%2 != 0 {
			return c.Fail("target of file %s not specified in new-file mode", names[len(names)-1])
		}
		for i := 0; i < len(names); i += 2 {
			status = max(status, l.file(names[i], names[i+1]))
		}
		return status
	}
	for _, name := range names {
		status = max(status, l.file(name, name))
	}
	return status
}

// file converts one file; what was there is replaced only when all of it could be converted.
func (l *lineEnds) file(source, target string) int {
	c := l.c
	info, err := c.Stat(source)
	if err == nil && info.IsDir() {
		if !l.opts.Has("q") {
			c.Fail("Skipping %s, not a regular file.", source)
		}
		return 0
	}
	file, err := c.Open(source)
	if err != nil {
		c.FailPath(source, err)
		c.Fail("Skipping %s, not a regular file.", source)
		return 2
	}
	raw, err := io.ReadAll(file)
	file.Close()
	if err != nil {
		return c.FailPath(source, err)
	}
	if bytes.IndexByte(raw, 0) >= 0 && !l.opts.Has("f") {
		if !l.opts.Has("q") {
			c.Fail("Binary symbol 0x00 found at line %d\n%s: Skipping binary file %s", 1+bytes.Count(raw[:bytes.IndexByte(raw, 0)], []byte("\n")), c.Name, source)
		}
		return 0
	}
	var converted bytes.Buffer
	if err := l.copy(&converted, bytes.NewReader(raw)); err != nil {
		return c.FailPath(source, err)
	}
	if l.opts.Has("O") {
		c.Out.Write(converted.Bytes())
		return 0
	}
	if !l.opts.Has("q") {
		l.tell(source, target)
	}
	if source == target && bytes.Equal(raw, converted.Bytes()) {
		return 0
	}
	out, err := c.Create(target)
	if err == nil {
		_, err = out.Write(converted.Bytes())
		if closed := out.Close(); err == nil {
			err = closed
		}
	}
	if err == nil && l.opts.Has("k") {
		err = os.Chtimes(c.Path(target), info.ModTime(), info.ModTime())
	}
	if err != nil {
		return c.FailPath(target, err)
	}
	return 0
}

func (l *lineEnds) tell(source, target string) {
	format := map[bool]string{false: "Unix", true: "DOS"}[l.toDOS]
	if source == target {
		l.c.Fail("converting file %s to %s format...", source, format)
	} else {
		l.c.Fail("converting file %s to file %s in %s format...", source, target, format)
	}
}

// copy converts a stream byte by byte. A byte order mark goes when a text becomes a Unix one.
func (l *lineEnds) copy(out io.Writer, in io.Reader) error {
	reader, writer := bufio.NewReaderSize(in, 64<<10), bufio.NewWriterSize(out, 64<<10)
	const mark = "\xef\xbb\xbf"
	if head, err := reader.Peek(len(mark)); err == nil && string(head) == mark && (!l.toDOS && !l.opts.Has("b") || l.opts.Has("r")) {
		reader.Discard(len(mark))
	}
	last := byte(0)
	for {
		b, err := reader.ReadByte()
		if err != nil {
			if last == '\r' && !l.toDOS {
				writer.WriteByte(last)
			}
			if failed := writer.Flush(); failed != nil || err == io.EOF {
				return failed
			}
			return err
		}
		if l.toDOS {
			if b == '\n' && last != '\r' {
				writer.WriteByte('\r')
			}
			writer.WriteByte(b)
		} else {
			if last == '\r' && b != '\n' {
				writer.WriteByte(last)
			}
			if b != '\r' {
				writer.WriteByte(b)
			}
		}
		last = b
	}
}
