// Package pdf takes version, page count, title and text out of PDF files.
//
// It guarantees bounded time and memory for any bytes: files, values, inflated bytes, nodes and depth are counted. It
// trusts no cross-reference table, whose numbers a hostile file chooses, but reads the objects where they stand; so a
// damaged file is read as well. It knows no layout, decrypts nothing and runs nothing.
package pdf

import (
	"bytes"
	"strconv"
	"strings"
)

type (
	name   string
	word   string // an operator or keyword
	ref    int
	dict   map[name]any
	stream struct {
		dict dict
		raw  []byte
	}
)

const (
	depthMax = 40
	// valuesMax bounds the memory of parsed objects: some 60 bytes each.
	valuesMax = 1_500_000
)

// parser reads values: nil, bool, float64, []byte (a string), name, word, ref, []any, dict.
type parser struct {
	text []byte
	at   int
	left *int // values that may yet be made
}

func isSpace(b byte) bool {
	return b == ' ' || b == '\n' || b == '\r' || b == '\t' || b == '\f' || b == 0
}

func isDelimiter(b byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), b) >= 0 }

func (p *parser) skip() {
	for p.at < len(p.text) {
		switch b := p.text[p.at]; {
		case isSpace(b):
			p.at++
		case b == '%':
			for p.at < len(p.text) && p.text[p.at] != '\n' && p.text[p.at] != '\r' {
				p.at++
			}
		default:
			return
		}
	}
}

// value reads one value; false at the end, or where the bounds are reached.
func (p *parser) value(depth int) (any, bool) {
	p.skip()
	if p.at >= len(p.text) || depth > depthMax || *p.left <= 0 {
		return nil, false
	}
	*p.left--
	switch b := p.text[p.at]; {
	case b == '/':
		p.at++
		return p.name(), true
	case b == '(':
		p.at++
		return p.literal(), true
	case b == '<' && p.at+1 < len(p.text) && p.text[p.at+1] == '<':
		p.at += 2
		return p.dict(depth), true
	case b == '<':
		p.at++
		return p.hex(), true
	case b == '[':
		p.at++
		return p.array(depth), true
	case isDelimiter(b):
		p.at++
		return word(b), true
	}
	return p.plain(), true
}

func (p *parser) run() string {
	start := p.at
	for p.at < len(p.text) && !isSpace(p.text[p.at]) && !isDelimiter(p.text[p.at]) {
		p.at++
	}
	return string(p.text[start:p.at])
}

func (p *parser) name() name {
	text := p.run()
	if !strings.Contains(text, "#") {
		return name(text)
	}
	var out []byte
	for i := 0; i < len(text); i++ {
		if text[i] == '#' && i+2 < len(text) {
			if code, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				out = append(out, byte(code))
				i += 2
				continue
			}
		}
		out = append(out, text[i])
	}
	return name(out)
}

// plain is a number, a reference (two whole numbers and R) or a word.
func (p *parser) plain() any {
	text := p.run()
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || text[0] > '9' && text[0] != '.' {
		switch text {
		case "true", "false":
			return text == "true"
		case "null":
			return nil
		}
		return word(text)
	}
	id, err := strconv.Atoi(text)
	if err != nil || id < 0 {
		return number
	}
	back := p.at
	p.skip()
	if _, err := strconv.ParseUint(p.run(), 10, 16); err == nil {
		p.skip()
		if p.at < len(p.text) && p.text[p.at] == 'R' && (p.at+1 == len(p.text) || isSpace(p.text[p.at+1]) || isDelimiter(p.text[p.at+1])) {
			p.at++
			return ref(id)
		}
	}
	p.at = back
	return number
}

func (p *parser) array(depth int) []any {
	var out []any
	for {
		one, ok := p.value(depth + 1)
		if !ok || one == word("]") {
			return out
		}
		out = append(out, one)
	}
}

func (p *parser) dict(depth int) dict {
	out := dict{}
	for {
		key, ok := p.value(depth + 1)
		if !ok || key == word(">") {
			if p.at < len(p.text) && p.text[p.at] == '>' {
				p.at++
			}
			return out
		}
		named, isName := key.(name)
		if !isName {
			continue
		}
		one, ok := p.value(depth + 1)
		if !ok {
			return out
		}
		if one == word(">") { // a key without a value
			p.at--
			continue
		}
		out[named] = one
	}
}

func (p *parser) literal() []byte {
	var out []byte
	for open := 1; p.at < len(p.text); p.at++ {
		b := p.text[p.at]
		switch b {
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				p.at++
				return out
			}
		case '\\':
			if p.at++; p.at < len(p.text) {
				out = p.escape(out)
			}
			continue
		}
		out = append(out, b)
	}
	return out
}

// escape reads what stands behind a backslash and stays on its last byte.
func (p *parser) escape(out []byte) []byte {
	b := p.text[p.at]
	if at := bytes.IndexByte([]byte("nrtbf"), b); at >= 0 {
		return append(out, "\n\r\t\b\f"[at])
	}
	if b == '\r' || b == '\n' {
		if b == '\r' && p.at+1 < len(p.text) && p.text[p.at+1] == '\n' {
			p.at++
		}
		return out
	}
	if b < '0' || b > '7' {
		return append(out, b)
	}
	code := 0
	for i := 0; i < 3 && p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '7'; i++ {
		code = code*8 + int(p.text[p.at]-'0')
		p.at++
	}
	p.at--
	return append(out, byte(code))
}

func (p *parser) hex() []byte {
	var out []byte
	half, high := false, byte(0)
	for ; p.at < len(p.text) && p.text[p.at] != '>'; p.at++ {
		digit, err := strconv.ParseUint(string(p.text[p.at]), 16, 8)
		if err != nil {
			continue
		}
		if half {
			out = append(out, high<<4|byte(digit))
		}
		high, half = byte(digit), !half
	}
	p.at = min(p.at+1, len(p.text))
	if half {
		out = append(out, high<<4)
	}
	return out
}
