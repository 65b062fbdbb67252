package dump

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
)

// dumpUnit is one "iterations/bytes text" of a hexdump format, as its parts.
type dumpUnit struct {
	times, bytes int
	counted      bool // whether iterations were given: a unit without may be repeated to fill the block
	parts        []dumpPart
}

// dumpPart is a text, or one conversion such as %04x with the text before it.
type dumpPart struct {
	text  string
	flags string // between % and the letter
	kind  string // x, o, d, u, c, s, f, _a, _A, _c, _p, _u; "" for a text alone
	bytes int
}

type dumpFormat []*dumpUnit

// parseC reads a number as C writes it: 0x for hexadecimal, 0 for octal.
func parseC(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 0, 64)
	return n, err == nil && n >= 0
}

// dumpUnitBytesMax bounds what one line of a format may take.
const dumpUnitBytesMax = 64 << 10

func parseDumpFormat(text string) (dumpFormat, string) {
	var format dumpFormat
	bad := "bad format {" + text + "}"
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		unit := &dumpUnit{times: 1}
		digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
		if digits != "" {
			unit.times, _ = strconv.Atoi(digits)
			unit.counted = true
			rest = strings.TrimSpace(rest[len(digits):])
		}
		if strings.HasPrefix(rest, "/") {
			rest = strings.TrimSpace(rest[1:])
			digits = rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
			unit.bytes, _ = strconv.Atoi(digits)
			rest = strings.TrimSpace(rest[len(digits):])
		}
		if !strings.HasPrefix(rest, `"`) || unit.times > dumpUnitBytesMax || unit.bytes > dumpUnitBytesMax {
			return nil, bad
		}
		end := strings.IndexByte(rest[1:], '"') + 1
		if end == 0 {
			return nil, bad
		}
		if problem := unit.parse(unescapeDump(rest[1:end])); problem != "" {
			return nil, problem
		}
		format = append(format, unit)
		rest = rest[end+1:]
	}
	if len(format) == 0 || format.size() > dumpUnitBytesMax {
		return nil, bad
	}
	return format, ""
}

