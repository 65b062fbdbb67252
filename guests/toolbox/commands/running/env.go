// Package running holds the commands that run others, or wait: env, xargs, timeout, time, sleep, yes and getopt.
package running

import (
	"maps"
	"slices"
	"strings"

	"capbox/toolbox/commands/kit"
)

// Env is the command env.
func Env(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "iu:0C:S:v", Usage: "[OPTION]... [-] [NAME=VALUE]... [COMMAND [ARG]...]", Ordered: true, Status: 125,
		Long: "ignore-environment=i unset=u null=0 chdir=C split-string=S",
	})
	if done {
		return status
	}
	vars := c.Env()
	if opts.Has("i") {
		vars = kit.Variables{}
	}
	for _, one := range opts.List {
		if one.Key == "u" {
			delete(vars, one.Value)
		}
	}
	words := opts.Operands
	if text, ok := opts.Value("S"); ok {
		words = append(strings.Fields(text), words...)
	}
	if len(words) > 0 && words[0] == "-" {
		vars, words = kit.Variables{}, words[1:]
	}
	for len(words) > 0 && strings.Contains(words[0], "=") {
		name, value, _ := strings.Cut(words[0], "=")
		vars[name] = value
		words = words[1:]
	}
	if len(words) > 0 {
		dir, _ := opts.Value("C")
		if dir != "" {
			dir = c.Path(dir)
		}
		return c.Run(words, kit.Change{Env: vars, Dir: dir})
	}
	end := "\n"
	if opts.Has("0") {
		end = "\x00"
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		c.Out.WriteString(name + "=" + vars[name] + end)
	}
	return 0
}

// Printenv is the command printenv.
func Printenv(c *kit.Call) int {
	vars := c.Env()
	if len(c.Args) == 0 {
		return Env(c)
	}
	status := 0
	for _, name := range c.Args {
		if value, ok := vars[name]; ok {
			c.Out.Line(value)
		} else {
			status = 1
		}
	}
	return status
}

// Nohup is the command nohup: there is no terminal that hangs up, so that the rest of the line runs as it is.
func Nohup(c *kit.Call) int {
	args := c.Args
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		args = args[1:]
	}
	if len(args) == 0 {
		return c.Usage(125, "missing operand")
	}
	return c.Run(args, kit.Change{})
}
