package commands

import (
	"strings"
	"sync"

	"capbox/toolbox/commands/kit"
)

// init, since help reads the table: a table that named help in its own value would be a cycle.
func init() { table["help"] = help }

// Invoke runs a command to its end, flushes its output and gives its status.
func Invoke(command kit.Command, c *kit.Call) int {
	c.About = func(name string) string { return about()[name] }
	return kit.Invoke(func(c *kit.Call) int {
		if answer(c) {
			return 0
		}
		return command(c)
	}, c)
}

// answer serves the commands that read their arguments without a Spec: for them, as for GNU's, --help and --version
// count only when nothing else is given.
func answer(c *kit.Call) bool {
	usage, plain := usages[c.Name]
	if !plain || len(c.Args) != 1 {
		return false
	}
	switch c.Args[0] {
	case "--help":
		c.Out.WriteString(c.Help(usage, ""))
	case "--version":
		c.Out.WriteString(c.Version())
	default:
		return false
	}
	return true
}

// about is what each command does, by name.
var about = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	for _, one := range themes {
		for line := range strings.Lines(one.commands) {
			if name, does, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
				all[name] = strings.TrimSpace(does)
			}
		}
	}
	return all
})

// help lists the commands by theme, or explains some.
func help(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{Short: "dms", Usage: "[-dms] [NAME]..."})
	if done {
		return status
	}
	if len(opts.Operands) == 0 {
		listAll(c)
		return 0
	}
	for _, name := range opts.Operands {
		switch does := about()[name]; {
		case table[name] == nil:
			status = c.Fail("no help topics match `%s'%s", name, nearHint(name))
		case opts.Has("d", "s") && does != "":
			c.Out.Line(name + " - " + does)
		default:
			status |= c.Run([]string{name, "--help"}, kit.Change{})
		}
	}
	return status
}

// listAll prints each theme's commands in lines of a terminal's width; what no theme names comes last.
func listAll(c *kit.Call) {
	c.Out.Line("Commands of this shell; nothing else can be run. `help NAME` or `NAME --help` shows the flags.")
	told := map[string]bool{}
	for _, one := range themes {
		var names []string
		for line := range strings.Lines(one.commands) {
			name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if table[name] != nil {
				names = append(names, name)
				told[name] = true
			}
		}
		listTheme(c, one.title, names)
	}
	var others []string
	for _, name := range Names() {
		if !told[name] {
			others = append(others, name)
		}
	}
	listTheme(c, "others", others)
	listTheme(c, "shell", strings.Fields(shellWords))
}

// shellWords are the builtins that scripts use; `help NAME` of the shell explains them.
const shellWords = ". : [ alias bash break builtin cd command continue declare echo eval exec exit export false getopts " +
	"kill let local mapfile printf pwd read readonly return set sh shift shopt source test times trap true type " +
	"unalias unset wait"

func listTheme(c *kit.Call, title string, names []string) {
	const screen, margin = 100, 12
	line := title + ":" + strings.Repeat(" ", max(1, margin-len(title)-1))
	for i, name := range names {
		if len(line)+len(name)+1 > screen {
			c.Out.Line(strings.TrimRight(line, " "))
			line = strings.Repeat(" ", margin)
		}
		line += name
		if i < len(names)-1 {
			line += " "
		}
	}
	if len(names) > 0 {
		c.Out.Line(line)
	}
}
