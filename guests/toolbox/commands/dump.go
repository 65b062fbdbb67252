package commands

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// dumpBytesMax bounds what one dump holds.
const dumpBytesMax = 64 << 20

// dumpNumber is the number given for a key, as C writes it or with a unit; usual if there is none.
func (o *Options) dumpNumber(key string, usual int64) (n int64, text string, ok bool) {
	text, given := o.Value(key)
	if !given {
		return usual, "", true
	}
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		return n, text, true
	}
	n, ok = quantity(text)
	return n, text, ok
}

// dumped is all operands of a dump as one stream: at most so many bytes of it, and the offset of the first. A negative
// offset counts from the end.
func (c *Call) dumped(names []string, from, length int64) ([]byte, int64, int) {
	length = min(length, dumpBytesMax)
	skip, keep := max(from, 0), length
	if from < 0 {
		keep = dumpBytesMax
	}
	var all []byte
	status := c.Each(names, func(_ string, in io.Reader) error {
		n, err := io.CopyN(io.Discard, in, skip)
		skip -= n
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			var raw []byte
			raw, err = io.ReadAll(io.LimitReader(in, keep-int64(len(all))))
			all = append(all, raw...)
		}
		return err
	})
	if from >= 0 || status != 0 {
		return all, max(from, 0), status
	}
	size := int64(len(all))
	start := size + from
	if start < 0 || size == dumpBytesMax { // beyond the bound the end is not known
		c.Fail("Sorry, cannot seek.")
		return nil, 0, 4
	}
	return all[start:min(start+length, size)], start, 0
}

func od(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "A:t:N:j:w::vcxbdo", Usage: "[OPTION]... [FILE]...",
		Long: "address-radix=A format=t read-bytes=N skip-bytes=j width=w output-duplicates=v",
	})
	if done {
		return status
	}
	from, given, ok := opts.dumpNumber("j", 0)
	if !ok || from < 0 {
		return c.Fail("invalid -j argument '%s'", given)
	}
	length, given, ok := opts.dumpNumber("N", dumpBytesMax)
	if !ok || length < 0 {
		return c.Fail("invalid -N argument '%s'", given)
	}
	text, skip, status := c.dumped(opts.Operands, from, length)
	if status != 0 {
		return status
	}
	format, ok := opts.Value("t")
	if !ok {
		format = map[string]string{"c": "c", "x": "x2", "b": "o1", "d": "u2", "o": "o2", "": "o2"}[opts.Last("c", "x", "b", "d", "o")]
	}
	address := "%07o"
	switch radix, _ := opts.Value("A"); radix {
	case "x":
		address = "%06x"
	case "d":
		address = "%07d"
	case "n":
		address = ""
	}
	width := 16
	if text, ok := opts.Value("w"); ok {
		width = 32
		if n, err := strconv.Atoi(text); err == nil && n > 0 {
			width = n
		}
	}
	previous, starred := "", false
	for at := 0; at < len(text); at += width {
		row := text[at:min(at+width, len(text))]
		if string(row) == previous && !opts.Has("v") && len(row) == width {
			if !starred {
				c.Out.Line("*")
				starred = true
			}
			continue
		}
		previous, starred = string(row), false
		line, ok := odRow(format, row)
		if !ok {
			return c.Fail("invalid type string '%s'", format)
		}
		if address != "" {
			c.Out.Printf(address, skip+int64(at))
		}
		c.Out.Line(line)
	}
	if address != "" {
		c.Out.Printf(address+"\n", skip+int64(len(text)))
	}
	return 0
}

