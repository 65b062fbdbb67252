package pdf

import (
	"bytes"
	"strconv"
	"strings"
)

// mappedMax bounds the entries of all fonts' tables, overwritten ones too.
const mappedMax = 600_000

// font turns a string's codes into characters.
type font struct {
	wide   bool              // codes have two bytes
	mapped map[string]string // what ToUnicode says of a code
	single [256]string       // what the encoding says
	widths []float64         // in thousandths, from the code `first` on
	first  int
}

// windows is the WinAnsi encoding (ISO 32000-1, annex D.2), which differs from Latin-1 in one row.
var windows = func() (table [256]rune) {
	for i := range table {
		table[i] = rune(i)
	}
	for i, r := range []rune("€•‚ƒ„…†‡ˆ‰Š‹Œ•Ž••‘’“”•–—˜™š›œ•žŸ") {
		table[0x80+i] = r
	}
	return table
}()

// macRoman are the upper half of the encoding of that name.
var macRoman = []rune("ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u00a0ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\ufffdÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ")

// glyphs are the names that an encoding's differences commonly use; letters name themselves.
var glyphs = func() map[string]string {
	table := map[string]string{"ff": "ff", "fi": "fi", "fl": "fl", "ffi": "ffi", "ffl": "ffl", "nbspace": " "}
	const latin = "space exclam quotedbl numbersign dollar percent ampersand quotesingle parenleft parenright asterisk plus comma hyphen period " +
		"slash zero one two three four five six seven eight nine colon semicolon less equal greater question at"
	for i, one := range strings.Fields(latin) {
		table[one] = string(rune(' ' + i))
	}
	const upper = "exclamdown cent sterling currency yen brokenbar section dieresis copyright ordfeminine guillemotleft logicalnot softhyphen " +
		"registered macron degree plusminus twosuperior threesuperior acute mu paragraph periodcentered cedilla onesuperior ordmasculine " +
		"guillemotright onequarter onehalf threequarters questiondown Agrave Aacute Acircumflex Atilde Adieresis Aring AE Ccedilla Egrave " +
		"Eacute Ecircumflex Edieresis Igrave Iacute Icircumflex Idieresis Eth Ntilde Ograve Oacute Ocircumflex Otilde Odieresis multiply Oslash " +
		"Ugrave Uacute Ucircumflex Udieresis Yacute Thorn germandbls agrave aacute acircumflex atilde adieresis aring ae ccedilla egrave eacute " +
		"ecircumflex edieresis igrave iacute icircumflex idieresis eth ntilde ograve oacute ocircumflex otilde odieresis divide oslash ugrave " +
		"uacute ucircumflex udieresis yacute thorn ydieresis"
	for i, one := range strings.Fields(upper) {
		table[one] = string(rune(0xa1 + i))
	}
	for one, char := range map[string]string{"bracketleft": "[", "backslash": `\`, "bracketright": "]", "asciicircum": "^", "underscore": "_",
		"grave": "`", "braceleft": "{", "bar": "|", "braceright": "}", "asciitilde": "~", "quoteleft": "‘", "quoteright": "’",
		"quotedblleft": "“", "quotedblright": "”", "quotesinglbase": "‚", "quotedblbase": "„", "endash": "–", "emdash": "—", "bullet": "•",
		"ellipsis": "…", "dagger": "†", "daggerdbl": "‡", "Euro": "€", "trademark": "™", "minus": "−", "dotlessi": "ı", "fraction": "⁄",
		"OE": "Œ", "oe": "œ", "Scaron": "Š", "scaron": "š", "Zcaron": "Ž", "zcaron": "ž", "Ydieresis": "Ÿ", "florin": "ƒ",
		"guilsinglleft": "‹", "guilsinglright": "›", "perthousand": "‰", "lslash": "ł", "Lslash": "Ł"} {
		table[one] = char
	}
	return table
}()

func glyph(of name) string {
	text, _, _ := strings.Cut(string(of), ".")
	if known, ok := glyphs[text]; ok {
		return known
	}
	if len(text) == 1 {
		return text
	}
	for _, prefix := range []string{"uni", "u"} {
		if code, err := strconv.ParseUint(strings.TrimPrefix(text, prefix), 16, 21); err == nil && strings.HasPrefix(text, prefix) && len(text) >= 5 {
			return string(rune(code))
		}
	}
	return ""
}