func unescapeDump(text string) string {
	return strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\\`, `\`, `\a`, "\a", `\b`, "\b", `\f`, "\f", `\r`, "\r", `\v`, "\v", `\0`, "\x00").Replace(text)
}

// parse splits the text of a unit into conversions.
func (u *dumpUnit) parse(text string) string {
	for text != "" {
		at := strings.IndexByte(text, '%')
		if at < 0 {
			u.parts = append(u.parts, dumpPart{text: text})
			return ""
		}
		part := dumpPart{text: text[:at]}
		rest := text[at+1:]
		if strings.HasPrefix(rest, "%") {
			u.parts = append(u.parts, dumpPart{text: part.text + "%"})
			text = rest[1:]
			continue
		}
		bare := strings.TrimLeft(rest, "-+ #0123456789.")
		part.flags = rest[:len(rest)-len(bare)]
		length := 1
		if strings.HasPrefix(bare, "_a") || strings.HasPrefix(bare, "_A") {
			length = 3
		} else if strings.HasPrefix(bare, "_") {
			length = 2
		}
		if len(bare) < length || !part.choose(bare[:length], u.bytes) {
			return "bad conversion character %" + bare[:min(length, len(bare))]
		}
		for _, number := range strings.FieldsFunc(part.flags, func(r rune) bool { return r < '0' || r > '9' }) {
			if n, err := strconv.Atoi(number); err != nil || n > kit.PaddingMax {
				return "bad conversion character %" + part.flags
			}
		}
		u.parts = append(u.parts, part)
		text = bare[length:]
	}
	return ""
}

// choose sets kind and bytes; false for what hexdump does not know.
func (p *dumpPart) choose(kind string, bytes int) bool {
	p.kind = kind
	allowed := []int{4, 1, 2, 8}
	switch kind {
	case "_ad", "_ao", "_ax", "_Ad", "_Ao", "_Ax":
		return true
	case "c", "_c", "_p", "_u":
		allowed = []int{1}
	case "e", "E", "f", "g", "G":
		allowed = []int{8, 4}
	case "s":
		p.bytes = bytes
		if p.bytes == 0 {
			_, precision, _ := strings.Cut(p.flags, ".")
			p.bytes, _ = strconv.Atoi(precision)
		}
		return p.bytes > 0
	case "d", "i", "o", "u", "x", "X":
	default:
		return false
	}
	if bytes == 0 {
		bytes = allowed[0]
	}
	for _, one := range allowed {
		if p.bytes = one; one == bytes {
			return true
		}
	}
	return false
}

func (u *dumpUnit) size() int {
	total := 0
	for _, part := range u.parts {
		total += part.bytes
	}
	return total
}

func (f dumpFormat) size() int {
	total := 0
	for _, unit := range f {
		total += unit.times * unit.size()
	}
	return total
}

// fill repeats the last unit that was not counted until the format takes the whole block.
func (f dumpFormat) fill(block int) {
	if last := f[len(f)-1]; !last.counted && last.size() > 0 {
		last.times += (block - f.size()) / last.size()
	}
}

// show is one block. At the end of the input only the addresses of %_A are shown.
func (f dumpFormat) show(block []byte, at int64, ending bool) string {
	var out strings.Builder
	used := 0
	for _, unit := range f {
		if ending && !unit.ends() {
			continue
		}
		for time := range unit.times {
			for i, part := range unit.parts {
				if ending != (strings.HasPrefix(part.kind, "_A")) && part.kind != "" && (ending || strings.HasPrefix(part.kind, "_A")) {
					continue
				}
				text := part.text
				// The blanks that end a repeated unit are not printed after its last time.
				if part.kind == "" && i == len(unit.parts)-1 && unit.times > 1 && time == unit.times-1 {
					text = strings.TrimRight(text, " \t")
				}
				out.WriteString(text)
				if part.kind != "" {
					out.WriteString(part.value(block, at, &used))
				}
			}
		}
	}
	return out.String()
}

func (u *dumpUnit) ends() bool {
	for _, part := range u.parts {
		if strings.HasPrefix(part.kind, "_A") {
			return true
		}
	}
	return false
}

// value is the conversion of the next bytes, blanks of the same width if the input has ended.
func (p *dumpPart) value(block []byte, at int64, used *int) string {
	if strings.HasPrefix(p.kind, "_a") || strings.HasPrefix(p.kind, "_A") {
		return fmt.Sprintf("%"+p.flags+p.kind[2:], at+int64(*used))
	}
	from := *used
	*used += p.bytes
	if from >= len(block) {
		width, _, _ := strings.Cut(strings.TrimLeft(p.flags, "-+ #0"), ".")
		n, _ := strconv.Atoi(width)
		return strings.Repeat(" ", n)
	}
	raw := make([]byte, p.bytes)
	copy(raw, block[from:])
	return p.format(raw)
}

func (p *dumpPart) format(raw []byte) string {
	flags := "%" + p.flags
	switch p.kind {
	case "c":
		return fmt.Sprintf(flags+"s", string(raw))
	case "s":
		text, _, _ := strings.Cut(string(raw), "\x00")
		return fmt.Sprintf(flags+"s", text)
	case "_p":
		if raw[0] < ' ' || raw[0] > 126 {
			raw[0] = '.'
		}
		return fmt.Sprintf(flags+"s", string(raw))
	case "_c":
		return fmt.Sprintf(flags+"s", strings.TrimLeft(odCharacter(raw[0]), " "))
	case "_u":
		return fmt.Sprintf(flags+"s", asciiName(raw[0]))
	}
	padded := append(raw, 0, 0, 0, 0, 0, 0, 0, 0)
	n := binary.LittleEndian.Uint64(padded)
	switch p.kind {
	case "d", "i":
		shift := 64 - 8*p.bytes
		return fmt.Sprintf(flags+"d", int64(n<<shift)>>shift)
	case "u":
		return fmt.Sprintf(flags+"d", n)
	case "e", "E", "f", "g", "G":
		if p.bytes == 4 {
			return fmt.Sprintf(flags+p.kind, math.Float32frombits(uint32(n)))
		}
		return fmt.Sprintf(flags+p.kind, math.Float64frombits(n))
	}
	return fmt.Sprintf(flags+p.kind, n)
}

// asciiName is the name of a control character as %_u shows it.
func asciiName(b byte) string {
	const names = "nul soh stx etx eot enq ack bel bs ht lf vt ff cr so si dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us"
	switch {
	case b < ' ':
		return strings.Fields(names)[b]
	case b == 127:
		return "del"
	case b > 127:
		return fmt.Sprintf("%02x", b)
	}
	return string(b)
}
