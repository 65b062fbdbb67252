package reading

import (
	"io"
	"strings"

	"capbox/toolbox/commands/kit"
)

// Pager prints files: on what is no terminal, less and more do the same.
func Pager(c *kit.Call) int {
	for len(c.Args) > 0 && strings.HasPrefix(c.Args[0], "+") { // +G, +/pattern: where a pager would start
		c.Args = c.Args[1:]
	}
	opts, status, done := c.Parse(kit.Spec{
		Short: "FRSXNnEeiIqrsMmwfxgGcdlpu", Usage: "[OPTION]... [FILE]...",
		Long: "quit-if-one-screen=F RAW-CONTROL-CHARS=R raw-control-chars=r chop-long-lines=S no-init=X LINE-NUMBERS=N " +
			"ignore-case=i squeeze-blank-lines=s quit-at-eof=e",
	})
	if done {
		return status
	}
	if opts.Has("N") {
		return c.Unsupported("line numbers; use nl or cat -n")
	}
	return c.Each(opts.Operands, func(_ string, in io.Reader) error {
		_, err := io.Copy(c.Out, in)
		return err
	})
}
