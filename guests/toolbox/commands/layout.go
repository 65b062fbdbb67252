package commands

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// paddingMax bounds the blanks that one number of an option may ask for.
const paddingMax = 64 << 10

// width reads a positive number for a key, or gives the usual one.
func (o *Options) width(key string, usual int) (int, bool) {
	text, ok := o.Value(key)
	if !ok {
		return usual, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n > 0
}

func fold(c *Call) int {
	for i, arg := range c.Args {
		if len(arg) > 1 && arg[0] == '-' && strings.Trim(arg[1:], "0123456789") == "" {
			c.Args[i] = "-w" + arg[1:]
		}
	}
	opts, status, done := c.Parse(Spec{Short: "bsw:", Long: "bytes=b spaces=s width=w", Usage: "[OPTION]... [FILE]..."})
	if done {
		return status
	}
	width, ok := opts.width("w", 80)
	if !ok {
		text, _ := opts.Value("w")
		return c.Fail("invalid number of columns: '%s'", text)
	}
	return c.Each(opts.Operands, func(_ string, in io.Reader) error {
		return eachLine(in, func(line []byte) error {
			foldLine(c.Out, line, width, opts.Has("b"), opts.Has("s"))
			return nil
		})
	})
}

// foldLine breaks a line where it gets wider than so many columns: characters, or bytes. A tab leads to the next
// multiple of 8, a backspace one back.
func foldLine(out *Output, line []byte, width int, bytes, blanks bool) {
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

func expand(c *Call) int {
	for i, arg := range c.Args {
		if len(arg) > 1 && arg[0] == '-' && strings.Trim(arg[1:], "0123456789,") == "" {
			c.Args[i] = "-t" + arg[1:]
		}
	}
	opts, status, done := c.Parse(Spec{Short: "it:", Long: "initial=i tabs=t", Usage: "[OPTION]... [FILE]..."})
	if done {
		return status
	}
	text, _ := opts.Value("t")
	stops, problem := parseTabStops(text)
	if problem != "" {
		return c.Fail("%s", problem)
	}
	return c.Each(opts.Operands, func(_ string, in io.Reader) error {
		return eachLine(in, func(line []byte) error {
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

// split writes pieces of its input to PREFIXaa, PREFIXab and so on.
func split(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "l:b:C:a:dn:x", Usage: "[OPTION]... [FILE [PREFIX]]",
		Long: "lines=l bytes=b line-bytes=C suffix-length=a numeric-suffixes=d hex-suffixes=x number=n additional-suffix: " +
			"filter: verbose separator:",
	})
	if done {
		return status
	}
	if status, done := c.Refuse(opts, "C", "x", "filter", "separator"); done {
		return status
	}
	perFile, byBytes := int64(1000), opts.Has("b")
	if text, ok := opts.Value("l", "b"); ok {
		if perFile, ok = quantity(text); !ok || perFile < 1 {
			return c.Fail("invalid number of lines: '%s'", text)
		}
	}
	length, ok := opts.width("a", 2)
	if !ok || length > 255 { // no file name is longer
		return c.Fail("invalid suffix length")
	}
	prefix, names := "x", opts.Operands
	if len(names) > 1 {
		prefix, names = names[1], names[:1]
	}
	ending, _ := opts.Value("additional-suffix")
	place := func(number int) (string, bool) {
		suffix, ok := splitSuffix(number, length, opts.Has("d"))
		return prefix + suffix + ending, ok
	}
	if text, ok := opts.Value("n"); ok {
		return c.splitChunks(names, text, place)
	}
	return c.Each(names, func(_ string, in io.Reader) error {
		lines := newLineReader(in, '\n')
		for number := 0; ; number++ {
			piece, err := nextPiece(in, lines, perFile, byBytes)
			if err != nil {
				return err
			}
			if len(piece) == 0 {
				return lines.failed
			}
			if err := c.writePiece(number, piece, place); err != nil {
				return err
			}
		}
	})
}

// writePiece makes the file of a piece.
func (c *Call) writePiece(number int, piece []byte, place func(number int) (string, bool)) error {
	name, ok := place(number)
	if !ok {
		return errors.New("output file suffixes exhausted")
	}
	file, err := c.Create(name)
	if err != nil {
		return err
	}
	_, err = file.Write(piece)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}

// splitChunks writes a file in so many pieces of equal size, the last of which takes the rest.
func (c *Call) splitChunks(names []string, text string, place func(number int) (string, bool)) int {
	chunks, err := strconv.Atoi(text)
	if strings.Contains(text, "/") {
		return c.Unsupported("-n", text)
	}
	if err != nil || chunks < 1 {
		return c.Fail("invalid number of chunks: '%s'", text)
	}
	if len(names) == 0 || names[0] == "-" {
		return c.Fail("-: cannot determine file size")
	}
	return c.Each(names, func(_ string, in io.Reader) error {
		text, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		size := len(text) / chunks
		for number := range chunks {
			piece := text[number*size:]
			if number < chunks-1 {
				piece = piece[:size]
			}
			if err := c.writePiece(number, piece, place); err != nil {
				return err
			}
		}
		return nil
	})
}

// nextPiece is the next so many bytes or lines.
func nextPiece(in io.Reader, lines *lineReader, count int64, bytes bool) ([]byte, error) {
	if bytes {
		return io.ReadAll(io.LimitReader(in, count))
	}
	var piece []byte
	for range count {
		line, ok := lines.next()
		if !ok {
			break
		}
		piece = append(piece, line...)
		if lines.ended {
			piece = append(piece, '\n')
		}
	}
	return piece, nil
}

func splitSuffix(number, length int, digits bool) (string, bool) {
	alphabet := "abcdefghijklmnopqrstuvwxyz"
	if digits {
		alphabet = "0123456789"
	}
	text := make([]byte, length)
	for i := length - 1; i >= 0; i-- {
		text[i] = alphabet[number%len(alphabet)]
		number /= len(alphabet)
	}
	return string(text), number == 0
}
