package commands

import (
	"io"
	"strings"
)

func uniq(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "cdDuif:s:w:z", Usage: "[OPTION]... [INPUT [OUTPUT]]",
		Long: "count=c repeated=d all-repeated=D unique=u ignore-case=i skip-fields=f skip-chars=s check-chars=w zero-terminated=z",
	})
	if done {
		return status
	}
	rules := uniqRules{opts: opts, width: -1, end: '\n'}
	if opts.Has("z") {
		rules.end = 0
	}
	for _, one := range []struct {
		key  string
		into *int
	}{{"f", &rules.fields}, {"s", &rules.chars}, {"w", &rules.width}} {
		if text, ok := opts.Value(one.key); ok {
			n, ok := quantity(text)
			if !ok || n < 0 {
				return c.Fail("%s: invalid number", text)
			}
			*one.into = int(n)
		}
	}
	var out io.Writer = c.Out
	names := opts.Operands
	if len(names) > 1 {
		file, err := c.Create(names[1])
		if err != nil {
			return c.FailPath(names[1], err)
		}
		defer file.Close()
		out, names = file, names[:1]
	}
	return c.Each(names, func(_ string, in io.Reader) error { return rules.copy(NewOutput(out), in) })
}

type uniqRules struct {
	opts                 *Options
	fields, chars, width int
	end                  byte
}

// key is the part of a line that is compared.
func (u *uniqRules) key(line string) string {
	for range u.fields {
		line = strings.TrimLeft(line, " \t")
		at := strings.IndexAny(line, " \t")
		if at < 0 {
			return ""
		}
		line = line[at:]
	}
	line = line[min(len(line), u.chars):]
	if u.width >= 0 {
		line = line[:min(len(line), u.width)]
	}
	if u.opts.Has("i") {
		line = strings.ToLower(line)
	}
	return line
}

func (u *uniqRules) copy(out *Output, in io.Reader) error {
	lines := newLineReader(in, u.end)
	var group []string
	count, key := 0, ""
	flush := func() {
		switch {
		case count == 0, u.opts.Has("d", "D") && count == 1, u.opts.Has("u") && count > 1:
			return
		}
		for _, line := range group {
			if u.opts.Has("c") {
				out.Printf("%7d ", count)
			}
			out.WriteString(line)
			out.WriteByte(u.end)
		}
	}
	for {
		line, ok := lines.next()
		if !ok {
			break
		}
		text := string(line)
		if this := u.key(text); count > 0 && this == key {
			count++
			if u.opts.Has("D") {
				group = append(group, text)
			}
			continue
		} else {
			flush()
			group, count, key = append(group[:0], text), 1, this
		}
	}
	flush()
	out.Flush()
	return lines.failed
}
