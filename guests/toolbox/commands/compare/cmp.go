// Package compare holds the commands that tell how files differ: diff and cmp.
package compare

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
)

// Cmp is the command cmp.
func Cmp(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "bsln:i:", Long: "silent=s quiet=s verbose=l print-bytes=b bytes=n ignore-initial=i", Usage: "[OPTION]... FILE1 [FILE2]", Status: 2,
	})
	if done {
		return status
	}
	names := opts.Operands
	if len(names) == 1 {
		names = append(names, "-")
	}
	if len(names) == 0 {
		return c.Usage(2, "missing operand after 'cmp'")
	}
	if len(names) > 4 {
		return c.Usage(2, "extra operand '%s'", names[4])
	}
	skips, problem := cmpSkips(opts, names[2:])
	if problem != "" {
		return c.Usage(2, "invalid --ignore-initial value '%s'", problem)
	}
	names = names[:2]
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
		if limit, ok = notation.Quantity(text); !ok {
			c.Fail("invalid --bytes value '%s'", text)
			return 2
		}
	}
	for i, skip := range skips {
		if _, err := io.CopyN(io.Discard, readers[i], skip); err != nil && !errors.Is(err, io.EOF) {
			c.FailPath(names[i], err)
			return 2
		}
	}
	return compareBytes(c, names, readers, limit, opts)
}

// compareBytes reads both files to the first difference, or to the end with -l.
func compareBytes(c *kit.Call, names []string, readers [2]*bufio.Reader, limit int64, opts *kit.Options) int {
	status := 0
	line, previous := 1, byte(0)
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
			endsEarly(c, short, at-1, line, previous, opts)
			return 1
		case x != y && opts.Has("s"):
			return 1
		case x != y && opts.Has("l") && opts.Has("b"):
			c.Out.Printf("%d %3o %-4s %3o %s\n", at, x, visibleByte(x), y, visibleByte(y))
			status = 1
		case x != y && opts.Has("l"):
			c.Out.Printf("%d %3o %3o\n", at, x, y)
			status = 1
		case x != y:
			c.Out.Printf("%s %s differ: byte %d, line %d", names[0], names[1], at, line)
			if opts.Has("b") {
				c.Out.Printf(" is %3o %s %3o %s", x, visibleByte(x), y, visibleByte(y))
			}
			c.Out.WriteByte('\n')
			return 1
		}
		if x == '\n' {
			line++
		}
		previous = x
	}
	return status
}

// endsEarly says which file ended first, and where.
func endsEarly(c *kit.Call, name string, bytes int64, line int, last byte, opts *kit.Options) {
	switch {
	case opts.Has("s"):
	case bytes == 0:
		c.Fail("EOF on %s which is empty", name)
	case opts.Has("l"):
		c.Fail("EOF on %s after byte %d", name, bytes)
	case last == '\n':
		c.Fail("EOF on %s after byte %d, line %d", name, bytes, line-1)
	default:
		c.Fail("EOF on %s after byte %d, in line %d", name, bytes, line)
	}
}

// cmpSkips reads -i SKIP or SKIP1:SKIP2, or the third and fourth operand; problem is a text that is no number.
func cmpSkips(opts *kit.Options, operands []string) (skips [2]int64, problem string) {
	texts := append(operands, "0", "0")[:2]
	if text, ok := opts.Value("i"); ok {
		first, second, two := strings.Cut(text, ":")
		if !two {
			second = first
		}
		texts = []string{first, second}
	}
	for i, text := range texts {
		n, ok := notation.Quantity(text)
		if !ok || n < 0 {
			return skips, cmp.Or(text, "''")
		}
		skips[i] = n
	}
	return skips, ""
}

// visibleByte is a byte as cat -A shows it.
func visibleByte(b byte) string {
	var text bytes.Buffer
	out := kit.NewOutput(&text)
	out.Visible(b)
	out.Flush()
	return text.String()
}