// font reads a font's dictionary, once for each.
func (d *Document) font(value any) *font {
	at, isRef := value.(ref)
	if isRef && d.fonts[int(at)] != nil {
		return d.fonts[int(at)]
	}
	found := d.dict(value)
	f := &font{wide: found["Subtype"] == name("Type0")}
	f.encode(d, found)
	if packed, ok := d.resolve(found["ToUnicode"]).(stream); ok {
		f.mapped = make(map[string]string)
		d.unicode(f, d.inflate(packed))
	}
	if first, ok := d.resolve(found["FirstChar"]).(float64); ok && first >= 0 && first < 256 {
		f.first = int(first)
		widths, _ := d.resolve(found["Widths"]).([]any)
		for _, one := range widths[:min(len(widths), 256)] {
			width, _ := d.resolve(one).(float64)
			f.widths = append(f.widths, width)
		}
	}
	if isRef {
		d.fonts[int(at)] = f
	}
	return f
}

func (f *font) encode(d *Document, found dict) {
	encoding := d.resolve(found["Encoding"])
	base, _ := encoding.(name)
	differing := d.dict(encoding)
	if differing != nil {
		base, _ = d.resolve(differing["BaseEncoding"]).(name)
	}
	for i, r := range windows {
		if base == "MacRomanEncoding" && i >= 0x80 {
			r = macRoman[i-0x80]
		}
		f.single[i] = string(r)
	}
	code := 0
	changes, _ := d.resolve(differing["Differences"]).([]any)
	for _, one := range changes {
		switch one := d.resolve(one).(type) {
		case float64:
			code = int(one)
		case name:
			if code >= 0 && code < len(f.single) {
				f.single[code] = glyph(one)
			}
			code++
		}
	}
}

// unicode reads a ToUnicode table (Adobe technical note 5411).
func (d *Document) unicode(f *font, text []byte) {
	p := &parser{text: text, left: &d.left}
	var held []any
	for d.mapped < mappedMax {
		value, ok := p.value(0)
		if !ok {
			return
		}
		operator, isWord := value.(word)
		if !isWord {
			if held = append(held, value); len(held) > 4096 {
				return
			}
			continue
		}
		switch operator {
		case "endcodespacerange":
			if low, isText := last(held, 2).([]byte); isText {
				f.wide = len(low) == 2
			}
		case "endbfchar":
			for i := 0; i+1 < len(held); i += 2 {
				d.mapped += f.add(held[i], held[i+1], 0)
			}
		case "endbfrange":
			for i := 0; i+2 < len(held); i += 3 {
				d.addRange(f, held[i], held[i+1], held[i+2])
			}
		}
		held = held[:0]
	}
}

func last(held []any, back int) any {
	if len(held) < back {
		return nil
	}
	return held[len(held)-back]
}

// add maps a code to a text whose last character is moved on by a step, and counts what it made.
func (f *font) add(code, to any, step int) int {
	from, isCode := code.([]byte)
	text, isText := to.([]byte)
	if !isCode || !isText || len(from) > 4 || len(text) > 64 {
		return 0
	}
	runes := []rune(utf16Text(text))
	if len(runes) > 0 {
		runes[len(runes)-1] += rune(step)
	}
	f.mapped[string(from)] = string(runes)
	return 1
}

func (d *Document) addRange(f *font, low, high, to any) {
	from, isFrom := low.([]byte)
	end, isEnd := high.([]byte)
	if !isFrom || !isEnd || len(from) != len(end) || len(from) == 0 || len(from) > 2 {
		return
	}
	list, isList := to.([]any)
	first, last := number(from), number(end)
	for code := first; code <= last && d.mapped < mappedMax; code++ {
		key := []byte{byte(code >> 8), byte(code)}[2-len(from):]
		if !isList {
			d.mapped += f.add(key, to, code-first)
		} else if code-first < len(list) {
			d.mapped += f.add(key, list[code-first], 0)
		}
	}
}

func number(code []byte) int {
	n := 0
	for _, b := range code {
		n = n<<8 | int(b)
	}
	return n
}

// text turns a shown string into characters, and gives its width in thousandths of the font's size; -1 is unknown.
func (f *font) text(out *bytes.Buffer, raw []byte) (width float64) {
	step := 1
	if f.wide {
		step, width = 2, -1
	}
	for ; len(raw) >= step; raw = raw[step:] {
		if text, ok := f.mapped[string(raw[:step])]; ok {
			out.WriteString(text)
		} else if !f.wide {
			out.WriteString(f.single[raw[0]])
		} else if f.mapped == nil {
			out.WriteRune('\ufffd') // a glyph's number says nothing of its character
		}
		if !f.wide {
			if at := int(raw[0]) - f.first; at >= 0 && at < len(f.widths) {
				width += f.widths[at]
			} else {
				width += 500
			}
		}
	}
	return width
}
