package calculator

import (
	"math/big"
	"strings"
)

// command runs one command of dc.
func (r *dcRun) command(source *dcSource, b byte) {
	switch {
	case strings.IndexByte(" \t\r\n", b) >= 0:
	case isDigit(b) || b >= 'A' && b <= 'F' || b == '.' || b == '_':
		r.number(source, b)
	case b == '[':
		r.text(source)
	case b == '#':
		for b, ok := source.next(); ok && b != '\n'; b, ok = source.next() {
		}
	case strings.IndexByte("+-*/%^~|v", b) >= 0:
		r.arithmetic(b)
	case strings.IndexByte("pnPfcdrRzZX", b) >= 0:
		r.stackCommand(b)
	case strings.IndexByte("slSL:;", b) >= 0:
		r.register(b, source.need())
	case strings.IndexByte("kioKIO", b) >= 0:
		r.setting(b)
	case strings.IndexByte("<>=!", b) >= 0:
		r.conditional(source, b)
	case b == 'x':
		r.run(r.pop())
	case b == 'a':
		r.character()
	case b == '?':
		line, err := r.c.Input().ReadString('\n')
		if err == nil || line != "" {
			r.run(dcValue{text: line, is: true})
		}
	case b == 'q':
		r.quitLevels = 2
		if len(r.sources) <= 2 {
			r.quitLevels = -1
		}
	case b == 'Q':
		r.quitLevels = r.popInt(1, dcDepthMax, "Q command requires a number >= 1")
		r.quitLevels = min(r.quitLevels, max(1, len(r.sources)-1))
		if len(r.sources) == 1 {
			r.quitLevels = 0
		}
	default:
		r.c.Fail("'%c' (%#o) unimplemented", b, b)
	}
}

func (r *dcRun) number(source *dcSource, b byte) {
	var digits strings.Builder
	negative := b == '_'
	if !negative {
		source.back()
	}
	point := false
	for digits.Len() < bcDigitsMax {
		b, ok := source.next()
		if !ok {
			break
		}
		if !isDigit(b) && !(b >= 'A' && b <= 'F') && (b != '.' || point) {
			source.back()
			break
		}
		point = point || b == '.'
		digits.WriteByte(b)
	}
	n := parseDcNumber(digits.String(), r.ibase)
	if negative {
		n = n.neg()
	}
	r.pushNumber(n)
}

// parseDcNumber reads a number of dc, where a digit counts in full even if the base does not have it.
func parseDcNumber(text string, base int) decimal {
	if base == 10 && strings.Trim(text, "0123456789.") == "" {
		return parseDecimal(text, 10)
	}
	front, fraction, _ := strings.Cut(text, ".")
	n, by := new(big.Int), big.NewInt(int64(base))
	for _, digit := range []byte(front + fraction) {
		value := int64(digit - '0')
		if digit >= 'A' {
			value = int64(digit-'A') + 10
		}
		n.Mul(n, by).Add(n, big.NewInt(value))
	}
	power := new(big.Int).Exp(by, big.NewInt(int64(len(fraction))), nil)
	return decimal{n: n}.div(decimal{n: power}, len(fraction))
}

func (r *dcRun) text(source *dcSource) {
	var text strings.Builder
	for depth := 1; ; {
		b, ok := source.next()
		if !ok || text.Len() > ProgramBytesMax {
			panic(calculationError("unterminated string"))
		}
		if b == '[' {
			depth++
		}
		if b == ']' {
			if depth--; depth == 0 {
				break
			}
		}
		text.WriteByte(b)
	}
	r.push(dcValue{text: text.String(), is: true})
}

func (r *dcRun) arithmetic(b byte) {
	if b == 'v' {
		r.pushNumber(r.popNumber().sqrt(r.scale))
		return
	}
	need := 2
	if b == '|' {
		need = 3
	}
	if len(r.stack) < need {
		panic(calculationError("stack empty"))
	}
	for _, v := range r.stack[len(r.stack)-need:] {
		if v.is {
			panic(calculationError("non-numeric value"))
		}
	}
	y, x := r.stack[len(r.stack)-1].n, r.stack[len(r.stack)-2].n
	var result []decimal
	switch b {
	case '+':
		result = []decimal{x.add(y)}
	case '-':
		result = []decimal{x.sub(y)}
	case '*':
		result = []decimal{x.mul(y, r.scale)}
	case '/':
		result = []decimal{x.div(y, r.scale)}
	case '%':
		result = []decimal{x.mod(y, r.scale)}
	case '~':
		result = []decimal{x.div(y, r.scale), x.mod(y, r.scale)}
	case '^':
		result = []decimal{x.pow(y, r.scale)}
	case '|':
		base, exponent, modulus := r.stack[len(r.stack)-3].n.rescaled(0).n, x.rescaled(0).n, y.rescaled(0).n
		if modulus.Sign() == 0 {
			panic(calculationError("remainder by zero"))
		}
		if exponent.Sign() < 0 {
			panic(calculationError("negative exponent"))
		}
		result = []decimal{{n: new(big.Int).Exp(base, exponent, modulus)}}
	}
	r.stack = r.stack[:len(r.stack)-need]
	for _, n := range result {
		r.pushNumber(n)
	}
}

