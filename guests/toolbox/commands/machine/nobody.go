package machine

import (
	"fmt"
	"strings"

	"capbox/toolbox/commands/calculator"
	"capbox/toolbox/commands/kit"
)

// Refused is a command that exists to say why it cannot serve.
func Refused(why string) kit.Command {
	return func(c *kit.Call) int { return c.Unsupported(why) }
}

// Why there is nothing to tell of.
const (
	NoSessions = "nobody logs in to this sandbox"
	NoTerminal = "there is no terminal in this sandbox"
	NoDisks    = "the sandbox does not see the disks of its host; `du` sums what files take"
)

// Groups is the command groups.
func Groups(c *kit.Call) int {
	if len(c.Args) == 0 {
		c.Out.Line("user")
		return 0
	}
	status := 0
	for _, name := range c.Args {
		if name == "user" {
			c.Out.Line("user : user")
		} else {
			status = c.Fail("'%s': no such user", name)
		}
	}
	return status
}

// Logname is the command logname.
func Logname(c *kit.Call) int {
	if len(c.Args) > 0 {
		return c.Usage(1, "extra operand '%s'", c.Args[0])
	}
	return c.Fail("no login name")
}

// Tty is the command tty.
func Tty(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{Short: "s", Long: "silent=s quiet=s", Usage: "[OPTION]...", Status: 2})
	if done {
		return status
	}
	if len(opts.Operands) > 0 {
		return c.Usage(2, "extra operand '%s'", opts.Operands[0])
	}
	if !opts.Has("s") {
		c.Out.Line("not a tty")
	}
	return 1
}

// limits are what getconf knows: the numbers of this machine of one processor, 64-bit words and 64 KiB pages.
var limits = map[string]string{
	"PAGESIZE": "65536", "PAGE_SIZE": "65536", "NPROCESSORS_ONLN": "1", "NPROCESSORS_CONF": "1", "ARG_MAX": fmt.Sprint(kit.BatchBytesMax),
	"LONG_BIT": "64", "WORD_BIT": "32", "CHAR_BIT": "8", "INT_MAX": "2147483647", "INT_MIN": "-2147483648",
	"UINT_MAX": "4294967295", "LONG_MAX": "9223372036854775807", "LONG_MIN": "-9223372036854775808", "SSIZE_MAX": "32767",
	"LINE_MAX": "2048", "NAME_MAX": "255", "PATH_MAX": "4096", "PIPE_BUF": "4096", "BC_BASE_MAX": fmt.Sprint(calculator.BaseMax),
	"BC_SCALE_MAX": fmt.Sprint(calculator.ScaleMax), "BC_STRING_MAX": fmt.Sprint(calculator.ProgramBytesMax), "PATH": "/bin:/usr/bin",
	"POSIX_VERSION": "200809", "CLK_TCK": "100",
}

// Getconf is the command getconf.
func Getconf(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{Short: "a", Usage: "[-a] VARIABLE [PATH]", Status: 2})
	if done {
		return status
	}
	if opts.Has("a") {
		return c.Unsupported("a list of all variables; name one")
	}
	if len(opts.Operands) == 0 || len(opts.Operands) > 2 {
		return c.Usage(2, "expected a variable, and at most one path")
	}
	name := opts.Operands[0]
	value, known := limits[strings.TrimPrefix(strings.TrimPrefix(name, "_"), "SC_")]
	if !known {
		c.Fail("Unrecognized variable `%s'", name)
		return 2
	}
	c.Out.Line(value)
	return 0
}
