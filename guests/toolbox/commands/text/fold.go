package text

import (
	"io"
	"strings"
	"unicode/utf8"

	"capbox/toolbox/commands/kit"
)

// Fold is the command fold.
func Fold(c *kit.Call) int {
	for i, arg := range c.Args {
		if len(arg) > 1 && arg[0] == '-' && strings.Trim(arg[1:], "0123456789") == "" {
			c.Args[i] = "-w" + arg[1:]
		}
	}
	opts, status, done := c.Parse(kit.Spec{Short: "bsw:", Long: "bytes=b spaces=s width=w", Usage: "[OPTION]... [FILE]..."})
	if done {
		return status
	}
	width, ok := opts.Width("w", 80)
	if !ok {
		text, _ := opts.Value("w")
		return c.Fail("invalid number of columns: '%s'", text)
	}
	return c.Each(opts.Operands, func(_ string, in io.Reader) error {
		return kit.EachLine(in, func(line []byte) error {
			foldLine(c.Out, line, width, opts.Has("b"), opts.Has("s"))
			return nil
		})
	})
}

// foldLine breaks a line where it gets wider than so many columns: characters, or bytes. A tab leads to the next
// multiple of 8, a backspace one back.
func foldLine(out *kit.Output, line []byte, width int, bytes, blanks bool) {
	column, start, blank := 0, 0, -1
	for at := 0; at < len(line); {
		r, size := utf8.DecodeRune(line[at:])
		next := column + 1
		switch {
		case bytes:
			size = 1
		case r == '\t':
			next = column/8*8 + 8
		case r == '\b':
			next = max(0, column-1)
		case r == '\r':
			next = 0
		}
		if next > width && at > start {
			end := at
			if blanks && blank > start {
				end = blank
			}
			out.Line(string(line[start:end]))
			start, at, column, blank = end, end, 0, -1
			continue
		}
		column, at = next, at+size
		if r == ' ' || r == '\t' {
			blank = at
		}
	}
	out.Line(string(line[start:]))
}

// Expand is the command expand.
func Expand(c *kit.Call) int {
	for i, arg := range c.Args {
		if len(arg) > 1 && arg[0] == '-' && strings.Trim(arg[1:], "0123456789,") == "" {
			c.Args[i] = "-t" + arg[1:]
		}
	}
	opts, status, done := c.Parse(kit.Spec{Short: "it:", Long: "initial=i tabs=t", Usage: "[OPTION]... [FILE]..."})
	if done {
		return status
	}
	text, _ := opts.Value("t")
	stops, problem := parseTabStops(text)
	if problem != "" {
		return c.Fail("%s", problem)
	}
	return c.Each(opts.Operands, func(_ string, in io.Reader) error {
		return kit.EachLine(in, func(line []byte) error {
			at, leading := 0, true
			for _, r := range string(line) {
				leading = leading && (r == ' ' || r == '\t')
				if r == '\t' && (leading || !opts.Has("i")) {
					next, ok := stops.after(at)
					if !ok {
						next = at + 1
					}
					c.Out.WriteString(strings.Repeat(" ", next-at))
					at = next
					continue
				}
				c.Out.WriteString(string(r))
				at++
			}
			c.Out.WriteByte('\n')
			return nil
		})
	})
}
