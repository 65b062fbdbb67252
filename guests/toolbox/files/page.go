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
	if !p.take(len(prefix) + 4 + abi.EscapedSize(text)) {
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

// counted is "1 line" or "2 lines".
func counted[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return abi.Grouped(n) + " " + many
}

// numbered is the prefix of a line as `cat -n` writes it.
func numbered(n int) string {
	digits := strconv.Itoa(n)
	if len(digits) < 6 {
		digits = "      "[len(digits):] + digits
	}
	return digits + "\t"
}
