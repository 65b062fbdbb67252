package dump

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
)

// odType is one way to show a row: a letter (a c d o u x f) and the bytes of an item.
type odType struct {
	letter byte
	size   int
	width  int // of one item, without what parts it from the next
	text   bool
	pad    int // blanks to spread over a full row
}

// odRun is one run of od.
type odRun struct {
	types   []odType
	address string
	width   int
	order   binary.ByteOrder
}

// odShort are the options that stand for a type.
var odShort = map[string]string{
	"a": "a", "b": "o1", "c": "c", "d": "u2", "f": "f4", "i": "d4", "l": "d8", "o": "o2", "s": "d2", "x": "x2",
}

// Od is the command od.
func Od(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "A:t:N:j:w::vabcdfilosxS::", Usage: "[OPTION]... [FILE]...",
		Long: "address-radix=A format=t read-bytes=N skip-bytes=j width=w output-duplicates=v strings=S endian: traditional",
	})
	if done {
		return status
	}
	if status, done := c.Refuse(opts, "S", "traditional"); done {
		return status
	}
	r, problem := newOdRun(opts)
	if problem != "" {
		return c.Fail("%s", problem)
	}
	from, given, ok := dumpNumber(opts, "j", 0)
	if !ok || from < 0 {
		return c.Fail("invalid -j argument '%s'", given)
	}
	length, given, ok := dumpNumber(opts, "N", dumpBytesMax)
	if !ok || length < 0 {
		return c.Fail("invalid -N argument '%s'", given)
	}
	text, skip, status := dumped(c, opts.Operands, from, length)
	if status != 0 {
		return status
	}
	r.print(c.Out, text, skip, opts.Has("v"))
	return 0
}

// newOdRun reads types, radix and width; problem is what is wrong with them.
func newOdRun(opts *kit.Options) (*odRun, string) {
	r := &odRun{address: "%07o", width: 16, order: binary.LittleEndian}
	if text, ok := opts.Value("endian"); ok {
		if !strings.HasPrefix("big", text) && !strings.HasPrefix("little", text) || text == "" {
			return nil, "invalid argument '" + text + "' for '--endian'"
		}
		if text[0] == 'b' {
			r.order = binary.BigEndian
		}
	}
	for _, one := range opts.List {
		format, ok := odShort[one.Key]
		if one.Key == "t" {
			format, ok = one.Value, true
		}
		if !ok {
			continue
		}
		if problem := r.add(format); problem != "" {
			return nil, problem
		}
	}
	if len(r.types) == 0 {
		r.add("o2")
	}
	if radix, ok := opts.Value("A"); ok {
		if r.address, ok = map[string]string{"x": "%06x", "d": "%07d", "n": "", "o": "%07o"}[radix]; !ok {
			return nil, "invalid output address radix '" + radix + "'; it must be one character from [doxn]"
		}
	}
	if text, ok := opts.Value("w"); ok {
		r.width = 32
		if text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || n > kit.PaddingMax {
				return nil, "invalid -w argument '" + text + "'"
			}
			r.width = n
		}
	}
	r.align()
	return r, ""
}

// add reads a type string: several of a, c, or a letter with a size, each with z for the text beside.
func (r *odRun) add(format string) string {
	if format == "" {
		return "invalid character '' in type string ''"
	}
	for rest := format; rest != ""; {
		one := odType{letter: rest[0], size: 4}
		rest = rest[1:]
		widths := map[byte]map[int]int{
			'x': {1: 2, 2: 4, 4: 8, 8: 16}, 'o': {1: 3, 2: 6, 4: 11, 8: 22}, 'u': {1: 3, 2: 5, 4: 10, 8: 20},
			'd': {1: 4, 2: 6, 4: 11, 8: 20}, 'f': {4: 15, 8: 24}, 'a': {1: 3}, 'c': {1: 3},
		}[one.letter]
		switch {
		case widths == nil:
			return fmt.Sprintf("invalid character '%c' in type string '%s'", one.letter, format)
		case widths[1] == 3 && len(widths) == 1:
			one.size = 1
		case one.letter == 'f':
			one.size = 8
		}
		if digits := notation.LeadingDigits(rest); digits > 0 && len(widths) > 1 {
			one.size, _ = strconv.Atoi(rest[:digits])
			rest = rest[digits:]
		} else if rest != "" && strings.IndexByte("CSILFD", rest[0]) >= 0 && len(widths) > 1 {
			one.size = map[byte]int{'C': 1, 'S': 2, 'I': 4, 'L': 8, 'F': 4, 'D': 8}[rest[0]]
			rest = rest[1:]
		}
		var ok bool
		if one.width, ok = widths[one.size]; !ok {
			return fmt.Sprintf("invalid type string '%s';\nthis system doesn't provide a %d-byte %s type", format, one.size,
				map[bool]string{true: "floating point", false: "integral"}[one.letter == 'f'])
		}
		if strings.HasPrefix(rest, "z") {
			one.text, rest = true, rest[1:]
		}
		r.types = append(r.types, one)
	}
	return ""
}

