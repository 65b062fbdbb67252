package interp

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// readBytesMax bounds one read, and all that mapfile takes.
const readBytesMax = 64 << 20

// reading is one run of read.
type reading struct {
	raw, exact bool
	array      string
	prompt     string
	delim      byte
	count      int // characters to read at most; -1 for a line
	fd         int
	timeout    time.Duration // -1 for none
	names      []string
}

// read is the builtin.
func (r *Runner) read(ctx context.Context, args []string) exitStatus {
	one := reading{delim: '\n', count: -1, timeout: -1}
	if exit, ok := r.readOptions(&one, args); !ok {
		return exit
	}
	for _, name := range append(one.names, one.array) {
		if name != "" && !r.validTarget(name) {
			return r.failed(1, "read: `%s': not a valid identifier", name)
		}
	}
	input, ok := r.descriptor(one.fd).(io.Reader)
	if !ok || input == nil {
		return r.failed(1, "read: %d: invalid file descriptor: Bad file descriptor", one.fd)
	}
	if one.timeout == 0 {
		return exitStatus{} // input is always ready, or at its end
	}
	line, escaped, err := r.take(ctx, input, one)
	code := uint8(0)
	if err != nil {
		code = 1
	}
	var timeout *timedOut
	if errors.As(err, &timeout) {
		code = 142
	}
	before := r.exit
	r.exit = exitStatus{}
	r.distribute(one, line, escaped)
	if !r.exit.ok() {
		code = r.exit.code
	}
	r.exit = before
	return exitStatus{code: code}
}

func (r *Runner) readOptions(one *reading, args []string) (exitStatus, bool) {
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		flags := args[0][1:]
		args = args[1:]
		if flags == "-" {
			break
		}
		for flags != "" {
			flag := flags[0]
			flags = flags[1:]
			switch flag {
			case 'r':
				one.raw = true
				continue
			case 's', 'e':
				continue
			}
			if strings.IndexByte("adinNptu", flag) < 0 {
				r.complain("read: -%c: invalid option", flag)
				return r.usage("read: usage: read [-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] [-t timeout] [-u fd] [name ...]"), false
			}
			value := flags
			if flags = ""; value == "" {
				if len(args) == 0 {
					return r.failed(2, "read: -%c: option requires an argument", flag), false
				}
				value, args = args[0], args[1:]
			}
			if why := one.option(flag, value); why != "" {
				return r.failed(1, "read: %s: %s", value, why), false
			}
		}
	}
	one.names = args
	return exitStatus{}, true
}

// option takes an option with a value and says what is wrong with it.
func (one *reading) option(flag byte, value string) string {
	switch flag {
	case 'a':
		one.array = value
	case 'd':
		one.delim = 0
		if value != "" {
			one.delim = value[0]
		}
	case 'n', 'N':
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return "invalid number"
		}
		one.count, one.exact = n, flag == 'N'
	case 'p':
		one.prompt = value // shown on terminals only, as in bash
	case 't':
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil || seconds < 0 || seconds > 1e6 {
			return "invalid timeout specification"
		}
		one.timeout = time.Duration(seconds * float64(time.Second))
	case 'u':
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return "invalid file descriptor specification"
		}
		one.fd = n
	}
	return ""
}

type timedOut struct{}

func (*timedOut) Error() string { return "timed out" }

// take reads up to the delimiter or the count. escaped marks the bytes that a backslash precedes.
func (r *Runner) take(ctx context.Context, input io.Reader, one reading) (line []byte, escaped []bool, err error) {
	if one.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, one.timeout)
		defer cancel()
	}
	next := byteReader(ctx, input, one.timeout > 0)
	characters := 0
	for one.count != characters {
		b, err := next()
		if err != nil {
			return line, escaped, err
		}
		if len(line) > readBytesMax {
			return line, escaped, errors.New("line too long")
		}
		if b == one.delim && !one.exact {
			return line, escaped, nil
		}
		marked := false
		if b == '\\' && !one.raw {
			if b, err = next(); err != nil {
				return line, escaped, err
			}
			if b == '\n' {
				continue
			}
			marked = true
		}
		if b == 0 {
			continue // bash drops them too
		}
		line, escaped = append(line, b), append(escaped, marked)
		if one.count > 0 && utf8.FullRune(lastRune(line)) {
			characters++
		}
	}
	return line, escaped, nil
}

// lastRune is the character that the line ends in, which may be incomplete.
func lastRune(line []byte) []byte {
	at := len(line) - 1
	for at > 0 && len(line)-at < utf8.UTFMax && !utf8.RuneStart(line[at]) {
		at--
	}
	return line[at:]
}

// byteReader reads byte by byte, since what follows the line belongs to the next reader.
func byteReader(ctx context.Context, input io.Reader, timed bool) func() (byte, error) {
	var buf [1]byte
	one := func() (byte, error) {
		for {
			n, err := input.Read(buf[:])
			if n > 0 {
				return buf[0], nil
			}
			if err != nil {
				return 0, err
			}
		}
	}
	if !timed {
		return one
	}
	type result struct {
		b   byte
		err error
	}
	return func() (byte, error) {
		if ctx.Err() != nil {
			return 0, &timedOut{}
		}
		got := make(chan result, 1)
		go func() {
			b, err := one()
			got <- result{b, err}
		}()
		select {
		case res := <-got:
			return res.b, res.err
		case <-ctx.Done():
			return 0, &timedOut{}
		}
	}
}

// distribute assigns what was read.
func (r *Runner) distribute(one reading, line []byte, escaped []bool) {
	fields := expand.SplitRead(r.ecfg, line, escaped, len(one.names))
	switch {
	case one.array != "":
		fields = expand.SplitRead(r.ecfg, line, escaped, -1)
		if fields == nil {
			fields = []string{}
		}
		r.setVar(one.array, expand.Variable{Set: true, Kind: expand.Indexed, List: fields})
		return
	case len(one.names) == 0:
		r.setVarString(shellReplyVar, string(line))
		return
	case one.exact:
		fields = []string{string(line)}
	}
	for i, name := range one.names {
		text := ""
		if i < len(fields) {
			text = fields[i]
		}
		if syntax.ValidName(name) {
			r.setVarString(name, text)
		} else if err := r.assignTo(name, text); err != nil {
			r.exit = r.failed(1, "read: %v", err)
		}
	}
}
