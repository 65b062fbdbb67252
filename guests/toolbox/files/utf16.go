package files

import (
	"encoding/binary"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// utf16Order is the byte order that a mark names; nil without one. FF FE 00 00 is UTF-32's.
func utf16Order(head []byte) binary.ByteOrder {
	switch {
	case len(head) < 2 || len(head)%2 == 1 && len(head) < 4:
		return nil
	case head[0] == 0xff && head[1] == 0xfe && !(len(head) >= 4 && head[2] == 0 && head[3] == 0):
		return binary.LittleEndian
	case head[0] == 0xfe && head[1] == 0xff:
		return binary.BigEndian
	}
	return nil
}

// utf16Reader gives a text in UTF-16 as UTF-8, without its byte order mark. What is no character becomes U+FFFD.
type utf16Reader struct {
	source io.Reader
	order  binary.ByteOrder
	buffer [8 << 10]byte
	held   int    // bytes of the buffer that are not decoded yet
	out    []byte // decoded, not yet taken
	begun  bool
	failed error
}

func (r *utf16Reader) Read(into []byte) (int, error) {
	for len(r.out) == 0 {
		if r.failed != nil {
			return 0, r.failed
		}
		n, err := r.source.Read(r.buffer[r.held:])
		r.held += n
		r.failed = err
		r.decode(err != nil)
	}
	n := copy(into, r.out)
	r.out = r.out[n:]
	return n, nil
}

func (r *utf16Reader) decode(last bool) {
	r.out = r.out[:0]
	at := 0
	for ; at+2 <= r.held; at += 2 {
		char := rune(r.order.Uint16(r.buffer[at:]))
		if utf16.IsSurrogate(char) {
			if at+4 > r.held && !last {
				break
			}
			second := rune(0)
			if at+4 <= r.held {
				second = rune(r.order.Uint16(r.buffer[at+2:]))
			}
			if char = utf16.DecodeRune(char, second); char != utf8.RuneError {
				at += 2
			}
		}
		if char == '\ufeff' && !r.begun {
			r.begun = true
			continue
		}
		r.begun = true
		r.out = utf8.AppendRune(r.out, char)
	}
	if last && at < r.held {
		r.out = utf8.AppendRune(r.out, utf8.RuneError)
		at = r.held
	}
	r.held = copy(r.buffer[:], r.buffer[at:r.held])
}