// align gives each type the blanks that make its rows as wide as those of the widest.
func (r *odRun) align() {
	widest := 0
	for _, one := range r.types {
		r.width = (r.width + one.size - 1) / one.size * one.size
		widest = max(widest, 0)
	}
	for _, one := range r.types {
		widest = max(widest, (one.width+1)*(r.width/one.size))
	}
	for i, one := range r.types {
		r.types[i].pad = widest - one.width*(r.width/one.size)
	}
}

func (r *odRun) print(out *kit.Output, text []byte, skip int64, duplicates bool) {
	previous, starred := "", false
	for at := 0; at < len(text); at += r.width {
		row := text[at:min(at+r.width, len(text))]
		if string(row) == previous && !duplicates && len(row) == r.width {
			if !starred {
				out.Line("*")
				starred = true
			}
			continue
		}
		previous, starred = string(row), false
		for i, one := range r.types {
			switch {
			case i == 0 && r.address != "":
				out.Printf(r.address, skip+int64(at))
			case r.address != "":
				out.WriteString(strings.Repeat(" ", len(fmt.Sprintf(r.address, 0))))
			}
			out.Line(r.row(one, row))
		}
	}
	if r.address != "" {
		out.Printf(r.address+"\n", skip+int64(len(text)))
	}
}

func (r *odRun) row(one odType, row []byte) string {
	var out strings.Builder
	count := r.width / one.size
	left := one.pad
	for i := range count {
		next := one.pad * (count - 1 - i) / count
		width := left - next + one.width
		left = next
		item := ""
		if at := i * one.size; at < len(row) {
			item = r.item(one, row[at:min(at+one.size, len(row))])
		} else if !one.text {
			break
		}
		fmt.Fprintf(&out, "%*s", width, item)
	}
	if one.text {
		out.WriteString("  >")
		for _, b := range row {
			if b < 32 || b > 126 {
				b = '.'
			}
			out.WriteByte(b)
		}
		out.WriteByte('<')
	}
	return out.String()
}

// item shows so many bytes as one; missing ones at the end of the input are zero.
func (r *odRun) item(one odType, raw []byte) string {
	switch one.letter {
	case 'c':
		return odCharacter(raw[0])
	case 'a':
		return odName(raw[0])
	}
	var word [8]byte
	copy(word[:], raw)
	value := uint64(word[0])
	switch one.size {
	case 2:
		value = uint64(r.order.Uint16(word[:]))
	case 4:
		value = uint64(r.order.Uint32(word[:]))
	case 8:
		value = r.order.Uint64(word[:])
	}
	switch one.letter {
	case 'x':
		return fmt.Sprintf("%0*x", one.width, value)
	case 'o':
		return fmt.Sprintf("%0*o", one.width, value)
	case 'd':
		return strconv.FormatInt(int64(value)<<(64-8*one.size)>>(64-8*one.size), 10)
	case 'f':
		if one.size == 4 {
			return strconv.FormatFloat(float64(math.Float32frombits(uint32(value))), 'g', -1, 32)
		}
		return strconv.FormatFloat(math.Float64frombits(value), 'g', -1, 64)
	}
	return strconv.FormatUint(value, 10)
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

// odName is a character as ASCII names it; the highest bit does not count.
func odName(b byte) string {
	names := strings.Fields("nul soh stx etx eot enq ack bel bs ht nl vt ff cr so si " +
		"dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us sp")
	b &= 0x7f
	switch {
	case int(b) < len(names):
		return names[b]
	case b == 0x7f:
		return "del"
	}
	return string(rune(b))
}
