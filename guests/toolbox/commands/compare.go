package commands

import (
	"bufio"
	"errors"
	"io"
)

func cmpFiles(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "bsln:i:", Long: "silent=s quiet=s verbose=l print-bytes=b bytes=n", Usage: "[OPTION]... FILE1 [FILE2]", Status: 2,
	})
	if done {
		return status
	}
	names := opts.Operands
	if len(names) == 1 {
		names = append(names, "-")
	}
	if len(names) != 2 {
		return c.Usage(2, "missing operand after 'cmp'")
	}
	var readers [2]*bufio.Reader
	for i, name := range names {
		file, err := c.Open(name)
		if err != nil {
			c.FailPath(name, err)
			return 2
		}
		defer file.Close()
		readers[i] = bufio.NewReaderSize(file, 64<<10)
	}
	limit := int64(1 << 62)
	if text, ok := opts.Value("n"); ok {
		if limit, ok = quantity(text); !ok {
			c.Fail("invalid --bytes value '%s'", text)
			return 2
		}
	}
	return c.compareBytes(names, readers, limit, opts)
}

// compareBytes reads both files to the first difference, or to the end with -l.
func (c *Call) compareBytes(names []string, readers [2]*bufio.Reader, limit int64, opts *Options) int {
	status := 0
	line := 1
	for at := int64(1); at <= limit; at++ {
		x, errX := readers[0].ReadByte()
		y, errY := readers[1].ReadByte()
		switch {
		case errX != nil && errY != nil:
			if !errors.Is(errX, io.EOF) {
				c.FailPath(names[0], errX)
				return 2
			}
			return status
		case errX != nil || errY != nil:
			short := names[0]
			if errY != nil {
				short = names[1]
			}
			if !opts.Has("s") {
				c.Fail("EOF on %s after byte %d, line %d", short, at-1, line)
			}
			return 1
		case x != y && opts.Has("l"):
			c.Out.Printf("%d %3o %3o\n", at, x, y)
			status = 1
		case x != y:
			if !opts.Has("s") {
				c.Out.Printf("%s %s differ: byte %d, line %d\n", names[0], names[1], at, line)
			}
			return 1
		}
		if x == '\n' {
			line++
		}
	}
	return status
}
