package calculator

import "strings"

// bcCode is one instruction; see bcMachine.step for what each does.
type bcCode struct {
	op   string
	text string
	at   int // where a jump goes, or how many arguments a call has
}

// bcParser turns one line, or one definition, into instructions.
type bcParser struct {
	*bcLexer
	code  []bcCode
	loops []*bcLoop
	depth int
	// inside says that a definition is being read: only there may a script return.
	inside bool
	define func(function *bcFunction)
}

type bcLoop struct{ breaks, continues []int }

// bcFunction is a function of a program.
type bcFunction struct {
	name   string
	params []bcParam
	autos  []bcParam
	code   []bcCode
	void   bool
}

type bcParam struct {
	name             string
	array, reference bool
}

// syntaxError unwinds the parser to its line.
type syntaxError string

// nestingMax bounds how deep expressions and statements of bc go: the parser recurses.
const nestingMax = 100

func (p *bcParser) deeper() {
	if p.depth++; p.depth > nestingMax || len(p.code) > ProgramBytesMax {
		panic(syntaxError("program too large"))
	}
}

func (p *bcParser) emit(op, text string) int {
	p.code = append(p.code, bcCode{op: op, text: text})
	return len(p.code) - 1
}

// here makes the jumps at these places lead to the next instruction.
func (p *bcParser) here(places ...int) {
	for _, place := range places {
		p.code[place].at = len(p.code)
	}
}

func (p *bcParser) expect(text string) {
	if !p.take(text) {
		panic(syntaxError("syntax error"))
	}
}

func (p *bcParser) skipNewlines() {
	for p.peek().kind == '\n' {
		p.next()
	}
}

// line reads statements up to the end of the line; false at the end of the program.
func (p *bcParser) line() bool {
	for {
		switch token := p.peek(); token.kind {
		case 'e':
			return len(p.code) > 0
		case '\n':
			p.next()
			return true
		case ';':
			p.next()
		default:
			if p.is("define") {
				p.definition()
				continue
			}
			p.statement()
			if end := p.peek().kind; end != ';' && end != '\n' && end != 'e' {
				panic(syntaxError("syntax error"))
			}
		}
	}
}

func (p *bcParser) statement() {
	p.deeper()
	defer func() { p.depth-- }()
	token := p.peek()
	switch {
	case token.kind == 's':
		p.next()
		p.emit("string", token.text)
	case p.take("{"):
		p.block()
	case token.kind == 'a' && p.keyword(token.text):
	default:
		if p.expression() {
			p.emit("pop", "")
		} else {
			p.emit("show", "")
		}
	}
}

func (p *bcParser) block() {
	for !p.take("}") {
		switch p.peek().kind {
		case 'e':
			panic(syntaxError("syntax error"))
		case ';', '\n':
			p.next()
		default:
			p.statement()
			if end := p.peek(); end.kind != ';' && end.kind != '\n' && end.text != "}" {
				panic(syntaxError("syntax error"))
			}
		}
	}
}

// keyword reads a statement that begins with a word; false if the word begins an expression.
func (p *bcParser) keyword(word string) bool {
	switch word {
	case "if", "while", "for", "break", "continue", "return", "halt", "quit", "print", "limits", "warranty", "auto":
		p.next()
	default:
		return false
	}
	switch word {
	case "if":
		p.ifStatement()
	case "while":
		p.whileStatement()
	case "for":
		p.forStatement()
	case "break", "continue":
		if len(p.loops) == 0 {
			panic(syntaxError(strings.ToUpper(word[:1]) + word[1:] + " outside a for/while"))
		}
		loop, at := p.loops[len(p.loops)-1], p.emit("jump", "")
		if word == "break" {
			loop.breaks = append(loop.breaks, at)
		} else {
			loop.continues = append(loop.continues, at)
		}
	case "return":
		if !p.inside {
			panic(syntaxError("Return outside of a function."))
		}
		if end := p.peek(); end.kind == ';' || end.kind == '\n' || end.text == "}" {
			p.emit("number", "0")
		} else {
			p.expression()
		}
		p.emit("return", "")
	case "quit": // at once, even where it would not be reached
		p.emit("halt", "")
		panic(bcQuit{})
	case "print":
		p.printStatement()
	case "auto":
		panic(syntaxError("syntax error"))
	default:
		p.emit(word, "")
	}
	return true
}

