package files

import (
	"errors"
	"io"

	"capbox/toolbox/commands/kit"
)

// Tee is the command tee.
func Tee(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "aip", Long: "append=a ignore-interrupts=i output-error::", Usage: "[OPTION]... [FILE]...",
	})
	if done {
		return status
	}
	outs := map[string]io.Writer{}
	for _, name := range opts.Operands {
		open := c.Create
		if opts.Has("a") {
			open = c.Append
		}
		file, err := open(name)
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
				return c.Fail("read error: %s", kit.Reason(err))
			}
			return status
		}
	}
}
