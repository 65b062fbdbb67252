package reading

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
)

// extent is how much head or tail shows: lines or bytes, from the start or the end.
type extent struct {
	count   int64
	bytes   bool
	signed  byte // '-' for head: all but the last; '+' for tail: from there on
	headers bool
	follow  bool
	end     byte
}

// parseExtent reads the options that head and tail share, with the old form -5.
func parseExtent(c *kit.Call) (extent, []string, int, bool) {
	if len(c.Args) > 0 && len(c.Args[0]) > 1 && strings.ContainsAny(c.Args[0][:1], "-+") &&
		strings.Trim(c.Args[0][1:], "0123456789") == "" && (c.Args[0][0] == '-' || c.Name == "tail") {
		c.Args = append([]string{"-n", strings.TrimPrefix(c.Args[0], "-")}, c.Args[1:]...)
	}
	opts, status, done := c.Parse(kit.Spec{
		Short: "c:n:qvzfF", Usage: "[OPTION]... [FILE]...",
		Long: "bytes=c lines=n quiet=q silent=q verbose=v zero-terminated=z follow=f",
	})
	if done {
		return extent{}, nil, status, true
	}
	e := extent{count: 10, end: '\n', follow: opts.Has("f", "F")}
	if opts.Has("z") {
		e.end = 0
	}
	e.headers = len(opts.Operands) > 1 && !opts.Has("q") || opts.Has("v")
	if text, ok := opts.Value("n", "c"); ok {
		e.bytes = opts.Last("n", "c") == "c"
		if text != "" && (text[0] == '-' || text[0] == '+') {
			e.signed = text[0]
			text = text[1:]
		}
		if e.count, ok = notation.Quantity(text); !ok || e.count < 0 {
			what := "lines"
			if e.bytes {
				what = "bytes"
			}
			return e, nil, c.Fail("invalid number of %s: '%s'", what, text), true
		}
	}
	return e, opts.Operands, 0, false
}

// title prints "==> name <==" above a file when there are several.
func (e *extent) title(c *kit.Call, name string, first bool) {
	if !e.headers {
		return
	}
	if !first {
		c.Out.WriteByte('\n')
	}
	if name == "-" {
		name = "standard input"
	}
	c.Out.Line("==> " + name + " <==")
}

// Head is the command head.
func Head(c *kit.Call) int {
	e, names, status, done := parseExtent(c)
	if done {
		return status
	}
	first := true
	return c.EachRead(names, func(name string, in io.Reader) error {
		e.title(c, name, first)
		first = false
		switch {
		case e.signed == '-' && e.bytes:
			text, err := io.ReadAll(in)
			c.Out.Write(text[:max(0, int64(len(text))-e.count)])
			return err
		case e.signed == '-':
			return headExceptLast(c.Out, in, e)
		case e.bytes:
			_, err := io.CopyN(c.Out, in, e.count)
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		return headLines(c.Out, in, e)
	})
}

func headLines(out *kit.Output, in io.Reader, e extent) error {
	lines := kit.NewLines(in, e.end)
	for range e.count {
		line, ok := lines.Next()
		if !ok {
			return lines.Failed
		}
		out.Write(line)
		if lines.Ended {
			out.WriteByte(e.end)
		}
	}
	return nil
}

func headExceptLast(out *kit.Output, in io.Reader, e extent) error {
	lines := kit.NewLines(in, e.end)
	var held [][]byte
	for {
		line, ok := lines.Next()
		if !ok {
			return lines.Failed
		}
		kept := append([]byte{}, line...)
		if lines.Ended {
			kept = append(kept, e.end)
		}
		if held = append(held, kept); int64(len(held)) > e.count {
			out.Write(held[0])
			held = held[1:]
		}
	}
}

// Tail is the command tail.
func Tail(c *kit.Call) int {
	e, names, status, done := parseExtent(c)
	if done {
		return status
	}
	first := true
	status = c.EachRead(names, func(name string, in io.Reader) error {
		e.title(c, name, first)
		first = false
		switch {
		case e.signed == '+' && e.bytes:
			if _, err := io.CopyN(io.Discard, in, max(e.count-1, 0)); err != nil {
				return nil //nolint:nilerr // a file shorter than the start shows nothing
			}
			_, err := io.Copy(c.Out, in)
			return err
		case e.signed == '+':
			return tailFromLine(c.Out, in, e)
		}
		return tailLast(c.Out, in, e)
	})
	if e.follow {
		c.Out.Flush()
		for c.Context.Err() == nil {
			time.Sleep(time.Second)
		}
	}
	return status
}

func tailFromLine(out *kit.Output, in io.Reader, e extent) error {
	reader := bufio.NewReaderSize(in, 64<<10)
	lines := kit.NewLines(reader, e.end)
	for range e.count - 1 {
		if _, ok := lines.Next(); !ok {
			return lines.Failed
		}
	}
	_, err := io.Copy(out, reader)
	return err
}

// tailLast reads a file from its end where it can, else keeps a window of the stream.
func tailLast(out *kit.Output, in io.Reader, e extent) error {
	if file, ok := in.(io.ReadSeeker); ok {
		if text, ok := tailOfFile(file, e); ok {
			out.Write(text)
			return nil
		}
	}
	var window []byte
	buffer := make([]byte, 64<<10)
	for {
		n, err := in.Read(buffer)
		window = append(window, buffer[:n]...)
		if len(window) > 1<<20 {
			if cut := tailStart(window, e); cut > len(window)/2 {
				window = append([]byte{}, window[cut:]...)
			}
		}
		if err != nil {
			out.Write(window[tailStart(window, e):])
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// tailStart is where the wanted end of a text begins.
func tailStart(text []byte, e extent) int {
	if e.bytes {
		return max(0, len(text)-int(e.count))
	}
	at := len(text)
	if at > 0 && text[at-1] == e.end {
		at--
	}
	if e.count == 0 {
		return len(text)
	}
	for range e.count {
		at = bytes.LastIndexByte(text[:at], e.end)
		if at < 0 {
			return 0
		}
	}
	return at + 1
}

// tailOfFile reads ever larger ends of a file until the wanted part is inside.
func tailOfFile(file io.ReadSeeker, e extent) ([]byte, bool) {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, false
	}
	for want := int64(64 << 10); ; want *= 4 {
		start := max(0, size-want)
		if _, err := file.Seek(start, io.SeekStart); err != nil {
			return nil, false
		}
		text, err := io.ReadAll(io.LimitReader(file, size-start))
		if err != nil {
			return nil, false
		}
		if at := tailStart(text, e); at > 0 || start == 0 {
			return text[at:], true
		}
	}
}
