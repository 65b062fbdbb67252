package files

import (
	"os"
	"time"

	"capbox/toolbox/commands/calendar"
	"capbox/toolbox/commands/kit"
)

// Touch is the command touch.
func Touch(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "acd:hmr:t:", Long: "no-create=c date=d reference=r time: no-dereference=h", Usage: "[OPTION]... FILE...",
	})
	if done {
		return status
	}
	if len(opts.Operands) == 0 {
		return c.Usage(1, "missing file operand")
	}
	when := time.Now()
	if text, ok := opts.Value("d"); ok {
		if when, ok = calendar.Parse(text, when.UTC()); !ok {
			return c.Fail("invalid date format '%s'", text)
		}
	}
	if text, ok := opts.Value("t"); ok {
		if when, ok = stampDate(text); !ok {
			return c.Fail("invalid date format '%s'", text)
		}
	}
	if name, ok := opts.Value("r"); ok {
		info, err := c.Stat(name)
		if err != nil {
			return c.Fail("failed to get attributes of '%s': %s", name, kit.Reason(err))
		}
		when = info.ModTime()
	}
	for _, name := range opts.Operands {
		path := c.Path(name)
		_, err := os.Stat(path)
		if err != nil && opts.Has("c") {
			continue
		}
		if err != nil {
			var file *os.File
			if file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644); err == nil {
				file.Close()
				if !opts.Has("d", "t", "r") {
					continue
				}
			}
		}
		if err == nil {
			err = os.Chtimes(path, when, when)
		}
		if err != nil {
			status = c.Fail("cannot touch '%s': %s", name, kit.Reason(err))
		}
	}
	return status
}

// stampDate reads [[CC]YY]MMDDhhmm[.ss].
func stampDate(text string) (time.Time, bool) {
	for _, layout := range []string{"200601021504.05", "200601021504", "0601021504.05", "0601021504", "01021504.05", "01021504"} {
		if t, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
			if t.Year() == 0 {
				t = t.AddDate(time.Now().UTC().Year(), 0, 0)
			}
			return t, true
		}
	}
	return time.Time{}, false
}
