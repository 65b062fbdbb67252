// Package jq is the command jq: gojq with its options, inputs and ways of printing.
package jq

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"

	"capbox/toolbox/commands/kit"
)

// jqRun is one run of jq.
type jqRun struct {
	c      *kit.Call
	opts   *kit.Options
	indent string
	inputs *jqInputs
	// positional is $ARGS.positional.
	positional []any
	last       any
	any        bool
}

// Command is the command jq.
func Command(c *kit.Call) int {
	args, positional, problem := jqArguments(c.Args)
	if problem != "" {
		c.Fail("%s", problem)
		return 2
	}
	c.Args = args
	opts, status, done := c.Parse(kit.Spec{
		Short: "rjacCMnsSeRf:L:hV", Usage: "[OPTIONS] FILTER [FILES...]", Status: 2,
		Long: "raw-output=r join-output=j ascii-output=a compact-output=c color-output=C monochrome-output=M null-input=n " +
			"slurp=s sort-keys=S exit-status=e raw-input=R from-file=f tab indent: arg: argjson: slurpfile: rawfile: " +
			"raw-output0 stream seq unbuffered version=V",
	})
	if done {
		return status
	}
	if opts.Has("V") {
		c.Out.Line("jq-1.7 (capbox; gojq)")
		return 0
	}
	if opts.Has("C") {
		return c.Unsupported("-C: colours")
	}
	r := &jqRun{c: c, opts: opts, indent: "  ", positional: positional}
	text, files := "", opts.Operands
	if name, ok := opts.Value("f"); ok {
		raw, err := c.Slurp(name)
		if err != nil {
			c.FailPath(name, err)
			return 2
		}
		text = string(raw)
	} else {
		if len(files) == 0 {
			return c.Usage(2, "no filter given")
		}
		text, files = files[0], files[1:]
	}
	if width, ok := opts.Value("indent"); ok {
		n, err := strconv.Atoi(width)
		if err != nil || n < 0 || n > 7 {
			c.Fail("Cannot indent more than 7 characters")
			return 2
		}
		r.indent = strings.Repeat(" ", n)
	}
	if opts.Has("tab") {
		r.indent = "\t"
	}
	code, values, status := r.compile(text)
	if status != 0 {
		return status
	}
	r.inputs.names = files
	if len(files) == 0 {
		r.inputs.names = []string{"-"}
	}
	return r.run(code, values)
}

// compile reads the filter with its named values.
func (r *jqRun) compile(text string) (*gojq.Code, []any, int) {
	c := r.c
	query, err := gojq.Parse(text)
	if err != nil {
		c.Fail("error: %s\njq: 1 compile error", err)
		return nil, nil, 3
	}
	var names []string
	var values []any
	named := map[string]any{}
	for _, one := range r.opts.List {
		name, text, ok := strings.Cut(one.Value, "\x00")
		if !ok {
			continue
		}
		value, problem := r.named(one.Key, name, text)
		if problem != "" {
			c.Fail("%s", problem)
			return nil, nil, 2
		}
		names, values = append(names, "$"+name), append(values, value)
		named[name] = value
	}
	names = append(names, "$ARGS")
	values = append(values, map[string]any{"named": named, "positional": r.positional})
	r.inputs = &jqInputs{run: r}
	code, err := gojq.Compile(query, gojq.WithVariables(names), gojq.WithInputIter(r.inputs), gojq.WithEnvironLoader(func() []string {
		var list []string
		for name, value := range c.Env() {
			list = append(list, name+"="+value)
		}
		return list
	}))
	if err != nil {
		c.Fail("error: %s\njq: 1 compile error", err)
		return nil, nil, 3
	}
	return code, values, 0
}

