package calculator

import "strings"

// expression reads a whole expression; true if it is an assignment, whose value is not shown.
func (p *bcParser) expression() bool {
	p.deeper()
	defer func() { p.depth-- }()
	return p.either()
}

func (p *bcParser) either() bool {
	assigned := p.both()
	for p.take("||") {
		yes := p.emit("when", "")
		p.both()
		p.emit("truth", "")
		end := p.emit("jump", "")
		p.here(yes)
		p.emit("number", "1")
		p.here(end)
		assigned = false
	}
	return assigned
}

func (p *bcParser) both() bool {
	assigned := p.negation()
	for p.take("&&") {
		no := p.emit("unless", "")
		p.negation()
		p.emit("truth", "")
		end := p.emit("jump", "")
		p.here(no)
		p.emit("number", "0")
		p.here(end)
		assigned = false
	}
	return assigned
}

// negation is low in bc: !a==b is !(a==b).
func (p *bcParser) negation() bool {
	if !p.take("!") {
		return p.relation()
	}
	p.deeper()
	p.negation()
	p.depth--
	p.emit("not", "")
	return false
}

func (p *bcParser) relation() bool {
	assigned := p.sum()
	for p.peek().kind == 'o' && strings.Contains(" == != < <= > >= ", " "+p.peek().text+" ") {
		operator := p.next().text
		p.sum()
		p.emit(operator, "")
		assigned = false
	}
	return assigned
}

func (p *bcParser) sum() bool {
	assigned := p.product()
	for p.is("+") || p.is("-") {
		operator := p.next().text
		p.product()
		p.emit(operator, "")
		assigned = false
	}
	return assigned
}

func (p *bcParser) product() bool {
	assigned := p.power()
	for p.is("*") || p.is("/") || p.is("%") {
		operator := p.next().text
		p.power()
		p.emit(operator, "")
		assigned = false
	}
	return assigned
}

func (p *bcParser) power() bool {
	assigned := p.unary()
	if p.take("^") {
		p.deeper()
		p.power()
		p.depth--
		p.emit("^", "")
		return false
	}
	return assigned
}

func (p *bcParser) unary() bool {
	if p.take("-") {
		p.deeper()
		p.unary()
		p.depth--
		p.emit("minus", "")
		return false
	}
	return p.primary()
}

// primary reads an operand; true for an assignment.
func (p *bcParser) primary() bool {
	token := p.next()
	switch {
	case token.kind == 'n':
		p.emit("number", token.text)
	case token.text == "(" && token.kind == 'o':
		p.expression()
		p.expect(")")
	case token.text == "!" && token.kind == 'o':
		p.negation()
		p.emit("not", "")
	case (token.text == "++" || token.text == "--") && token.kind == 'o':
		name := p.next()
		if name.kind != 'a' && name.text != "." {
			panic(syntaxError("syntax error"))
		}
		suffix := p.element()
		p.emit("before"+token.text[:1]+suffix, variable(name.text))
	case token.text == "." && token.kind == 'o':
		return p.named("last")
	case token.kind == 'a':
		if p.is("(") {
			p.call(token.text)
			return false
		}
		return p.named(token.text)
	case token.kind == 'x':
		panic(syntaxError(token.text))
	default:
		if token.kind == '\n' || token.kind == 'e' {
			p.peeks = append(p.peeks, token) // the line ends here
			if token.kind == '\n' {
				p.bcLexer.line--
			}
		}
		panic(syntaxError("syntax error"))
	}
	return false
}

func variable(name string) string {
	if name == "." {
		return "last"
	}
	return name
}

// element reads an index, if there is one, and gives what the instructions for elements are called by.
func (p *bcParser) element() string {
	if !p.take("[") {
		return ""
	}
	p.expression()
	p.expect("]")
	return "[]"
}

// named reads a variable or an element, with an assignment or increment behind it.
func (p *bcParser) named(name string) bool {
	suffix := p.element()
	switch token := p.peek(); {
	case token.kind != 'o':
	case token.text == "++" || token.text == "--":
		p.next()
		p.emit("after"+token.text[:1]+suffix, name)
		return false
	case token.text == "=":
		p.next()
		p.assigned()
		p.emit("store"+suffix, name)
		return true
	case len(token.text) == 2 && token.text[1] == '=' && strings.IndexByte("+-*/%^", token.text[0]) >= 0:
		p.next()
		if suffix != "" {
			p.emit("again", "")
		}
		p.emit("load"+suffix, name)
		p.assigned()
		p.emit(token.text[:1], "")
		p.emit("store"+suffix, name)
		return true
	}
	p.emit("load"+suffix, name)
	return false
}

// assigned is the right side of an assignment: it binds tighter than a comparison.
func (p *bcParser) assigned() {
	p.deeper()
	p.sum()
	p.depth--
}

func (p *bcParser) call(name string) {
	p.expect("(")
	count := 0
	for !p.is(")") {
		if token := p.peek(); token.kind == 'a' && p.arrayNext() {
			p.emit("array", token.text)
		} else {
			p.expression()
		}
		count++
		if !p.take(",") {
			break
		}
	}
	p.expect(")")
	switch {
	case name == "read" && count == 0, (name == "length" || name == "sqrt" || name == "scale") && count == 1:
		p.emit(name+"()", "")
	default:
		p.code[p.emit("call", name)].at = count
	}
}

// arrayNext takes `name[]`, a whole array as an argument, if that is what comes.
func (p *bcParser) arrayNext() bool {
	head, _ := p.in.Peek(2)
	if string(head) != "[]" {
		return false
	}
	p.next()
	p.next()
	p.next()
	return true
}
