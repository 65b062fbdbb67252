package files

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"capbox/toolbox/abi"
)

// page collects a result's text and keeps its JSON form within the request's output bound.
type page struct {
	text []byte
	room int // bytes of JSON left
	full bool
}

// reserved is kept free for the result's frame, data and closing notes.
const reserved = 2048

func newPage(req *abi.Request) *page {
	room := req.Call.OutputBytesMax
	if room <= 0 {
		room = abi.OutputBytesDefault
	}
	return &page{room: room - min(reserved, room/2)}
}

// take reserves room for bytes that will be written elsewhere in the result.
func (p *page) take(bytes int) bool {
	if p.full || bytes > p.room {
		p.full = true
		return false
	}
	p.room -= bytes
	return true
}

// line adds a prefix, a text and a newline if they fit whole; otherwise the page is full.
func (p *page) line(prefix string, text []byte) bool {
	if !p.take(len(prefix) + 4 + escapedSize(text)) {
		return false
	}
	p.text = append(append(append(p.text, prefix...), text...), '\n')
	return true
}

// note adds a closing remark; room for it was reserved.
func (p *page) note(text string) {
	p.text = append(append(p.text, text...), '\n')
}

// String is the text without its last newline.
func (p *page) String() string { return strings.TrimSuffix(string(p.text), "\n") }

// escapedSize is an upper bound of the text's length inside a JSON string.
func escapedSize(text []byte) int {
	size, wide := len(text), false
	for _, b := range text {
		switch {
		case b >= 0x80:
			wide = true
		case b == '"' || b == '\\' || b == '\t':
			size++
		case b < 0x20 || b == 0x7f:
			size += 5
		}
	}
	if !wide {
		return size
	}
	for i := 0; i < len(text); {
		if text[i] < 0x80 {
			i++
			continue
		}
		char, width := utf8.DecodeRune(text[i:])
		if char == utf8.RuneError && width == 1 || char == '\u2028' || char == '\u2029' {
			size += 5 // written as \ufffd, \u2028
		}
		i += width
	}
	return size
}

// clip cuts a text to so many characters without copying; it also says how many bytes went.
func clip(text []byte, chars int) ([]byte, int) {
	if len(text) <= chars {
		return text, 0
	}
	at := 0
	for ; chars > 0 && at < len(text); chars-- {
		_, width := utf8.DecodeRune(text[at:])
		at += width
	}
	return text[:at], len(text) - at
}

// grouped writes a number with thousands separated: 12,345.
func grouped[N int | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// counted is "1 line" or "2 lines".
func counted[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}

// numbered is the prefix of a line as `cat -n` writes it.
func numbered(n int) string {
	digits := strconv.Itoa(n)
	if len(digits) < 6 {
		digits = "      "[len(digits):] + digits
	}
	return digits + "\t"
}