// bcQuit ends the program while it is being read.
type bcQuit struct{}

func (p *bcParser) printStatement() {
	for {
		if token := p.peek(); token.kind == 's' {
			p.next()
			p.emit("print", token.text)
		} else {
			p.expression()
			p.emit("write", "")
		}
		if !p.take(",") {
			return
		}
	}
}

func (p *bcParser) ifStatement() {
	p.expect("(")
	p.expression()
	p.expect(")")
	otherwise := p.emit("unless", "")
	p.skipNewlines()
	p.statement()
	if !p.take("else") {
		p.here(otherwise)
		return
	}
	end := p.emit("jump", "")
	p.here(otherwise)
	p.skipNewlines()
	p.statement()
	p.here(end)
}

func (p *bcParser) whileStatement() {
	start := len(p.code)
	p.expect("(")
	p.expression()
	p.expect(")")
	out := p.emit("unless", "")
	loop := p.body()
	for _, at := range append(loop.continues, p.emit("jump", "")) {
		p.code[at].at = start
	}
	p.here(append(loop.breaks, out)...)
}

// body is the statement of a loop.
func (p *bcParser) body() *bcLoop {
	loop := &bcLoop{}
	p.loops = append(p.loops, loop)
	p.skipNewlines()
	p.statement()
	p.loops = p.loops[:len(p.loops)-1]
	return loop
}

func (p *bcParser) forStatement() {
	part := func(end, usual string) {
		if p.is(end) {
			if usual != "" {
				p.emit("number", usual)
			}
		} else {
			p.expression()
			if usual == "" {
				p.emit("pop", "")
			}
		}
		p.expect(end)
	}
	p.expect("(")
	part(";", "")
	start := len(p.code)
	part(";", "1")
	out := p.emit("unless", "")
	enter := p.emit("jump", "")
	again := len(p.code)
	part(")", "")
	p.code[p.emit("jump", "")].at = start
	p.here(enter)
	loop := p.body()
	for _, at := range append(loop.continues, p.emit("jump", "")) {
		p.code[at].at = again
	}
	p.here(append(loop.breaks, out)...)
}

// definition reads a function; it is defined at once.
func (p *bcParser) definition() {
	p.next()
	f := &bcFunction{void: p.take("void")}
	name := p.next()
	if name.kind != 'a' {
		panic(syntaxError("syntax error"))
	}
	f.name = name.text
	p.expect("(")
	f.params = p.names(")")
	p.expect(")")
	p.skipNewlines()
	p.expect("{")
	for p.peek().kind == '\n' || p.peek().kind == ';' {
		p.next()
	}
	for p.take("auto") {
		f.autos = append(f.autos, p.names("")...)
		for p.peek().kind == '\n' || p.peek().kind == ';' {
			p.next()
		}
	}
	outer, loops := p.code, p.loops
	p.code, p.loops, p.inside = nil, nil, true
	defer func() { p.code, p.loops, p.inside = outer, loops, false }()
	p.block()
	p.emit("number", "0")
	p.emit("return", "")
	f.code = p.code
	p.define(f)
}

// names reads a list of parameters or automatic variables.
func (p *bcParser) names(end string) (all []bcParam) {
	for end == "" || !p.is(end) {
		param := bcParam{reference: p.take("*")}
		token := p.next()
		if token.kind != 'a' {
			panic(syntaxError("syntax error"))
		}
		param.name = token.text
		if p.take("[") {
			p.expect("]")
			param.array = true
		}
		all = append(all, param)
		if !p.take(",") {
			break
		}
	}
	return all
}