// odRow formats one row: a type letter (o x u d c a) and a size in bytes.
func odRow(format string, row []byte) (string, bool) {
	var out strings.Builder
	if strings.HasSuffix(format, "z") {
		format = format[:len(format)-1]
	}
	if format == "c" || format == "a" {
		for _, b := range row {
			fmt.Fprintf(&out, "%4s", odCharacter(b))
		}
		return out.String(), true
	}
	size := 4
	if len(format) > 1 {
		n, err := strconv.Atoi(format[1:])
		if err != nil {
			return "", false
		}
		size = n
	}
	widths := map[byte][]int{'x': {3, 5, 9, 17}, 'o': {4, 7, 12, 23}, 'u': {4, 6, 11, 21}, 'd': {5, 7, 12, 21}}
	place, ok := map[int]int{1: 0, 2: 1, 4: 2, 8: 3}[size]
	if !ok || format == "" || widths[format[0]] == nil {
		return "", false
	}
	for at := 0; at < len(row); at += size {
		var word [8]byte
		copy(word[:], row[at:min(at+size, len(row))])
		value := binary.LittleEndian.Uint64(word[:])
		text := ""
		switch format[0] {
		case 'x':
			text = fmt.Sprintf("%0*x", size*2, value)
		case 'o':
			text = fmt.Sprintf("%0*o", widths['o'][place]-1, value)
		case 'u':
			text = strconv.FormatUint(value, 10)
		case 'd':
			text = strconv.FormatInt(int64(value)<<(64-8*size)>>(64-8*size), 10)
		}
		fmt.Fprintf(&out, "%*s", widths[format[0]][place], text)
	}
	return out.String(), true
}

func odCharacter(b byte) string {
	if at := strings.IndexByte("\x00\a\b\f\n\r\t\v", b); at >= 0 {
		return `\` + string("0abfnrtv"[at])
	}
	if b < 32 || b > 126 {
		return fmt.Sprintf("%03o", b)
	}
	return string(rune(b))
}

func xxd(c *Call) int {
	opts, status, done := c.Parse(Spec{Short: "prc:l:s:g:ui", Usage: "[OPTION]... [FILE]"})
	if done {
		return status
	}
	if opts.Has("r") {
		raw, _, status := c.dumped(opts.Operands, 0, dumpBytesMax)
		if status != 0 {
			return status
		}
		return c.undump(string(raw), opts.Has("p"))
	}
	from, given, ok := opts.dumpNumber("s", 0)
	if !ok {
		return c.Fail("invalid argument '%s'", given)
	}
	length, given, ok := opts.dumpNumber("l", dumpBytesMax)
	if !ok {
		return c.Fail("invalid argument '%s'", given)
	}
	if length < 0 { // as xxd: no bound
		length = dumpBytesMax
	}
	text, skip, status := c.dumped(opts.Operands, from, length)
	if status != 0 {
		return status
	}
	columns := 16
	if opts.Has("p") {
		columns = 30
	}
	if value, ok := opts.Value("c"); ok {
		if n, err := strconv.Atoi(value); err == nil && n > 0 {
			columns = n
		}
	}
	if columns > 256 && !opts.Has("p") {
		return c.Fail("invalid number of columns (max. 256).")
	}
	group := 2
	if value, ok := opts.Value("g"); ok {
		if n, err := strconv.Atoi(value); err == nil && n > 0 {
			group = n
		}
	}
	for at := 0; at < len(text); at += columns {
		row := text[at:min(at+columns, len(text))]
		if opts.Has("p") {
			c.Out.Line(hex.EncodeToString(row))
			continue
		}
		var cells, ascii strings.Builder
		for i, b := range row {
			if i > 0 && i%group == 0 {
				cells.WriteByte(' ')
			}
			fmt.Fprintf(&cells, "%02x", b)
			if b < 32 || b > 126 {
				b = '.'
			}
			ascii.WriteByte(b)
		}
		c.Out.Printf("%08x: %-*s  %s\n", skip+int64(at), columns*2+(columns-1)/group, cells.String(), ascii.String())
	}
	return 0
}

func (c *Call) undump(text string, plain bool) int {
	for _, line := range strings.Split(text, "\n") {
		if !plain {
			_, rest, ok := strings.Cut(line, ": ")
			if !ok {
				continue
			}
			line, _, _ = strings.Cut(rest, "  ")
		}
		raw, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(line), " ", ""))
		if err != nil {
			return c.Fail("invalid hex data")
		}
		c.Out.Write(raw)
	}
	return 0
}
