package paths

import (
	"strings"

	"capbox/toolbox/commands/kit"
)

// Basename is the command basename.
func Basename(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "as:z", Long: "multiple=a suffix=s zero=z", Usage: "NAME [SUFFIX]", Ordered: true,
	})
	if done {
		return status
	}
	names := opts.Operands
	suffix, many := opts.Value("s")
	if len(names) == 0 {
		return c.Usage(1, "missing operand")
	}
	if !many && !opts.Has("a") {
		if len(names) > 2 {
			return c.Usage(1, "extra operand '%s'", names[2])
		}
		if len(names) == 2 {
			suffix, names = names[1], names[:1]
		}
	}
	for _, name := range names {
		base := strings.TrimRight(name, "/")
		if base == "" && name != "" {
			base = "/"
		}
		if at := strings.LastIndexByte(base, '/'); at >= 0 && base != "/" {
			base = base[at+1:]
		}
		if base != suffix {
			base = strings.TrimSuffix(base, suffix)
		}
		c.Out.Line(base)
	}
	return 0
}

// Dirname is the command dirname.
func Dirname(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{Short: "z", Long: "zero=z", Usage: "[OPTION] NAME...", Ordered: true})
	if done {
		return status
	}
	if len(opts.Operands) == 0 {
		return c.Usage(1, "missing operand")
	}
	for _, name := range opts.Operands {
		trimmed := strings.TrimRight(name, "/")
		dir, _, ok := kit.CutLast(trimmed, "/")
		dir = strings.TrimRight(dir, "/")
		switch {
		case !ok && (trimmed != "" || name == ""):
			dir = "."
		case dir == "":
			dir = "/"
		}
		c.Out.Line(dir)
	}
	return 0
}
