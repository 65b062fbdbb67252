package commands

import (
	"os"
	"syscall"
)

func linkCommand(c *Call) int {
	opts, status, done := c.Parse(Spec{Usage: "FILE1 FILE2"})
	if done {
		return status
	}
	names := opts.Operands
	switch {
	case len(names) == 0:
		return c.Usage(1, "missing operand")
	case len(names) == 1:
		return c.Usage(1, "missing operand after '%s'", names[0])
	case len(names) > 2:
		return c.Usage(1, "extra operand '%s'", names[2])
	}
	if err := os.Link(c.Path(names[0]), c.Path(names[1])); err != nil {
		return c.Fail("cannot create link '%s' to '%s': %s", names[1], names[0], reason(err))
	}
	return 0
}

func unlink(c *Call) int {
	opts, status, done := c.Parse(Spec{Usage: "FILE"})
	if done {
		return status
	}
	switch names := opts.Operands; {
	case len(names) == 0:
		return c.Usage(1, "missing operand")
	case len(names) > 1:
		return c.Usage(1, "extra operand '%s'", names[1])
	}
	name := opts.Operands[0]
	info, err := os.Lstat(c.Path(name))
	if err == nil && info.IsDir() {
		err = syscall.EISDIR // os.Remove would take an empty directory
	}
	if err == nil {
		err = os.Remove(c.Path(name))
	}
	if err != nil {
		return c.Fail("cannot unlink '%s': %s", name, reason(err))
	}
	return 0
}

// sync passes named files on; without names there is nothing to do, since nothing is held back in here.
func syncFiles(c *Call) int {
	status := 0
	for _, name := range c.Args {
		if name == "-d" || name == "-f" || name == "--data" || name == "--file-system" {
			continue
		}
		file, err := os.Open(c.Path(name))
		if err != nil {
			status = c.Fail("error opening '%s': %s", name, reason(err))
			continue
		}
		if info, err := file.Stat(); err == nil && !info.IsDir() {
			if err := file.Sync(); err != nil {
				status = c.Fail("error syncing '%s': %s", name, reason(err))
			}
		}
		file.Close()
	}
	return status
}
