package sorting

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
)

// Uniq is the command uniq.
func Uniq(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "cdDuif:s:w:z", Usage: "[OPTION]... [INPUT [OUTPUT]]",
		Long: "count=c repeated=d all-repeated:: group:: unique=u ignore-case=i skip-fields=f skip-chars=s check-chars=w zero-terminated=z",
	})
	if done {
		return status
	}
	if len(opts.Operands) > 2 {
		return c.Usage(1, "extra operand '%s'", opts.Operands[2])
	}
	rules := uniqRules{opts: opts, width: -1, end: '\n'}
	if problem := rules.separators(); problem != "" {
		return c.Usage(1, "%s", problem)
	}
	if opts.Has("z") {
		rules.end = 0
	}
	for _, one := range []struct {
		key  string
		into *int
	}{{"f", &rules.fields}, {"s", &rules.chars}, {"w", &rules.width}} {
		if text, ok := opts.Value(one.key); ok {
			n, ok := notation.Quantity(text)
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
	return c.Each(names, func(_ string, in io.Reader) error { return rules.copy(kit.NewOutput(out), in) })
}

type uniqRules struct {
	opts                 *kit.Options
	fields, chars, width int
	end                  byte
	separate             string // none, prepend, append, separate, both: empty lines around groups
	groups, all          bool   // --group, and -D or --all-repeated
}

// separators reads --all-repeated and --group; the text is what is wrong with them.
func (u *uniqRules) separators() string {
	u.all = u.opts.Has("D", "all-repeated")
	u.groups = u.opts.Has("group")
	if u.groups && (u.all || u.opts.Has("c", "d", "u")) {
		return "--group is mutually exclusive with -c/-d/-D/-u"
	}
	key, known := "all-repeated", "none prepend separate"
	if u.groups {
		key, known = "group", "separate prepend append both"
		u.separate = "separate"
	}
	if text, ok := u.opts.Value(key); ok && text != "" {
		if !slices.Contains(strings.Fields(known), text) {
			return "invalid argument '" + text + "' for '--" + key + "'"
		}
		u.separate = text
	}
	return ""
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

func (u *uniqRules) copy(out *kit.Output, in io.Reader) error {
	lines := kit.NewLines(in, u.end)
	var group []string
	count, key, shown := 0, "", false
	counted, number := u.opts.Has("c"), make([]byte, 0, 24)
	whole := u.fields == 0 && u.chars == 0 && u.width < 0 && !u.all && !u.groups && !u.opts.Has("i")
	flush := func() {
		switch {
		case count == 0, (u.all || u.opts.Has("d")) && count == 1, u.opts.Has("u") && count > 1:
			return
		}
		if u.separate == "prepend" || u.separate == "both" || u.separate == "separate" && shown {
			out.WriteByte(u.end)
		}
		shown = true
		for _, line := range group {
			if counted {
				digits := strconv.AppendInt(number[:0], int64(count), 10)
				out.WriteString("       "[min(len(digits), 7):])
				out.Write(append(digits, ' '))
			}
			out.WriteString(line)
			out.WriteByte(u.end)
		}
		if u.separate == "append" {
			out.WriteByte(u.end)
		}
	}
	for {
		line, ok := lines.Next()
		if !ok {
			break
		}
		if whole && count > 0 && string(line) == key {
			count++
			continue
		}
		text := string(line)
		if this := u.key(text); count > 0 && this == key {
			count++
			if u.all || u.groups {
				group = append(group, text)
			}
			continue
		} else {
			flush()
			group, count, key = append(group[:0], text), 1, this
		}
	}
	if flush(); u.separate == "both" && shown {
		out.WriteByte(u.end)
	}
	out.Flush()
	return lines.Failed
}
