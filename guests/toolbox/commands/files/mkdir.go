package files

import (
	"os"
	"strings"

	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// Mkdir is the command mkdir.
func Mkdir(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "m:pv", Long: "mode=m parents=p verbose=v", Usage: "[OPTION]... DIRECTORY...",
	})
	if done {
		return status
	}
	if len(opts.Operands) == 0 {
		return c.Usage(1, "missing operand")
	}
	for _, name := range opts.Operands {
		path := c.Path(name)
		var err error
		made := []string{name}
		if opts.Has("p") {
			made = missingParents(c, name)
			err = c.MakeParents(path)
		} else {
			err = os.Mkdir(path, 0o777)
		}
		if err != nil {
			status = c.Fail("cannot create directory '%s': %s", name, kit.Reason(err))
			continue
		}
		if text, ok := opts.Value("m"); ok && len(made) > 0 {
			mode, ok := fileinfo.ChangeMode(0o777, text, true)
			if !ok {
				return c.Fail("invalid mode '%s'", text)
			}
			if err := fileinfo.SetMode(path, mode&0o777); err != nil {
				status = c.FailPath(name, err)
			}
		}
		if opts.Has("v") {
			for _, one := range made {
				c.Out.Printf("mkdir: created directory '%s'\n", one)
			}
		}
	}
	return status
}

// missingParents are those directories of a path that do not exist yet, from the top.
func missingParents(c *kit.Call, name string) []string {
	var missing []string
	for name != "" {
		if _, err := os.Stat(c.Path(strings.TrimRight(name, "/"))); err == nil {
			break
		}
		missing = append([]string{name}, missing...)
		parent, _, ok := kit.CutLast(strings.TrimRight(name, "/"), "/")
		if !ok {
			break
		}
		name = strings.TrimRight(parent, "/")
	}
	return missing
}
