package search

import (
	"strings"

	"capbox/toolbox/commands/kit"
)

// Which is the command which.
func Which(c *kit.Call) int {
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
