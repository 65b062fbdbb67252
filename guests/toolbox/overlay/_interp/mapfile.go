package interp

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/internal"
	"mvdan.cc/sh/v3/syntax"
)

// mapping is one run of mapfile.
type mapping struct {
	delim                      byte
	trim, origin               bool
	most, skip, start, quantum int
	fd                         int
	callback, name             string
}

// mapfile reads lines into an array.
func (r *Runner) mapfile(ctx context.Context, command string, args []string) exitStatus {
	m := mapping{delim: '\n', quantum: 5000, name: "MAPFILE"}
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && args[0] != "--" {
		flag, value := args[0][1], args[0][2:]
		args = args[1:]
		if flag == 't' {
			m.trim = true
			if value != "" {
				args = slices.Insert(slices.Clone(args), 0, "-"+value)
			}
			continue
		}
		if strings.IndexByte("dnOsuCc", flag) < 0 {
			r.complain("%s: -%c: invalid option", command, flag)
			return r.usage(command + ": usage: " + command + " [-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]")
		}
		if value == "" {
			if len(args) == 0 {
				return r.failed(2, "%s: -%c: option requires an argument", command, flag)
			}
			value, args = args[0], args[1:]
		}
		if why := m.option(flag, value); why != "" {
			return r.failed(1, "%s: %s: %s", command, value, why)
		}
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) > 0 {
		m.name = args[0]
	}
	if !syntax.ValidName(m.name) {
		return r.failed(1, "%s: `%s': not a valid identifier", command, m.name)
	}
	input, ok := r.descriptor(m.fd).(io.Reader)
	if !ok {
		return r.failed(1, "%s: %d: invalid file descriptor: Bad file descriptor", command, m.fd)
	}
	if prev := r.lookupVar(m.name); prev.Kind == expand.Associative {
		return r.failed(1, "%s: %s: not an indexed array", command, m.name)
	}
	return r.fill(ctx, m, input)
}

func (m *mapping) option(flag byte, value string) string {
	switch flag {
	case 'd':
		m.delim = 0
		if value != "" {
			m.delim = value[0]
		}
		return ""
	case 'C':
		m.callback = value
		return ""
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || flag == 'c' && n == 0 {
		return map[byte]string{'O': "invalid array origin", 'u': "invalid file descriptor specification", 'c': "invalid callback quantum"}[flag] +
			map[bool]string{true: "invalid line count"}[flag == 'n' || flag == 's']
	}
	switch flag {
	case 'n':
		m.most = n
	case 'O':
		m.start, m.origin = n, true
	case 's':
		m.skip = n
	case 'u':
		m.fd = n
	case 'c':
		m.quantum = n
	}
	return ""
}

// fill reads the lines. Without a number of lines everything is taken in large pieces.
func (r *Runner) fill(ctx context.Context, m mapping, input io.Reader) exitStatus {
	var list []string
	var indexes []int
	if prev := r.lookupVar(m.name); m.origin && prev.Kind == expand.Indexed {
		list, indexes = slices.Clone(prev.List), slices.Clone(prev.Indexes)
	}
	next := lineReader(input, m.delim, m.most == 0)
	index, total := m.start, 0
	for lines := 0; ; lines++ {
		if m.most > 0 && lines == m.most+m.skip {
			break
		}
		line, ok := next()
		if total += len(line); total > readBytesMax {
			return r.failed(1, "mapfile: input too large")
		}
		if !ok {
			break
		}
		if lines < m.skip {
			continue
		}
		if m.trim {
			line = strings.TrimSuffix(line, string(m.delim))
		}
		if m.callback != "" && (lines-m.skip+1)%m.quantum == 0 {
			r.setVar(m.name, expand.Variable{Set: true, Kind: expand.Indexed, List: list, Indexes: indexes})
			r.eval(ctx, []string{m.callback, strconv.Itoa(index), expand.QuoteWord(line)})
		}
		list, indexes = internal.SetIndexedElem(list, indexes, index, line)
		index++
	}
	if list == nil {
		list = []string{}
	}
	before := r.exit
	r.exit = exitStatus{}
	r.setVar(m.name, expand.Variable{Set: true, Kind: expand.Indexed, List: list, Indexes: indexes})
	exit := r.exit
	r.exit = before
	return exit
}

// lineReader gives lines with their delimiter; ahead allows it to read more than it gives.
func lineReader(input io.Reader, delim byte, ahead bool) func() (string, bool) {
	var held []byte
	chunk := make([]byte, 1)
	if ahead {
		chunk = make([]byte, 32<<10)
	}
	scanned := 0
	return func() (string, bool) {
		for {
			if at := bytes.IndexByte(held[scanned:], delim); at >= 0 {
				line := string(held[:scanned+at+1])
				held, scanned = held[scanned+at+1:], 0
				return line, true
			}
			scanned = len(held)
			n, err := input.Read(chunk)
			held = append(held, chunk[:n]...)
			if len(held) > readBytesMax {
				return string(held), false
			}
			if err != nil && n == 0 {
				line := string(held)
				held, scanned = nil, 0
				return line, line != ""
			}
		}
	}
}
