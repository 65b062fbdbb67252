package running

import (
	"strings"

	"capbox/toolbox/commands/kit"
)

// Yes is the command yes.
func Yes(c *kit.Call) int {
	text := "y"
	if len(c.Args) > 0 {
		text = strings.Join(c.Args, " ")
	}
	block := strings.Repeat(text+"\n", 1+4096/(len(text)+1))
	for c.Context.Err() == nil {
		c.Out.WriteString(block)
	}
	return 1
}
