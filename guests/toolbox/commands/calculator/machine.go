package calculator

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// bcArray is one array; only what was set takes room.
type bcArray map[int]decimal

// Bounds of a running program: the depth of calls, and the highest index and the most elements of an array.
const (
	bcDepthMax    = 10_000
	bcIndexMax    = 16_777_215
	bcElementsMax = 1_000_000
)

// bcCell is a value on the stack: a number, a whole array as an argument, or nothing from a void function.
type bcCell struct {
	n     decimal
	array bcArray
	name  string // of the array
	void  bool
}

// bcFrame is one call in progress.
type bcFrame struct {
	function *bcFunction
	at       int
	numbers  map[string]decimal // what parameters and automatic variables hid
	arrays   map[string]bcArray
	base     int // where its values begin on the stack
}

// bcMachine runs instructions. Variables are dynamic, as in bc: a called function sees the caller's.
type bcMachine struct {
	ctx       context.Context
	functions map[string]*bcFunction
	numbers   map[string]decimal
	arrays    map[string]bcArray
	stack     []bcCell
	frames    []bcFrame
	scale     int
	ibase     int
	obase     int
	library   bool
	out       *bcOutput
	read      func() decimal
	warn      func(text string)
}

func newBcMachine(ctx context.Context, out *bcOutput) *bcMachine {
	return &bcMachine{
		ctx: ctx, functions: map[string]*bcFunction{}, numbers: map[string]decimal{}, arrays: map[string]bcArray{},
		ibase: 10, obase: 10, out: out,
	}
}

// run executes one line. The result is false when the program asks to end; an error ends the line alone.
func (m *bcMachine) run(code []bcCode) (again bool, problem string) {
	m.stack, m.frames = m.stack[:0], []bcFrame{{function: &bcFunction{name: "(main)", code: code}}}
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case calculationError:
			frame := m.frames[len(m.frames)-1]
			problem = fmt.Sprintf("Runtime error (func=%s, adr=%d): %s", frame.function.name, frame.at, string(cause))
			for len(m.frames) > 1 {
				m.leave()
			}
			again = true
		default:
			panic(cause)
		}
	}()
	for steps := 0; ; steps++ {
		frame := &m.frames[len(m.frames)-1]
		if frame.at >= len(frame.function.code) || steps%1024 == 0 && m.ctx.Err() != nil {
			return m.ctx.Err() == nil, ""
		}
		code := &frame.function.code[frame.at]
		frame.at++
		if code.op == "halt" {
			return false, ""
		}
		m.step(frame, code)
	}
}

func (m *bcMachine) push(n decimal) {
	if n.n.BitLen() > bcDigitsMax*34/10 {
		panic(tooLarge)
	}
	m.stack = append(m.stack, bcCell{n: n})
}

func (m *bcMachine) popCell() bcCell {
	cell := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return cell
}

func (m *bcMachine) pop() decimal {
	cell := m.popCell()
	if cell.n.n == nil {
		panic(calculationError("void expression"))
	}
	return cell.n
}

func (m *bcMachine) step(frame *bcFrame, code *bcCode) {
	switch code.op {
	case "number":
		m.push(parseDecimal(code.text, m.ibase))
	case "string":
		m.out.text(code.text)
	case "print":
		m.out.text(printEscapes.Replace(code.text))
	case "write":
		n := m.pop()
		m.out.number(n.text(m.obase))
		m.numbers["last"] = n
	case "show":
		if cell := m.popCell(); !cell.void {
			m.stack = append(m.stack, cell)
			n := m.pop()
			m.out.number(n.text(m.obase) + "\n")
			m.numbers["last"] = n
		}
	case "pop":
		m.popCell()
	case "jump":
		frame.at = code.at
	case "unless", "when":
		if m.pop().isZero() == (code.op == "unless") {
			frame.at = code.at
		}
	case "truth", "not":
		m.pushTruth(m.pop().isZero() == (code.op == "not"))
	case "minus":
		m.push(m.pop().neg())
	case "call":
		m.call(code.text, code.at)
	case "return":
		cell := m.popCell()
		m.leave()
		m.stack = append(m.stack, bcCell{n: cell.n, void: frame.function.void})
	case "limits":
		m.out.text(fmt.Sprintf("BC_BASE_MAX     = %d\nBC_DIM_MAX      = %d\nBC_SCALE_MAX    = %d\nBC_STRING_MAX   = %d\n",
			BaseMax, bcIndexMax, ScaleMax, ProgramBytesMax))
	case "warranty":
		m.out.text("There is no warranty.\n")
	case "length()", "sqrt()", "scale()", "read()":
		m.builtin(code.op)
	default:
		m.operate(code)
	}
}

