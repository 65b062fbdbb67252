package text

import (
	"io"
	"regexp"
	"slices"

	"capbox/toolbox/commands/kit"
)

// reference is $NAME or ${NAME}, nothing else: envsubst knows no defaults.
var reference = regexp.MustCompile(`\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})`)

// Envsubst is the command envsubst.
func Envsubst(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{Short: "vV", Long: "variables=v", Usage: "[OPTION] [SHELL-FORMAT]"})
	if done {
		return status
	}
	if len(opts.Operands) > 1 {
		return c.Usage(1, "too many arguments")
	}
	names := func(text string) (all []string) {
		for _, match := range reference.FindAllStringSubmatch(text, -1) {
			all = append(all, match[1]+match[2])
		}
		return all
	}
	if opts.Has("v") {
		if len(opts.Operands) == 0 {
			return c.Usage(1, "missing arguments")
		}
		for _, name := range names(opts.Operands[0]) {
			c.Out.Line(name)
		}
		return 0
	}
	vars := c.Env()
	var chosen []string
	if len(opts.Operands) == 1 {
		chosen = names(opts.Operands[0])
	}
	return c.Each(nil, func(_ string, in io.Reader) error {
		lines := kit.NewLines(in, '\n')
		for {
			line, ok := lines.Next()
			if !ok {
				return lines.Failed
			}
			c.Out.Write(reference.ReplaceAllFunc(line, func(match []byte) []byte {
				name := names(string(match))[0]
				if len(opts.Operands) == 1 && !slices.Contains(chosen, name) {
					return match
				}
				return []byte(vars[name])
			}))
			if lines.Ended {
				c.Out.WriteByte('\n')
			}
		}
	})
}
