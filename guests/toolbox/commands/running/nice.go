package running

import (
	"regexp"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
)

// oldAdjustment is `nice -5`, `nice --5` and `nice -+5`.
var oldAdjustment = regexp.MustCompile(`^-[-+]?[0-9]+$`)

// Nice is the command nice. Commands here run one after another, so that none gives way to another: whatever the
// adjustment, the command runs as it is, and the niceness is 0.
func Nice(c *kit.Call) int {
	args := c.Args
	if len(args) > 0 && oldAdjustment.MatchString(args[0]) {
		args = append([]string{"-n", args[0][1:]}, args[1:]...)
	}
	opts, status, done := c.ParseWords(kit.Spec{
		Short: "n:", Long: "adjustment=n", Usage: "[-n NUMBER] [COMMAND [ARG]...]", Status: 125, Ordered: true,
	}, args)
	if done {
		return status
	}
	text, given := opts.Value("n")
	if _, err := strconv.Atoi(strings.TrimSpace(text)); given && err != nil {
		c.Fail("invalid adjustment '%s'", text)
		return 125
	}
	switch {
	case len(opts.Operands) > 0:
		return c.Run(opts.Operands, kit.Change{})
	case given:
		return c.Usage(125, "a command must be given with an adjustment")
	}
	c.Out.Line("0")
	return 0
}

// Stdbuf is the command stdbuf: what a command writes is passed on when the command sees fit, whatever is asked.
func Stdbuf(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "i:o:e:", Long: "input=i output=o error=e", Usage: "OPTION... COMMAND [ARG]...", Status: 125, Ordered: true,
	})
	if done {
		return status
	}
	if len(opts.Operands) == 0 {
		return c.Usage(125, "missing operand")
	}
	return c.Run(opts.Operands, kit.Change{})
}
