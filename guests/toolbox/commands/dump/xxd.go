package dump

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
)

// xxdRun is one run of xxd that shows bytes.
type xxdRun struct {
	columns, group int
	bits, little   bool
	upper, plain   bool
	shift          int64
}

// Xxd is the command xxd.
func Xxd(c *kit.Call) int {
	for i, arg := range c.Args {
		switch arg { // xxd's words, as people write them
		case "-ps", "-postscript", "-plain":
			c.Args[i] = "-p"
		case "-include":
			c.Args[i] = "-i"
		case "-bits":
			c.Args[i] = "-b"
		case "-revert":
			c.Args[i] = "-r"
		}
	}
	opts, status, done := c.Parse(kit.Spec{Short: "abdeEiprc:g:l:o:s:uCn:R:", Usage: "[OPTION]... [FILE]"})
	if done {
		return status
	}
	if status, done := c.Refuse(opts, "E", "R", "a", "d"); done {
		return status
	}
	if opts.Has("r") {
		raw, _, status := dumped(c, opts.Operands, 0, dumpBytesMax)
		if status != 0 {
			return status
		}
		return undump(c, string(raw), opts.Has("p"))
	}
	from, given, ok := dumpNumber(opts, "s", 0)
	if !ok {
		return c.Fail("invalid argument '%s'", given)
	}
	length, given, ok := dumpNumber(opts, "l", dumpBytesMax)
	if !ok {
		return c.Fail("invalid argument '%s'", given)
	}
	if length < 0 { // as xxd: no bound
		length = dumpBytesMax
	}
	text, skip, status := dumped(c, opts.Operands, from, length)
	if status != 0 {
		return status
	}
	r := newXxdRun(opts)
	if r.columns > 256 && !opts.Has("p", "i") {
		return c.Fail("invalid number of columns (max. 256).")
	}
	switch {
	case opts.Has("i"):
		include(c, opts, text, r.columns)
	case r.plain:
		for at := 0; at < len(text); at += r.columns {
			c.Out.Line(r.hex(text[at:min(at+r.columns, len(text))]))
		}
	default:
		for at := 0; at < len(text); at += r.columns {
			r.row(c.Out, text[at:min(at+r.columns, len(text))], skip+int64(at)+r.shift)
		}
	}
	return 0
}

func newXxdRun(opts *kit.Options) *xxdRun {
	r := &xxdRun{
		columns: 16, group: 2, bits: opts.Has("b"), little: opts.Has("e"), upper: opts.Has("u"), plain: opts.Has("p"),
	}
	r.shift, _, _ = dumpNumber(opts, "o", 0)
	switch {
	case opts.Has("i"):
		r.columns = 12
	case r.plain:
		r.columns = 30
	case r.bits:
		r.columns, r.group = 6, 1
	case r.little:
		r.group = 4
	}
	if n, _, ok := dumpNumber(opts, "c", 0); ok && n > 0 {
		r.columns = int(min(n, dumpBytesMax))
	}
	if n, _, ok := dumpNumber(opts, "g", -1); ok && n >= 0 {
		r.group = int(min(n, int64(r.columns)))
	}
	if r.group == 0 {
		r.group = r.columns
	}
	return r
}

func (r *xxdRun) hex(raw []byte) string {
	text := hex.EncodeToString(raw)
	if r.upper {
		text = strings.ToUpper(text)
	}
	return text
}

func (r *xxdRun) row(out *kit.Output, row []byte, offset int64) {
	var cells, ascii strings.Builder
	digits := 2
	if r.bits {
		digits = 8
	}
	for at := 0; at < len(row); at += r.group {
		group := row[at:min(at+r.group, len(row))]
		if at > 0 {
			cells.WriteByte(' ')
		}
		if r.little {
			cells.WriteString(strings.Repeat("  ", r.group-len(group)))
		}
		for i := range group {
			b := group[i]
			if r.little {
				b = group[len(group)-1-i]
			}
			if r.bits {
				fmt.Fprintf(&cells, "%08b", b)
			} else {
				cells.WriteString(r.hex([]byte{b}))
			}
		}
	}
	for _, b := range row {
		if b < 32 || b > 126 {
			b = '.'
		}
		ascii.WriteByte(b)
	}
	width := r.columns*digits + (r.columns-1)/r.group
	if r.little {
		width = (r.columns+r.group-1)/r.group*(r.group*digits+1) - 1
	}
	out.Printf("%08x: %-*s  %s\n", offset, width, cells.String(), ascii.String())
}

// include writes the bytes as an array of C, named after the file.
func include(c *kit.Call, opts *kit.Options, text []byte, columns int) {
	name, named := opts.Value("n")
	if !named && len(opts.Operands) > 0 && opts.Operands[0] != "-" {
		name, named = opts.Operands[0], true
	}
	name = strings.Map(func(r rune) rune {
		if r < 128 && notation.IsAlnum(r) {
			return r
		}
		return '_'
	}, name)
	if name != "" && name[0] >= '0' && name[0] <= '9' {
		name = "__" + name
	}
	length := name + "_len"
	if opts.Has("C") {
		name, length = strings.ToUpper(name), strings.ToUpper(length)
	}
	prefix, format := "0x", "%02x"
	if opts.Has("u") {
		prefix, format = "0X", "%02X"
	}
	if named {
		c.Out.Line("unsigned char " + name + "[] = {")
	}
	for at := 0; at < len(text); at += columns {
		var cells []string
		for _, b := range text[at:min(at+columns, len(text))] {
			cells = append(cells, prefix+fmt.Sprintf(format, b))
		}
		c.Out.WriteString("  " + strings.Join(cells, ", "))
		if at+columns < len(text) {
			c.Out.WriteByte(',')
		}
		c.Out.WriteByte('\n')
	}
	if named {
		c.Out.Printf("};\nunsigned int %s = %d;\n", length, len(text))
	}
}

// undump turns a dump back into bytes. An offset beyond what was written is reached by zeros.
func undump(c *kit.Call, text string, plain bool) int {
	written := int64(0)
	for _, line := range strings.Split(text, "\n") {
		if !plain {
			offset, rest, ok := strings.Cut(line, ":")
			at, err := strconv.ParseInt(strings.TrimSpace(offset), 16, 64)
			if !ok || err != nil {
				continue
			}
			if at < written {
				return c.Fail("sorry, cannot seek backwards.")
			}
			if at-written > dumpBytesMax {
				return c.Fail("offset %s is too far away", offset)
			}
			c.Out.Write(make([]byte, at-written))
			written = at
			line, _, _ = strings.Cut(strings.TrimPrefix(rest, " "), "  ")
		}
		raw, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(line), " ", ""))
		if err != nil {
			return c.Fail("invalid hex data")
		}
		c.Out.Write(raw)
		written += int64(len(raw))
	}
	return 0
}
