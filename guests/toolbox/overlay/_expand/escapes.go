package expand

import (
	"strings"
	"unicode/utf8"
)

// EscapeStyle is whose backslashes are read: they differ in octal numbers, quotes and \c.
type EscapeStyle int

const (
	// EchoEscapes are those of echo -e and of printf's %b: \0nnn, \c stops all output.
	EchoEscapes EscapeStyle = iota
	// FormatEscapes are those of a format of printf: \nnn, no \c.
	FormatEscapes
	// QuoteEscapes are those of $'...': \nnn, \cX is a control character.
	QuoteEscapes
)

var simpleEscapes = map[byte]byte{
	'a': '\a', 'b': '\b', 'e': 27, 'E': 27, 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\\': '\\',
}

// Escapes resolves backslashes. stop is true if \c ended the text.
func Escapes(text string, style EscapeStyle) (out string, stop bool) {
	if strings.IndexByte(text, '\\') < 0 {
		return text, false
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		c := text[i]
		switch plain, ok := simpleEscapes[c]; {
		case ok:
			b.WriteByte(plain)
		case c == 'c' && style == EchoEscapes:
			return b.String(), true
		case c == 'c' && style == QuoteEscapes && i+1 < len(text):
			i++
			b.WriteByte(text[i] & 0x1f)
		case (c == '\'' || c == '"' || c == '?') && style != EchoEscapes:
			b.WriteByte(c)
		default:
			i += number(&b, text[i:], style) - 1
		}
	}
	return b.String(), false
}

// number resolves an octal, hexadecimal or Unicode escape that starts with its letter; it gives the bytes used.
func number(b *strings.Builder, rest string, style EscapeStyle) int {
	switch c := rest[0]; {
	case c == 'x':
		if value, n := digits(rest[1:], 16, 2); n > 0 {
			b.WriteByte(byte(value))
			return 1 + n
		}
	case c == 'u' || c == 'U':
		most := 4
		if c == 'U' {
			most = 8
		}
		if value, n := digits(rest[1:], 16, most); n > 0 {
			b.WriteString(string(utf8.AppendRune(nil, rune(value))))
			return 1 + n
		}
	case c == '0' && style == EchoEscapes:
		value, n := digits(rest[1:], 8, 3)
		b.WriteByte(byte(value))
		return 1 + n
	case c >= '0' && c <= '7':
		value, n := digits(rest, 8, 3)
		b.WriteByte(byte(value))
		return n
	}
	b.WriteByte('\\')
	b.WriteByte(rest[0])
	return 1
}

// digits reads at most the given number of digits.
func digits(text string, base uint32, most int) (value uint32, n int) {
	for n < most && n < len(text) {
		d := strings.IndexByte("0123456789abcdef", text[n]|0x20*(text[n]>>6&1))
		if d < 0 || uint32(d) >= base {
			break
		}
		value = value*base + uint32(d)
		n++
	}
	return value, n
}
