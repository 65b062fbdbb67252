package calculator

import (
	"maps"
	"math/big"
)

// call enters a function of the program, or computes one of the library.
func (m *bcMachine) call(name string, count int) {
	arguments := append([]bcCell{}, m.stack[len(m.stack)-count:]...)
	m.stack = m.stack[:len(m.stack)-count]
	function := m.functions[name]
	if function == nil {
		if m.library && m.library1(name, arguments) {
			return
		}
		panic(calculationError("Function " + name + " not defined."))
	}
	if len(m.frames) >= bcDepthMax {
		panic(calculationError("calls are nested too deeply"))
	}
	if len(arguments) != len(function.params) {
		panic(calculationError("Parameter number mismatch"))
	}
	for i, param := range function.params {
		if (arguments[i].array != nil) != param.array || !param.array && arguments[i].n.n == nil {
			panic(calculationError("Parameter type mismatch parameters " + param.name))
		}
	}
	m.enter(function, arguments)
}

// enter hides what the function's names stood for, and gives its parameters their values.
func (m *bcMachine) enter(function *bcFunction, arguments []bcCell) {
	frame := bcFrame{function: function, base: len(m.stack), numbers: map[string]decimal{}, arrays: map[string]bcArray{}}
	hide := func(param bcParam) {
		if param.array {
			if _, twice := frame.arrays[param.name]; !twice {
				frame.arrays[param.name] = m.arrays[param.name]
			}
		} else if _, twice := frame.numbers[param.name]; !twice {
			frame.numbers[param.name] = m.variable(param.name)
		}
	}
	for i, param := range function.params {
		hide(param)
		switch {
		case param.reference:
			m.arrays[param.name] = arguments[i].array
		case param.array:
			m.arrays[param.name] = maps.Clone(arguments[i].array)
		default:
			m.set(param.name, arguments[i].n)
		}
	}
	for _, param := range function.autos {
		hide(param)
		if param.array {
			m.arrays[param.name] = nil
		} else if param.name != "scale" && param.name != "ibase" && param.name != "obase" {
			m.numbers[param.name] = decimal{n: new(big.Int)}
		}
	}
	m.frames = append(m.frames, frame)
}

// leave ends the innermost call: its names stand for what they did before.
func (m *bcMachine) leave() {
	frame := m.frames[len(m.frames)-1]
	m.frames = m.frames[:len(m.frames)-1]
	m.stack = m.stack[:min(len(m.stack), frame.base)]
	for name, n := range frame.numbers {
		m.set(name, n)
	}
	for name, array := range frame.arrays {
		m.arrays[name] = array
	}
}

// library1 computes a function of `bc -l`; false if there is none of that name.
func (m *bcMachine) library1(name string, arguments []bcCell) bool {
	want := 1
	if name == "j" {
		want = 2
	}
	switch name {
	case "s", "c", "a", "l", "e", "j":
	default:
		return false
	}
	if len(arguments) != want {
		panic(calculationError("Parameter number mismatch"))
	}
	for _, argument := range arguments {
		if argument.n.n == nil {
			panic(calculationError("Parameter type mismatch parameters x"))
		}
	}
	if m.scale > mathScaleMax {
		panic(calculationError("scale too large for the functions of -l"))
	}
	x := arguments[0].n
	switch name {
	case "s":
		m.push(x.sin(m.scale, false))
	case "c":
		m.push(x.sin(m.scale, true))
	case "a":
		m.push(x.atan(m.scale))
	case "l":
		m.push(x.ln(m.scale))
	case "e":
		m.push(x.exp(m.scale))
	case "j":
		m.push(arguments[1].n.bessel(x, m.scale))
	}
	return true
}

// mathScaleMax bounds the digits of a sine: its time grows with their square.
const mathScaleMax = 10_000
