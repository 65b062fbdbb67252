// Package calculator holds the commands bc and dc, on decimals of any length.
//
// It guarantees bounds on digits, depth and the size of a program; what exceeds one is an error of the script.
package calculator

import (
	"bufio"
	"io"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
)

// bcRun is one run of bc.
type bcRun struct {
	c       *kit.Call
	machine *bcMachine
}

// Bc is the command bc.
func Bc(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "hilqsvwe:f:", Long: "mathlib=l quiet=q standard=s warn=w interactive=i expression=e file=f", Usage: "[OPTION]... [FILE]...",
	})
	if done {
		return status
	}
	r := &bcRun{c: c, machine: newBcMachine(c.Context, newBcOutput(c))}
	r.machine.warn = func(text string) { io.WriteString(c.Err(), text+"\n") }
	r.machine.read = func() decimal { return whole(0) }
	if opts.Has("l") {
		r.machine.library, r.machine.scale = true, 20
	}
	again := true
	for _, one := range opts.List {
		if again && one.Key == "e" {
			again = r.program("(expression)", strings.NewReader(one.Value+"\n"))
		}
		if one.Key == "f" {
			opts.Operands = append([]string{one.Value}, opts.Operands...)
		}
	}
	for _, name := range opts.Operands {
		if !again {
			return 0
		}
		file, err := c.Open(name)
		if err != nil {
			return c.Fail("File %s is unavailable.", name)
		}
		again = r.program(name, file)
		file.Close()
	}
	if again && !opts.Has("e") {
		r.program("(standard_in)", c.Input())
	}
	return 0
}

// program runs a text line by line; false when it asked to end. As in bc, an error ends its line, and no error is a
// status of its own.
func (r *bcRun) program(name string, in io.Reader) bool {
	reader, ok := in.(*bufio.Reader)
	if !ok {
		reader = bufio.NewReader(in)
	}
	lexer := &bcLexer{in: reader, line: 1}
	r.machine.read = func() decimal { return readNumber(lexer, r.machine.ibase) }
	for {
		code, more, again := r.parse(name, lexer)
		if len(code) > 0 {
			goes, problem := r.machine.run(code)
			if problem != "" {
				io.WriteString(r.c.Err(), problem+"\n")
			}
			if !goes {
				return false
			}
		}
		if !again {
			return false
		}
		if !more {
			return r.c.Context.Err() == nil
		}
		if lexer.in.Buffered() == 0 {
			r.c.Out.Flush() // whoever waits for the answer sees it before the next line is read
		}
	}
}

// parse reads one line. `again` is false for quit, which ends bc where it is read.
func (r *bcRun) parse(name string, lexer *bcLexer) (code []bcCode, more, again bool) {
	p := &bcParser{bcLexer: lexer, define: func(f *bcFunction) { r.machine.functions[f.name] = f }}
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case bcQuit:
			code, more, again = p.code, false, false
		case syntaxError:
			line := lexer.line
			if p.peeked() == '\n' {
				line++ // bc has read the end of the line by then
			}
			io.WriteString(r.c.Err(), name+" "+strconv.Itoa(line)+": "+string(cause)+"\n")
			lexer.skipLine()
			code, more, again = nil, true, true
		default:
			panic(cause)
		}
	}()
	more = p.line()
	if p.peeked() == 'e' {
		more = false
	}
	return p.code, more, true
}

// peeked is the kind of the word that was looked at but not taken, 0 if there is none.
func (p *bcParser) peeked() byte {
	if len(p.peeks) == 0 {
		return 0
	}
	return p.peeks[0].kind
}

// readNumber is bc's read(): a number from the standard input.
func readNumber(lexer *bcLexer, base int) decimal {
	sign := whole(1)
	for {
		switch token := lexer.next(); {
		case token.kind == '\n':
		case token.text == "-" && token.kind == 'o':
			sign = sign.neg()
		case token.kind == 'n':
			return parseDecimal(token.text, base).mul(sign, ScaleMax)
		default:
			return whole(0)
		}
	}
}

// bcOutput breaks long numbers as bc does.
type bcOutput struct {
	out    *kit.Output
	column int
	width  int // 0 breaks nothing
}

func newBcOutput(c *kit.Call) *bcOutput {
	width := 70
	if text, ok := c.Env()["BC_LINE_LENGTH"]; ok {
		if n, err := strconv.Atoi(text); err == nil && (n == 0 || n > 2) {
			width = n
		}
	}
	return &bcOutput{out: c.Out, width: width}
}

func (o *bcOutput) number(text string) {
	for i := range len(text) {
		if text[i] == '\n' {
			o.column = 0
		} else if o.column++; o.width > 0 && o.column == o.width-1 {
			o.out.WriteString("\\\n")
			o.column = 1
		}
		o.out.WriteByte(text[i])
	}
}

func (o *bcOutput) text(text string) {
	o.out.WriteString(text)
	if at := strings.LastIndexByte(text, '\n'); at >= 0 {
		o.column = len(text) - at - 1
	} else {
		o.column += len(text)
	}
}