func (r *dcRun) stackCommand(b byte) {
	switch b {
	case 'p':
		v := r.pop()
		r.push(v)
		r.show(v, "\n")
	case 'n':
		r.show(r.pop(), "")
	case 'P':
		if v := r.pop(); v.is {
			r.out.text(v.text)
		} else {
			r.out.text(rawText(v.n))
		}
	case 'f':
		for i := len(r.stack) - 1; i >= 0; i-- {
			r.show(r.stack[i], "\n")
		}
	case 'c':
		r.stack = nil
	case 'd':
		v := r.pop()
		r.push(v)
		r.push(v)
	case 'r':
		y, x := r.pop(), r.pop()
		r.push(y)
		r.push(x)
	case 'R':
		r.rotate(r.popInt(-dcValuesMax, dcValuesMax, "R command needs a small number"))
	case 'z':
		r.pushNumber(whole(int64(len(r.stack))))
	case 'Z':
		if v := r.pop(); v.is {
			r.pushNumber(whole(int64(len(v.text))))
		} else {
			r.pushNumber(whole(int64(v.n.length())))
		}
	case 'X':
		if v := r.pop(); v.is {
			r.pushNumber(whole(0))
		} else {
			r.pushNumber(whole(int64(v.n.scale)))
		}
	}
}

// rotate turns the top n values by one, the other way for a negative n.
func (r *dcRun) rotate(n int) {
	size := min(max(n, -n), len(r.stack))
	if size < 2 {
		return
	}
	part := r.stack[len(r.stack)-size:]
	if n > 0 {
		first := part[0]
		copy(part, part[1:])
		part[size-1] = first
		return
	}
	last := part[size-1]
	copy(part[1:], part[:size-1])
	part[0] = last
}

func (r *dcRun) register(b, name byte) {
	all := r.registers[name]
	switch b {
	case 's':
		v := r.pop()
		r.registers[name] = append(all[:max(0, len(all)-1)], v)
	case 'S':
		if len(all) > dcValuesMax {
			panic(calculationError("stack is full"))
		}
		r.registers[name] = append(all, r.pop())
	case 'l', 'L':
		if len(all) == 0 {
			if b == 'L' {
				panic(calculationError("stack register '" + string(name) + "' is empty"))
			}
			r.pushNumber(whole(0))
			return
		}
		r.push(all[len(all)-1])
		if b == 'L' {
			r.registers[name] = all[:len(all)-1]
		}
	case ':', ';':
		at := r.popInt(0, bcIndexMax, "array index must be a nonnegative integer")
		if b == ';' {
			v, ok := r.arrays[name][at]
			if !ok {
				v = dcValue{n: whole(0)}
			}
			r.push(v)
			return
		}
		if r.arrays[name] == nil {
			r.arrays[name] = map[int]dcValue{}
		}
		if len(r.arrays[name]) > dcValuesMax {
			panic(calculationError("array is full"))
		}
		r.arrays[name][at] = r.pop()
	}
}

func (r *dcRun) setting(b byte) {
	switch b {
	case 'k':
		r.scale = r.popInt(0, ScaleMax, "scale must be a nonnegative number")
	case 'i':
		r.ibase = r.popInt(2, 16, "input base must be a number between 2 and 16 (inclusive)")
	case 'o':
		r.obase = r.popInt(2, BaseMax, "output base must be a number greater than 1")
	case 'K':
		r.pushNumber(whole(int64(r.scale)))
	case 'I':
		r.pushNumber(whole(int64(r.ibase)))
	case 'O':
		r.pushNumber(whole(int64(r.obase)))
	}
}

// conditional runs a register if the two top numbers compare so: `3 4>a` asks whether 4 > 3.
func (r *dcRun) conditional(source *dcSource, b byte) {
	negated := b == '!'
	if negated {
		if b = source.need(); strings.IndexByte("<>=", b) < 0 {
			for more := true; more && b != '\n'; b, more = source.next() { // the rest of the line is the program
			}
			panic(calculationError("not supported: ! runs a program"))
		}
	}
	name := source.need()
	y, x := r.popNumber(), r.popNumber()
	order := y.compare(x)
	holds := b == '<' && order < 0 || b == '>' && order > 0 || b == '=' && order == 0
	if holds != negated {
		if all := r.registers[name]; len(all) > 0 {
			r.run(all[len(all)-1])
		}
	}
}

func (r *dcRun) character() {
	v := r.pop()
	if v.is {
		r.push(dcValue{text: v.text[:min(1, len(v.text))], is: true})
		return
	}
	n, _ := v.n.small()
	r.push(dcValue{text: string([]byte{byte(n)}), is: true})
}
