package commands

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
)

// fixed is a command that always says the same: there is no machine to tell about.
func fixed(text string) Command {
	return func(c *Call) int {
		c.Out.Line(text)
		return 0
	}
}

func id(c *Call) int {
	switch strings.Join(c.Args, "") {
	case "-u", "-g", "-G":
		c.Out.Line("1000")
	case "-un", "-gn", "-Gn", "-nu", "-ng":
		c.Out.Line("user")
	default:
		c.Out.Line("uid=1000(user) gid=1000(user) groups=1000(user)")
	}
	return 0
}

func uname(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "asnrvmpio", Long: "all=a kernel-name=s nodename=n kernel-release=r machine=m operating-system=o", Usage: "[OPTION]...",
	})
	if done {
		return status
	}
	if len(opts.List) == 0 {
		opts.List = []Option{{Key: "s"}}
	}
	var words []string
	for _, one := range []struct{ key, text string }{
		{"s", "WASI"}, {"n", "capbox"}, {"r", "preview1"}, {"v", "capbox"}, {"m", "wasm32"}, {"o", "WASI"},
	} {
		if opts.Has(one.key, "a") {
			words = append(words, one.text)
		}
	}
	c.Out.Line(strings.Join(words, " "))
	return 0
}

func which(c *Call) int {
	status := 0
	for _, name := range c.Args {
		if strings.HasPrefix(name, "-") {
			continue
		}
		if path := c.Which(name); path != "" {
			c.Out.Line(path)
		} else {
			status = 1
		}
	}
	return status
}

func tee(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "aip", Long: "append=a ignore-interrupts=i output-error::", Usage: "[OPTION]... [FILE]...",
	})
	if done {
		return status
	}
	outs := map[string]io.Writer{}
	for _, name := range opts.Operands {
		file, err := c.create(name, opts.Has("a"))
		if err != nil {
			status = c.FailPath(name, err)
			continue
		}
		defer file.Close()
		outs[name] = file
	}
	buffer := make([]byte, 32<<10)
	for {
		n, err := c.In.Read(buffer)
		for name, out := range outs {
			if _, err := out.Write(buffer[:n]); err != nil {
				status = c.FailPath(name, err)
				delete(outs, name)
			}
		}
		c.Out.Write(buffer[:n])
		c.Out.Flush()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				return c.Fail("read error: %s", reason(err))
			}
			return status
		}
	}
}

func timeout(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "k:s:vf", Long: "kill-after=k signal=s verbose=v foreground=f preserve-status", Ordered: true, Status: 125,
		Usage: "[OPTION] DURATION COMMAND [ARG]...",
	})
	if done {
		return status
	}
	if len(opts.Operands) < 2 {
		return c.Usage(125, "missing operand")
	}
	limit, ok := duration(opts.Operands[0])
	if !ok {
		return c.Usage(125, "invalid time interval '%s'", opts.Operands[0])
	}
	if limit == 0 {
		return c.Run(opts.Operands[1:], Change{})
	}
	ended := 124
	signal, ok := timeoutSignal(opts)
	switch {
	case !ok:
		text, _ := opts.Value("s")
		return c.Usage(125, "%s: invalid signal", text)
	case opts.Has("preserve-status") || signal == 9:
		ended = 128 + signal
	}
	ctx, cancel := context.WithTimeout(c.Context, limit)
	defer cancel()
	result := make(chan int, 1)
	go func() { result <- c.Run(opts.Operands[1:], Change{Context: ctx}) }()
	select {
	case status = <-result:
		if ctx.Err() != nil && c.Context.Err() == nil {
			return ended
		}
		return status
	case <-ctx.Done():
		return ended
	}
}

// timeoutSignal is the number of the signal that a real command would get: it is part of the status.
func timeoutSignal(opts *Options) (int, bool) {
	text, ok := opts.Value("s")
	if !ok {
		return 15, true
	}
	if n, err := strconv.Atoi(text); err == nil {
		return n, n > 0 && n < 65
	}
	n, ok := map[string]int{
		"HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15,
	}[strings.TrimPrefix(strings.ToUpper(text), "SIG")]
	return n, ok
}

// nohup and its like run the rest of the line as it is.
func prefixCommand(c *Call) int {
	args := c.Args
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		args = args[1:]
	}
	if len(args) == 0 {
		return c.Usage(125, "missing operand")
	}
	return c.Run(args, Change{})
}
