package calculator

import (
	"bufio"
	"io"
	"math/big"
	"strings"

	"capbox/toolbox/commands/kit"
)

// dcValue is a number or a string; dc has nothing else.
type dcValue struct {
	n    decimal
	text string
	is   bool // a string
}

// dcRun is one run of dc.
type dcRun struct {
	c                    *kit.Call
	out                  *bcOutput
	stack                []dcValue
	registers            map[byte][]dcValue
	arrays               map[byte]map[int]dcValue
	scale, ibase, obase  int
	sources              []*dcSource
	quitLevels, elements int
}

// dcSource is a program text that is being read: a file, or a string that x runs.
type dcSource struct {
	in   *bufio.Reader
	text string
	at   int
}

// Bounds of dc: how deep macros go, and how many values there are at once.
const (
	dcDepthMax  = 10_000
	dcValuesMax = 1_000_000
)

// Dc is the command dc.
func Dc(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{Short: "e:f:hV", Long: "expression=e file=f", Usage: "[OPTION]... [FILE]..."})
	if done {
		return status
	}
	r := &dcRun{
		c: c, out: newBcOutput(c), registers: map[byte][]dcValue{}, arrays: map[byte]map[int]dcValue{}, ibase: 10, obase: 10,
	}
	if text, ok := c.Env()["DC_LINE_LENGTH"]; !ok || text == "" {
		r.out.width = 70
	}
	for _, one := range opts.List {
		switch one.Key {
		case "e":
			if !r.program(strings.NewReader(one.Value)) {
				return 0
			}
		case "f":
			opts.Operands = append(opts.Operands, one.Value)
		}
	}
	for _, name := range opts.Operands {
		file, err := c.Open(name)
		if err != nil {
			return c.Fail("%s", name+": "+kit.Reason(err))
		}
		again := r.program(file)
		file.Close()
		if !again {
			return 0
		}
	}
	if len(opts.List) == 0 && len(opts.Operands) == 0 {
		r.program(c.Input())
	}
	return 0
}

// program runs a text; false when it asked to end.
func (r *dcRun) program(in io.Reader) (again bool) {
	r.sources = []*dcSource{{in: bufio.NewReader(in)}}
	for steps := 0; len(r.sources) > 0; steps++ {
		if steps%1024 == 0 && r.c.Context.Err() != nil {
			return false
		}
		source := r.sources[len(r.sources)-1]
		b, ok := source.next()
		if !ok {
			r.sources = r.sources[:len(r.sources)-1]
			continue
		}
		r.guarded(source, b)
		if r.quitLevels != 0 {
			if r.quitLevels < 0 || r.quitLevels >= len(r.sources) {
				return false
			}
			r.sources = r.sources[:len(r.sources)-r.quitLevels]
			r.quitLevels = 0
		}
	}
	return true
}

// guarded runs one command; an error is told and the next command goes on, as in dc.
func (r *dcRun) guarded(source *dcSource, b byte) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case calculationError:
			text := string(cause)
			if text == "Divide by zero" {
				text = "divide by zero"
			}
			r.c.Fail("%s", text)
		default:
			panic(cause)
		}
	}()
	r.command(source, b)
}

func (s *dcSource) next() (byte, bool) {
	if s.in != nil {
		b, err := s.in.ReadByte()
		return b, err == nil
	}
	if s.at == len(s.text) {
		return 0, false
	}
	s.at++
	return s.text[s.at-1], true
}

func (s *dcSource) back() {
	if s.in != nil {
		_ = s.in.UnreadByte()
	} else {
		s.at--
	}
}

// need is the byte after a command that names a register.
func (s *dcSource) need() byte {
	b, ok := s.next()
	if !ok {
		panic(calculationError("unexpected end of input"))
	}
	return b
}

func (r *dcRun) push(v dcValue) {
	if r.elements++; len(r.stack) >= dcValuesMax {
		panic(calculationError("stack is full"))
	}
	r.stack = append(r.stack, v)
}

func (r *dcRun) pushNumber(n decimal) { r.push(dcValue{n: n}) }

func (r *dcRun) pop() dcValue {
	if len(r.stack) == 0 {
		panic(calculationError("stack empty"))
	}
	top := r.stack[len(r.stack)-1]
	r.stack = r.stack[:len(r.stack)-1]
	return top
}

func (r *dcRun) popNumber() decimal {
	top := r.pop()
	if top.is {
		r.push(top)
		panic(calculationError("non-numeric value"))
	}
	return top.n
}

// popInt is a number for a setting, within bounds.
func (r *dcRun) popInt(low, high int, problem string) int {
	n, ok := r.popNumber().small()
	if !ok || n < low || n > high {
		panic(calculationError(problem))
	}
	return n
}

// run pushes a string as a program; the last command of a macro leaves its place to it, so loops do not nest.
func (r *dcRun) run(v dcValue) {
	if !v.is {
		r.push(v)
		return
	}
	for len(r.sources) > 1 && r.sources[len(r.sources)-1].ended() {
		r.sources = r.sources[:len(r.sources)-1]
	}
	if len(r.sources) >= dcDepthMax {
		panic(calculationError("macros are nested too deeply"))
	}
	r.sources = append(r.sources, &dcSource{text: v.text})
}

func (s *dcSource) ended() bool { return s.in == nil && s.at == len(s.text) }

func (r *dcRun) show(v dcValue, end string) {
	if v.is {
		r.out.text(v.text + end)
		return
	}
	r.out.number(v.n.text(r.obase) + end)
}

// rawText is what P prints of a number: its bytes.
func rawText(n decimal) string { return string(new(big.Int).Abs(n.rescaled(0).n).Bytes()) }
