package files

import (
	"os"
	"strings"

	"capbox/toolbox/commands/fileinfo"
	"capbox/toolbox/commands/kit"
)

// Mktemp is the command mktemp.
func Mktemp(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "dp:qtu", Long: "directory=d tmpdir:: dry-run=u quiet=q suffix:", Usage: "[OPTION]... [TEMPLATE]",
	})
	if done {
		return status
	}
	template := mktempTemplate(c, opts)
	end := strings.LastIndexByte(template, 'X') + 1
	start := end
	for start > 0 && template[start-1] == 'X' {
		start--
	}
	if end-start < 3 {
		return c.Fail("too few X's in template '%s'", template)
	}
	var err error
	for range 100 {
		name := template[:start] + kit.RandomText(end-start) + template[end:]
		switch {
		case opts.Has("u"):
			_, err = os.Lstat(c.Path(name))
			if err == nil {
				continue
			}
			err = nil
		case opts.Has("d"):
			err = os.Mkdir(c.Path(name), 0o700)
		default:
			var file *os.File
			if file, err = os.OpenFile(c.Path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
				file.Close()
			}
		}
		if err == nil && !opts.Has("u") {
			mode := uint32(0o600)
			if opts.Has("d") {
				mode = 0o700
			}
			err = fileinfo.SetMode(c.Path(name), mode) // preview 1 makes files without one
		}
		if err == nil {
			c.Out.Line(name)
			return 0
		}
		if !os.IsExist(err) {
			break
		}
	}
	if opts.Has("q") {
		return 1
	}
	if opts.Has("d") {
		return c.Fail("failed to create directory via template '%s': %s", template, kit.Reason(err))
	}
	return c.Fail("failed to create file via template '%s': %s", template, kit.Reason(err))
}

// mktempTemplate is the name to fill in, with its directory.
func mktempTemplate(c *kit.Call, opts *kit.Options) string {
	template := "tmp.XXXXXXXXXX"
	inTemp := len(opts.Operands) == 0 || opts.Has("p", "tmpdir", "t")
	if len(opts.Operands) > 0 {
		template = opts.Operands[0]
	}
	if suffix, ok := opts.Value("suffix"); ok {
		template += suffix
	}
	if inTemp {
		dir, _ := opts.Value("p", "tmpdir")
		if dir == "" {
			dir = c.Env()["TMPDIR"]
		}
		if dir == "" {
			dir = "/tmp"
		}
		template = kit.JoinName(dir, template)
	}
	return template
}
