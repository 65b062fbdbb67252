package commands

import (
	"fmt"
	"time"
)

// timeCommand is the program `time`, which `env time` and `xargs time` start; the shell has a keyword of that name.
func timeCommand(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "pvf:o:a", Long: "portability=p verbose=v format=f output=o append=a", Ordered: true, Usage: "[-p] COMMAND [ARG]...", Status: 125,
	})
	if done {
		return status
	}
	if key := opts.Last("v", "f", "o", "a"); key != "" {
		return c.unsupported("-" + key + ": only how long a command took is known")
	}
	if len(opts.Operands) == 0 {
		return c.Usage(125, "missing operand")
	}
	start := time.Now()
	status = c.Run(opts.Operands, Change{})
	// A command is a function in here: what it computes is not told apart from the rest of the script.
	fmt.Fprintf(c.Err(), "real %.2f\nuser 0.00\nsys 0.00\n", time.Since(start).Seconds())
	return status
}
