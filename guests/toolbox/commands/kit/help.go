package kit

import "strings"

// Help is what every command answers to --help: its usage, what it does, and its options.
func (c *Call) Help(usage, listing string) string {
	text := "Usage: " + strings.TrimSpace(c.Name+" "+usage) + "\n"
	if c.About != nil {
		if does := c.About(c.Name); does != "" {
			text += strings.ToUpper(does[:1]) + does[1:] + ".\n"
		}
	}
	return text + listing
}

// Version is what every command answers to --version. Scripts look for the word GNU to know which flags work.
func (c *Call) Version() string {
	return c.Name + " (capbox toolbox), with the flags and messages of GNU\n"
}
