package machine

import (
	"io"
	"strings"
	"time"

	"capbox/toolbox/commands/calendar"
	"capbox/toolbox/commands/kit"
)

// Date is the command date.
func Date(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "d:f:I::r:Rs:u", Usage: "[OPTION]... [+FORMAT]",
		Long: "date=d file=f iso-8601=I reference=r rfc-email=R rfc-2822=R set=s utc=u universal=u rfc-3339:",
	})
	if done {
		return status
	}
	zone := calendar.Zone(c.Env()["TZ"])
	if opts.Has("u") {
		zone = time.UTC
	}
	format, status := dateFormat(c, opts)
	if status != 0 {
		return status
	}
	when := time.Now().In(zone)
	if opts.Has("s") {
		return c.Fail("cannot set date: Operation not permitted")
	}
	if name, ok := opts.Value("f"); ok {
		return c.Each([]string{name}, func(_ string, in io.Reader) error {
			return kit.EachLine(in, func(line []byte) error {
				status |= dateOf(c, string(line), when, format)
				return nil
			})
		}) | status
	}
	if text, ok := opts.Value("d"); ok {
		return dateOf(c, text, when, format)
	}
	if name, ok := opts.Value("r"); ok {
		info, err := c.Stat(name)
		if err != nil {
			return c.FailPath(name, err)
		}
		when = info.ModTime().In(zone)
	}
	c.Out.Line(calendar.Format(format, when))
	return 0
}

// dateOf shows the date that a text describes.
func dateOf(c *kit.Call, text string, now time.Time, format string) int {
	when, ok := calendar.Parse(text, now)
	if !ok {
		return c.Fail("invalid date '%s'", text)
	}
	c.Out.Line(calendar.Format(format, when))
	return 0
}

// dateFormat is the format that options and operand ask for.
func dateFormat(c *kit.Call, opts *kit.Options) (string, int) {
	format := "%a %b %e %H:%M:%S %Z %Y"
	for key, known := range map[string]map[string]string{
		"I": {
			"": "%Y-%m-%d", "date": "%Y-%m-%d", "hours": "%Y-%m-%dT%H%:z", "minutes": "%Y-%m-%dT%H:%M%:z",
			"seconds": "%Y-%m-%dT%H:%M:%S%:z", "ns": "%Y-%m-%dT%H:%M:%S,%N%:z",
		},
		"rfc-3339": {
			"date": "%Y-%m-%d", "seconds": "%Y-%m-%d %H:%M:%S%:z", "ns": "%Y-%m-%d %H:%M:%S.%N%:z",
		},
	} {
		if text, ok := opts.Value(key); ok {
			if format, ok = known[text]; !ok {
				return "", c.Usage(1, "invalid argument '%s' for '--%s'", text, map[string]string{"I": "iso-8601"}[key])
			}
		}
	}
	if opts.Has("R") {
		format = "%a, %d %b %Y %H:%M:%S %z"
	}
	for i, operand := range opts.Operands {
		switch {
		case i > 0:
			return "", c.Usage(1, "extra operand '%s'", operand)
		case !strings.HasPrefix(operand, "+"):
			return "", c.Fail("invalid date '%s'", operand)
		}
		format = operand[1:]
	}
	return format, 0
}
