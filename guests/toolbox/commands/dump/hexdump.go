package dump

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
)

// Formats of hexdump's letters, in its own language; each line of one begins again at the start of the block.
const (
	hexdumpUsual     = `"%07.7_ax " 8/2 "%04x " "\n"`
	hexdumpCanonical = `"%08.8_ax  " 8/1 "%02x " "  " 8/1 "%02x "` + "\n" + `"  |" 16/1 "%_p" "|\n"`
)

var hexdumpLetters = map[string]string{
	"b": `"%07.7_ax " 16/1 "%03o " "\n"`, "c": `"%07.7_ax " 16/1 "%3_c " "\n"`, "C": hexdumpCanonical,
	"d": `"%07.7_ax " 8/2 "  %05u " "\n"`, "o": `"%07.7_ax " 8/2 " %06o " "\n"`, "x": `"%07.7_ax " 8/2 "   %04x " "\n"`,
	"X": `"%07.7_ax " 16/1 " %02x" "\n"`,
}

var hexdumpLast = map[string]string{"C": "%08.8_Ax\n"}

// dumper is one run of hexdump.
type dumper struct {
	out     *kit.Output
	formats []dumpFormat
	last    []dumpFormat // what is printed at the end of the input
	block   int
	verbose bool
	skip    int64
	limit   int64
}

// Hexdump is the commands hd and hexdump.
func Hexdump(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "bcCde:f:n:os:vxXL::", Usage: "[OPTION]... [FILE]...",
		Long: "one-byte-octal=b one-byte-hex=X one-byte-char=c canonical=C two-bytes-decimal=d two-bytes-octal=o two-bytes-hex=x " +
			"format=e format-file=f length=n skip=s no-squeezing=v color=L",
	})
	if done {
		return status
	}
	d := &dumper{out: c.Out, verbose: opts.Has("v"), limit: -1}
	for key, into := range map[string]*int64{"n": &d.limit, "s": &d.skip} {
		if text, ok := opts.Value(key); ok {
			n, good := dumpQuantity(text)
			if !good {
				return c.Fail("failed to parse %s: '%s'", map[string]string{"n": "length", "s": "offset"}[key], text)
			}
			*into = n
		}
	}
	if problem := d.choose(c, opts); problem != "" {
		return c.Fail("%s", problem)
	}
	names := opts.Operands
	if len(names) == 0 {
		names = []string{"-"}
	}
	var inputs []io.Reader
	status = 0
	for _, name := range names {
		file, err := c.Open(name)
		if err != nil {
			status = c.FailPath(name, err)
			continue
		}
		defer file.Close()
		inputs = append(inputs, file)
	}
	if len(inputs) == 0 {
		c.Fail("all input file arguments failed")
		return 1
	}
	if err := d.dump(bufio.NewReaderSize(io.MultiReader(inputs...), 64<<10)); err != nil {
		return c.Fail("%s", kit.Reason(err))
	}
	return status
}

// dumpQuantity reads a number, hexadecimal or octal by its start, with a multiplier.
func dumpQuantity(text string) (int64, bool) {
	if strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0") && len(text) > 1 {
		n, ok := parseC(text)
		return n, ok
	}
	n, ok := notation.Quantity(text)
	return n, ok && n >= 0
}

// choose reads the formats from the flags; the text is what is wrong.
func (d *dumper) choose(c *kit.Call, opts *kit.Options) string {
	last := ""
	canonical := c.Name == "hd"
	add := func(text string) string {
		for line := range strings.Lines(text) {
			format, problem := parseDumpFormat(line)
			if problem != "" {
				return problem
			}
			d.formats = append(d.formats, format)
		}
		return ""
	}
	for _, one := range opts.List {
		problem := ""
		switch text, letter := hexdumpLetters[one.Key]; {
		case letter:
			problem = add(text)
			if last == "" {
				last = "%07.7_Ax\n"
			}
			if one.Key == "C" {
				last = hexdumpLast["C"]
			}
		case one.Key == "e":
			problem = add(one.Value)
		case one.Key == "f":
			raw, err := c.Slurp(one.Value)
			if err != nil {
				return one.Value + ": " + kit.Reason(err)
			}
			for _, line := range bytes.Split(raw, []byte("\n")) {
				if text := strings.TrimSpace(string(line)); text != "" && text[0] != '#' && problem == "" {
					problem = add(text)
				}
			}
		}
		if problem != "" {
			return problem
		}
	}
	if len(d.formats) == 0 {
		text := hexdumpUsual
		last = "%07.7_Ax\n"
		if canonical {
			text, last = hexdumpCanonical, hexdumpLast["C"]
		}
		if problem := add(text); problem != "" {
			return problem
		}
	}
	return d.finish(last)
}

// finish reads the format of the end, and settles how many bytes a line takes.
func (d *dumper) finish(last string) string {
	if last != "" {
		format, problem := parseDumpFormat(`"` + strings.ReplaceAll(last, "\n", `\n`) + `"`)
		if problem != "" {
			return problem
		}
		d.last = append(d.last, format)
	}
	for _, format := range d.formats {
		d.block = max(d.block, format.size())
	}
	for i := range d.formats {
		d.formats[i].fill(d.block)
	}
	if d.block == 0 {
		return "bad byte count for conversion character"
	}
	return ""
}

// dump prints the input block by block; equal blocks become one star.
func (d *dumper) dump(in *bufio.Reader) error {
	if n, err := io.CopyN(io.Discard, in, d.skip); err != nil && err != io.EOF {
		return err
	} else if n < d.skip {
		d.skip = n
	}
	source := io.Reader(in)
	if d.limit >= 0 {
		source = io.LimitReader(in, d.limit)
	}
	block, before := make([]byte, d.block), []byte(nil)
	at, starred := d.skip, false
	for {
		n, err := io.ReadFull(source, block)
		if n > 0 {
			switch {
			case n == d.block && !d.verbose && before != nil && bytes.Equal(before, block):
				if !starred {
					d.out.Line("*")
				}
				starred = true
			default:
				starred = false
				for _, format := range d.formats {
					d.out.WriteString(format.show(block[:n], at, false))
				}
			}
			before = append(before[:0], block[:n]...)
			at += int64(n)
		}
		if err != nil {
			if at > d.skip || n > 0 {
				for _, format := range append(d.formats, d.last...) {
					d.out.WriteString(format.show(nil, at, true))
				}
			}
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return nil
			}
			return err
		}
	}
}
