// Package awk is the command awk: goawk with GNU's functions, on the files and commands of this shell.
package awk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/benhoyt/goawk/interp"
	"github.com/benhoyt/goawk/lexer"
	"github.com/benhoyt/goawk/parser"

	"capbox/toolbox/commands/calendar"
	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
	"capbox/toolbox/seams/process"
)

// awkFunctions are gawk's extensions that need no syntax of their own.
var awkFunctions = map[string]any{
	"systime": func() int { return int(time.Now().Unix()) },
	"strftime": func(args ...string) string {
		format, when := "%a %b %e %H:%M:%S %Z %Y", time.Now().UTC()
		if len(args) > 0 {
			format = args[0]
		}
		if len(args) > 1 {
			when = time.Unix(int64(notation.LeadingNumber(args[1])), 0).UTC()
		}
		return calendar.Format(format, when)
	},
	"mktime": makeTime, "strtonum": stringToNumber, "compl": complement,
	"and":    foldBits(func(a, b int) int { return a & b }),
	"or":     foldBits(func(a, b int) int { return a | b }),
	"xor":    foldBits(func(a, b int) int { return a ^ b }),
	"lshift": func(a, b int) int { return a << uint(b&63) },
	"rshift": func(a, b int) int { return a >> uint(b&63) },
}

// Command is the commands awk and gawk.
func Command(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "F:v:f:", Usage: "[-F fs] [-v var=value] [-f progfile | 'prog'] [file ...]", Ordered: true, Status: 2,
		Long: "field-separator=F assign=v file=f version posix traditional re-interval lint::",
	})
	if done {
		return status
	}
	if opts.Has("version") {
		c.Out.Line("awk (capbox; goawk 1.29.1), with the functions of GNU Awk")
		return 0
	}
	program, operands, status := awkProgram(c, opts)
	if status != 0 {
		return status
	}
	config, problem := awkConfig(c, opts, operands)
	if problem != "" {
		c.Fail("%s", problem)
		return 2
	}
	if what := awkUnsupported(program); what != "" {
		return c.Unsupported(what)
	}
	config.Funcs = (&awkState{}).functions()
	program, moved := awkExtended(program)
	var files outputs
	shell, release := process.Register(awkHost(c, &files))
	defer release()
	config.ShellCommand = shell
	parsed, err := parser.ParseProgram([]byte(program), &parser.ParserConfig{Funcs: config.Funcs})
	if err != nil {
		var place *parser.ParseError
		if errors.As(err, &place) && place.Position.Line == 1 {
			place.Position.Column -= moved
		}
		c.Fail("%s", err)
		return 2
	}
	status, err = interp.ExecProgram(parsed, config)
	if failed := c.Out.TryFlush(); failed != nil {
		return c.Unwritten(failed)
	}
	if files.failed != nil {
		c.Fail("cannot write to \"%s\" (%s)", files.name, kit.Reason(files.failed))
		return 2
	}
	if err != nil {
		return awkFailure(c, err)
	}
	return status
}

// awkHost runs the commands of a program and opens its files.
func awkHost(c *kit.Call, files *outputs) process.Host {
	return process.Host{
		Run: func(code string, stdin io.Reader, stdout, stderr io.Writer) int {
			if c.Out.TryFlush() != nil { // here, since this may be a goroutine that nobody recovers
				return kit.SignalPipe
			}
			return c.Run([]string{"sh", "-c", code}, kit.Change{Streams: kit.Streams{In: stdin, Out: stdout, Err: stderr}})
		},
		Open: func(name string, flag int, perm fs.FileMode) (io.ReadWriteCloser, error) {
			file, err := kit.OpenFile(c.Dir, name, flag, perm, c.Streams())
			if real, ok := file.(*os.File); ok && err == nil && flag == os.O_RDONLY {
				if info, err := real.Stat(); err == nil && info.IsDir() {
					real.Close()
					return nil, kit.ErrDirectory
				}
			}
			if err != nil || flag == os.O_RDONLY {
				return file, err
			}
			return &output{ReadWriteCloser: file, name: name, all: files}, nil
		},
	}
}

// outputs notes the first of a program's files that could not be written: goawk closes them without looking.
type outputs struct {
	name   string
	failed error
}

type output struct {
	io.ReadWriteCloser
	name string
	all  *outputs
}

func (o *output) Write(text []byte) (int, error) {
	n, err := o.ReadWriteCloser.Write(text)
	if err != nil && o.all.failed == nil {
		o.all.name, o.all.failed = o.name, err
	}
	return n, err
}

func awkFailure(c *kit.Call, err error) int {
	var path *os.PathError
	if errors.As(err, &path) {
		c.Fail("cannot open \"%s\" (%s)", path.Path, kit.Reason(path.Err))
		return 2
	}
	if errors.Is(err, io.ErrClosedPipe) {
		return kit.SignalPipe
	}
	c.Fail("%s", err)
	return 2
}

// awkProgram is the text of -f files, or the first operand.
func awkProgram(c *kit.Call, opts *kit.Options) (string, []string, int) {
	var text strings.Builder
	given := false
	for _, one := range opts.List {
		if one.Key != "f" {
			continue
		}
		file, err := c.Open(one.Value)
		if err != nil {
			c.Fail("cannot open program file \"%s\" (%s)", one.Value, kit.Reason(err))
			return "", nil, 2
		}
		raw, err := io.ReadAll(file)
		file.Close()
		if err != nil {
			c.FailPath(one.Value, err)
			return "", nil, 2
		}
		text.Write(raw)
		text.WriteByte('\n')
		given = true
	}
	if given {
		return text.String(), opts.Operands, 0
	}
	if len(opts.Operands) == 0 {
		return "", nil, c.Usage(2, "usage: awk [-F fs][-v var=value][prog | -f progfile][file ...]")
	}
	return opts.Operands[0], opts.Operands[1:], 0
}

func awkConfig(c *kit.Call, opts *kit.Options, operands []string) (*interp.Config, string) {
	streams := c.Streams()
	config := &interp.Config{
		Stdin: c.Input(), Output: streams.Out, Error: streams.Err, Argv0: c.Name, Args: operands, Environ: []string{},
		Chars: true,
	}
	for _, one := range opts.List {
		switch one.Key {
		case "F":
			separator := one.Value
			if separator == "t" {
				separator = "\t"
			}
			separator, err := lexer.Unescape(separator)
			if err != nil {
				separator = one.Value
			}
			config.Vars = append(config.Vars, "FS", separator)
		case "v":
			name, value, ok := strings.Cut(one.Value, "=")
			if !ok {
				return nil, "`" + one.Value + "' argument to `-v' not in `var=value' form"
			}
			if unescaped, err := lexer.Unescape(value); err == nil {
				value = unescaped
			}
			if gawkOnly[name] {
				return nil, "not supported: " + name
			}
			config.Vars = append(config.Vars, name, value)
		}
	}
	for name, value := range c.Env() {
		config.Environ = append(config.Environ, name, value)
	}
	return config, ""
}