var printEscapes = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\\`, `\`, `\q`, `"`, `\a`, "\a", `\b`, "\b", `\f`, "\f", `\r`, "\r", `\e`, `\`)

func (m *bcMachine) pushTruth(yes bool) {
	if yes {
		m.push(whole(1))
	} else {
		m.push(whole(0))
	}
}

func (m *bcMachine) builtin(op string) {
	switch op {
	case "length()":
		m.push(whole(int64(m.pop().length())))
	case "sqrt()":
		m.push(m.pop().sqrt(m.scale))
	case "scale()":
		m.push(whole(int64(m.pop().scale)))
	case "read()":
		m.push(m.read())
	}
}

// operate runs the instructions on variables, elements and pairs of numbers.
func (m *bcMachine) operate(code *bcCode) {
	op, element := strings.CutSuffix(code.op, "[]")
	switch {
	case op == "array":
		m.stack = append(m.stack, bcCell{array: m.array(code.text), name: code.text})
	case op == "again":
		m.stack = append(m.stack, m.stack[len(m.stack)-1])
	case op == "load" && element:
		m.push(m.element(code.text, m.index()))
	case op == "load":
		m.push(m.variable(code.text))
	case op == "store" && element:
		n := m.pop()
		m.setElement(code.text, m.index(), n)
		m.push(n)
	case op == "store":
		m.push(m.set(code.text, m.pop()))
	case strings.HasPrefix(op, "before") || strings.HasPrefix(op, "after"):
		m.increment(op, code.text, element)
	default:
		b, a := m.pop(), m.pop()
		m.pair(op, a, b)
	}
}

func (m *bcMachine) pair(op string, a, b decimal) {
	switch op {
	case "+":
		m.push(a.add(b))
	case "-":
		m.push(a.sub(b))
	case "*":
		m.push(a.mul(b, m.scale))
	case "/":
		m.push(a.div(b, m.scale))
	case "%":
		m.push(a.mod(b, m.scale))
	case "^":
		if b.rescaled(0).compare(b) != 0 {
			frame := m.frames[len(m.frames)-1]
			m.warn(fmt.Sprintf("Runtime warning (func=%s, adr=%d): non-zero scale in exponent", frame.function.name, frame.at))
		}
		m.push(a.pow(b, m.scale))
	default:
		order := a.compare(b)
		m.pushTruth(map[string]bool{
			"==": order == 0, "!=": order != 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0,
		}[op])
	}
}

func (m *bcMachine) increment(op, name string, element bool) {
	step := whole(1)
	if strings.HasSuffix(op, "-") {
		step = whole(-1)
	}
	var old, changed decimal
	if element {
		at := m.index()
		old = m.element(name, at)
		changed = old.add(step)
		m.setElement(name, at, changed)
	} else {
		old = m.variable(name)
		changed = m.set(name, old.add(step))
	}
	if strings.HasPrefix(op, "after") {
		changed = old
	}
	m.push(changed)
}

func (m *bcMachine) variable(name string) decimal {
	switch name {
	case "scale":
		return whole(int64(m.scale))
	case "ibase":
		return whole(int64(m.ibase))
	case "obase":
		return whole(int64(m.obase))
	}
	if n, ok := m.numbers[name]; ok {
		return n
	}
	return decimal{n: new(big.Int)}
}

func (m *bcMachine) set(name string, n decimal) decimal {
	bounded := func(low, high int) int {
		value, ok := n.small()
		if !ok {
			value = map[bool]int{true: low, false: high}[n.n.Sign() < 0]
		}
		return min(max(value, low), high)
	}
	switch name {
	case "scale":
		if value, ok := n.small(); !ok || value > ScaleMax {
			panic(calculationError("scale too large"))
		}
		m.scale = bounded(0, ScaleMax)
	case "ibase":
		m.ibase = bounded(2, 36)
	case "obase":
		m.obase = bounded(2, BaseMax)
	default:
		m.numbers[name] = n
	}
	return n
}

func (m *bcMachine) index() int {
	n, ok := m.pop().small()
	if !ok || n < 0 || n > bcIndexMax {
		panic(calculationError("Array subscript out of bounds."))
	}
	return n
}

func (m *bcMachine) array(name string) bcArray {
	if m.arrays[name] == nil {
		m.arrays[name] = bcArray{}
	}
	return m.arrays[name]
}

func (m *bcMachine) element(name string, at int) decimal {
	if n, ok := m.arrays[name][at]; ok {
		return n
	}
	return decimal{n: new(big.Int)}
}

func (m *bcMachine) setElement(name string, at int, n decimal) {
	array := m.array(name)
	if array[at] = n; len(array) > bcElementsMax {
		panic(calculationError("array " + name + " has more than " + strconv.Itoa(bcElementsMax) + " elements"))
	}
}
