package abi

import (
	"strconv"
	"unicode/utf8"
)

// EscapedSize is the text's length inside a JSON string as Write puts it.
func EscapedSize(text []byte) int {
	size, wide := len(text), false
	for _, b := range text {
		switch {
		case b >= utf8.RuneSelf:
			wide = true
		case b == '"' || b == '\\' || b == '\n' || b == '\r' || b == '\t' || b == '\b' || b == '\f':
			size++ // a backslash before one character
		case b < 0x20:
			size += 5 // \u0001
		}
	}
	if !wide {
		return size
	}
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		char, width := utf8.DecodeRune(text[i:])
		if char == utf8.RuneError && width == 1 || char == '\u2028' || char == '\u2029' {
			size += 6 - width // \ufffd, \u2028
		}
		i += width
	}
	return size
}

// Grouped writes a number with thousands separated: 12,345.
func Grouped[N int | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
