// Package machine holds the commands that tell of the machine, its users and its clock: there is one answer for each,
// and clear words where there is none.
package machine

import (
	"strings"

	"capbox/toolbox/commands/kit"
)

// Fixed is a command that always says the same: there is no machine to tell about.
func Fixed(text string) kit.Command {
	return func(c *kit.Call) int {
		c.Out.Line(text)
		return 0
	}
}

// ID is the command id.
func ID(c *kit.Call) int {
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

// Uname is the command uname.
func Uname(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "asnrvmpio", Long: "all=a kernel-name=s nodename=n kernel-release=r machine=m operating-system=o", Usage: "[OPTION]...",
	})
	if done {
		return status
	}
	if len(opts.List) == 0 {
		opts.List = []kit.Option{{Key: "s"}}
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
