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
		return c.Fail("invalid number of columns")
	}
	return c.Each(opts.Operands, func(_ string, in io.Reader) error {
		return eachLine(in, func(line []byte) error {
			rest := []rune(string(line))
			for len(rest) > width {
				at := width
				if opts.Has("s") {
					for i := width; i > 0; i-- {
						if rest[i-1] == ' ' || rest[i-1] == '\t' {
							at = i
							break
						}
					}
				}
				c.Out.Line(string(rest[:at]))
				rest = rest[at:]
			}
			c.Out.Line(string(rest))
			return nil
		})
	})
}

func formatText(c *Call) int {
	opts, status, done := c.Parse(Spec{Short: "w:su", Long: "width=w split-only=s uniform-spacing=u", Usage: "[OPTION]... [FILE]..."})
	if done {
		return status
	}
	width, ok := opts.width("w", 75)
	if !ok {
		return c.Fail("invalid width")
	}
	return c.Each(opts.Operands, func(_ string, in io.Reader) error {
		line := ""
		flush := func() {
			if line != "" {
				c.Out.Line(line)
			}
			line = ""
		}
		err := eachLine(in, func(raw []byte) error {
			words := strings.Fields(string(raw))
			if len(words) == 0 {
				flush()
				c.Out.WriteByte('\n')
			}
			for _, word := range words {
				if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
					flush()
				}
				if line != "" {
					line += " "
				}
				line += word
			}
			return nil
		})
		flush()
		return err
	})
}

func column(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "ts:o:c:nxN:", Long: "table=t separator=s output-separator=o table-columns=N", Usage: "[OPTION]... [FILE]...",
	})
	if done {
		return status
	}
	separator, split := opts.Value("s")
	gap, ok := opts.Value("o")
	if !ok {
		gap = "  "
	}
	var rows [][]string
	if text, ok := opts.Value("N"); ok {
		rows = append(rows, strings.Split(text, ","))
	}
	status = c.Each(opts.Operands, func(_ string, in io.Reader) error {
		return eachLine(in, func(line []byte) error {
			switch {
			case len(strings.TrimSpace(string(line))) == 0:
			case !opts.Has("t"):
				rows = append(rows, []string{string(line)})
			case split:
				rows = append(rows, strings.FieldsFunc(string(line), func(r rune) bool { return strings.ContainsRune(separator, r) }))
			default:
				rows = append(rows, strings.Fields(string(line)))
			}
			return nil
		})
	})
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		for i, cell := range row {
			c.Out.WriteString(cell)
			if i < len(row)-1 {
				c.Out.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)) + gap)
			}
		}
		c.Out.WriteByte('\n')
	}
	return status
}

func expand(c *Call) int {
	opts, status, done := c.Parse(Spec{Short: "it:", Long: "initial=i tabs=t", Usage: "[OPTION]... [FILE]..."})
	if done {
		return status
	}
	width, ok := opts.width("t", 8)
	if !ok {
		return c.Fail("tab size contains invalid character(s)")
	}
	if width > paddingMax {
		return c.Fail("tab stop is too large '%d'", width)
	}
	return c.Each(opts.Operands, func(_ string, in io.Reader) error {
		return eachLine(in, func(line []byte) error {
			at := 0
			for _, r := range string(line) {
				if r == '\t' {
					pad := width - at%width
					c.Out.WriteString(strings.Repeat(" ", pad))
					at += pad
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
		Short: "l:b:a:dn:", Usage: "[OPTION]... [FILE [PREFIX]]",
		Long: "lines=l bytes=b suffix-length=a numeric-suffixes=d additional-suffix:",
	})
	if done {
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
			suffix, ok := splitSuffix(number, length, opts.Has("d"))
			if !ok {
				return errors.New("output file suffixes exhausted")
			}
			file, err := c.Create(prefix + suffix + ending)
			if err != nil {
				return err
			}
			_, err = file.Write(piece)
			if closeErr := file.Close(); err == nil {
				err = closeErr
			}
			if err != nil {
				return err
			}
		}
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