func (r *jqRun) named(kind, name, text string) (any, string) {
	switch kind {
	case "arg":
		return text, ""
	case "argjson":
		value, err := decodeJSON([]byte(text))
		if err != nil {
			return nil, "Invalid JSON text passed to --argjson"
		}
		return value, ""
	}
	raw, err := r.c.Slurp(text)
	if err != nil {
		return nil, "Bad JSON in --" + kind + " " + name + " " + text + ": " + kit.Reason(err)
	}
	if kind == "rawfile" {
		return string(raw), ""
	}
	all := []any{}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	for {
		var value any
		if err := decoder.Decode(&value); err != nil {
			if errors.Is(err, io.EOF) {
				return all, ""
			}
			return nil, "Bad JSON in --slurpfile " + name + " " + text + ": " + err.Error()
		}
		all = append(all, plainNumbers(value))
	}
}

func (r *jqRun) run(code *gojq.Code, values []any) int {
	status := 0
	for {
		var input any
		if !r.opts.Has("n") {
			next, ok := r.inputs.Next()
			if !ok {
				break
			}
			if err, bad := next.(error); bad {
				r.c.Fail("error (at %s): %s", r.inputs.place(), err)
				return 2
			}
			input = next
		}
		if done := r.one(code, input, values, &status); done || r.opts.Has("n") {
			break
		}
	}
	if status == 0 && r.inputs.failed {
		status = 2
	}
	if status == 0 && r.opts.Has("e") {
		switch {
		case !r.any:
			return 4
		case r.last == nil || r.last == false:
			return 1
		}
	}
	return status
}

// one runs the filter over one input; true ends jq.
func (r *jqRun) one(code *gojq.Code, input any, values []any, status *int) bool {
	results := code.RunWithContext(r.c.Context, input, values...)
	for {
		value, ok := results.Next()
		if !ok {
			return false
		}
		if err, bad := value.(error); bad {
			var halt *gojq.HaltError
			if errors.As(err, &halt) {
				*status = halt.ExitCode()
				if text, ok := halt.Value().(string); ok {
					io.WriteString(r.c.Err(), text)
				} else if halt.Value() != nil {
					raw, _ := gojq.Marshal(halt.Value())
					io.WriteString(r.c.Err(), string(raw)+"\n")
				}
				return true
			}
			r.c.Fail("error (at %s): %s", r.inputs.place(), err)
			*status = 5
			return false
		}
		r.any, r.last = true, value
		r.print(value)
	}
}

func (r *jqRun) print(value any) {
	out := r.c.Out
	if r.opts.Has("seq") {
		out.WriteByte(recordSeparator)
	}
	text, isText := value.(string)
	if isText && r.opts.Has("r", "j", "raw-output0") {
		out.WriteString(text)
	} else {
		raw, err := gojq.Marshal(value)
		if err != nil {
			raw = []byte("null")
		}
		if r.opts.Has("a") {
			raw = []byte(asciiJSON(raw))
		}
		if r.opts.Last("c", "tab", "indent") != "c" && r.indent != "" {
			var indented bytes.Buffer
			if json.Indent(&indented, raw, "", r.indent) == nil {
				raw = indented.Bytes()
			}
		}
		out.Write(raw)
	}
	switch {
	case r.opts.Has("raw-output0"):
		out.WriteByte(0)
	case !r.opts.Has("j"):
		out.WriteByte('\n')
	}
}

func asciiJSON(raw []byte) string {
	var out strings.Builder
	for _, r := range string(raw) {
		switch {
		case r < 128:
			out.WriteRune(r)
		case r < 0x10000:
			out.WriteString(`\u` + strconv.FormatInt(int64(r)+0x10000, 16)[1:])
		default:
			r -= 0x10000
			out.WriteString(`\u` + strconv.FormatInt(int64(0xd800+r>>10), 16) + `\u` + strconv.FormatInt(int64(0xdc00+r&0x3ff), 16))
		}
	}
	return out.String()
}

func decodeJSON(raw []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return plainNumbers(value), nil
}

// plainNumbers turns json.Number into what gojq computes with.
func plainNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil {
			return n
		}
		if strings.Trim(v.String(), "-0123456789") == "" {
			if n, ok := new(big.Int).SetString(v.String(), 10); ok {
				return n
			}
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = plainNumbers(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plainNumbers(v[key])
		}
	}
	return value
}
