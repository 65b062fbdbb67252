package calculator

import (
	"bufio"
	"io"
	"strings"
)

// ProgramBytesMax bounds a word, a string and the code of one line of bc.
const ProgramBytesMax = 1 << 20

// bcToken is one word of a bc program: kind 'n' number, 's' string, 'a' name, '\n' and ';', 'e' the end, 'x' none of
// bc's, or 'o' an operator or other mark.
type bcToken struct {
	kind byte
	text string
}

// bcLexer reads a program as it comes, so that bc answers each line before it reads the next.
type bcLexer struct {
	in    *bufio.Reader
	line  int
	peeks []bcToken
}

func (l *bcLexer) peek() bcToken {
	if len(l.peeks) == 0 {
		l.peeks = append(l.peeks, l.read())
	}
	return l.peeks[0]
}

func (l *bcLexer) next() bcToken {
	token := l.peek()
	l.peeks = l.peeks[:0]
	if token.kind == '\n' {
		l.line++
	}
	return token
}

// is says whether the next word is this mark or word.
func (l *bcLexer) is(text string) bool {
	token := l.peek()
	return token.text == text && token.kind != 's' && token.kind != 'n'
}

func (l *bcLexer) take(text string) bool {
	if !l.is(text) {
		return false
	}
	l.next()
	return true
}

func (l *bcLexer) byte() byte {
	b, err := l.in.ReadByte()
	if err != nil {
		return 0
	}
	return b
}

// ahead is the next byte, 0 at the end.
func (l *bcLexer) ahead() byte {
	head, err := l.in.Peek(1)
	if err != nil {
		return 0
	}
	return head[0]
}

func (l *bcLexer) read() bcToken {
	for {
		b, err := l.in.ReadByte()
		switch {
		case err != nil:
			return bcToken{kind: 'e'}
		case b == ' ' || b == '\t' || b == '\r' || b == 0:
			continue
		case b == '\\' && l.ahead() == '\n':
			l.byte()
			l.line++
			continue
		case b == '#':
			for l.ahead() != '\n' && l.ahead() != 0 {
				l.byte()
			}
			continue
		case b == '/' && l.ahead() == '*':
			l.comment()
			continue
		case b == '\n':
			return bcToken{'\n', "\n"}
		case b == ';':
			return bcToken{';', ";"}
		case b == '"':
			return l.text()
		case isDigit(b) || b >= 'A' && b <= 'Z' || b == '.' && (isDigit(l.ahead()) || l.ahead() >= 'A' && l.ahead() <= 'Z'):
			return l.number(b)
		case b >= 'a' && b <= 'z':
			name := []byte{b}
			for b = l.ahead(); (b >= 'a' && b <= 'z' || isDigit(b) || b == '_') && len(name) < ProgramBytesMax; b = l.ahead() {
				name = append(name, l.byte())
			}
			return bcToken{'a', string(name)}
		}
		return l.operator(b)
	}
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func (l *bcLexer) comment() {
	for last := byte(0); ; {
		b, err := l.in.ReadByte()
		if err != nil || last == '*' && b == '/' {
			return
		}
		if b == '\n' {
			l.line++
		}
		last = b
	}
}

func (l *bcLexer) text() bcToken {
	var text []byte
	for len(text) < ProgramBytesMax {
		b, err := l.in.ReadByte()
		if err != nil {
			return bcToken{kind: 'x', text: "end of file in a string"}
		}
		if b == '"' {
			return bcToken{'s', string(text)}
		}
		if b == '\n' {
			l.line++
		}
		text = append(text, b)
	}
	return bcToken{kind: 'x', text: "string too long"}
}

func (l *bcLexer) number(b byte) bcToken {
	digits := []byte{b}
	point := b == '.'
	for len(digits) < ProgramBytesMax {
		b = l.ahead()
		if b == '\\' {
			if head, err := l.in.Peek(2); err == nil && head[1] == '\n' {
				l.byte()
				l.byte()
				l.line++
				continue
			}
		}
		if !isDigit(b) && !(b >= 'A' && b <= 'Z') && (b != '.' || point) {
			break
		}
		point = point || b == '.'
		digits = append(digits, l.byte())
	}
	return bcToken{'n', string(digits)}
}

func (l *bcLexer) operator(b byte) bcToken {
	mark := string(b)
	next := l.ahead()
	switch {
	case next == '=' && strings.IndexByte("+-*/%^=<>!", b) >= 0, next == b && strings.IndexByte("+-&|", b) >= 0:
		mark += string(l.byte())
	case strings.IndexByte("+-*/%^=<>!(){}[],.", b) < 0:
		return bcToken{'x', "illegal character: " + mark}
	}
	return bcToken{'o', mark}
}

// skipLine drops the rest of a line that could not be understood.
func (l *bcLexer) skipLine() {
	if len(l.peeks) > 0 {
		token := l.next()
		if token.kind == '\n' || token.kind == 'e' {
			return
		}
	}
	for {
		b, err := l.in.ReadByte()
		if err == io.EOF || err != nil {
			return
		}
		if b == '\n' {
			l.line++
			return
		}
	}
}
