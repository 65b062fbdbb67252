package reading

import (
	"fmt"
	"io"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
	"capbox/toolbox/commands/pattern"
)

// nlRun is one run of nl. Styles are those of header, body and footer.
type nlRun struct {
	out                         *kit.Output
	width, number, first, step  int64
	separator, format, sections string
	styles                      [3]nlStyle
	section, blanks, blankGroup int
	keep                        bool // -p: numbers go on from page to page
}

// nlStyle says which lines get a number: all, those that are not empty, none, or those that match.
type nlStyle struct {
	letter byte
	regex  *pattern.Pattern
}

// Nl is the command nl.
func Nl(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "b:d:f:h:i:l:n:ps:v:w:", Usage: "[OPTION]... [FILE]...",
		Long: "body-numbering=b section-delimiter=d footer-numbering=f header-numbering=h line-increment=i join-blank-lines=l " +
			"number-format=n no-renumber=p number-separator=s starting-line-number=v number-width=w",
	})
	if done {
		return status
	}
	r := &nlRun{out: c.Out, separator: "\t", format: "%*d", sections: `\:`, section: 1, keep: opts.Has("p")}
	group := int64(1)
	for _, one := range []struct {
		key         string
		into        *int64
		usual, from int64
		what        string
	}{
		{"w", &r.width, 6, 1, "line number field width"}, {"v", &r.number, 1, -1 << 62, "starting line number"},
		{"i", &r.step, 1, -1 << 62, "line number increment"}, {"l", &group, 1, 1, "line number of blank lines"},
	} {
		*one.into = one.usual
		if text, ok := opts.Value(one.key); ok {
			if *one.into, ok = notation.Quantity(text); !ok || *one.into < one.from || one.from == 1 && *one.into > kit.PaddingMax {
				return c.Fail("invalid %s: '%s'", one.what, text)
			}
		}
	}
	r.first, r.blankGroup = r.number, int(group)
	if text, ok := opts.Value("s"); ok {
		r.separator = text
	}
	if text, ok := opts.Value("d"); ok {
		r.sections = text
		if len(text) == 1 {
			r.sections += ":"
		}
	}
	if text, ok := opts.Value("n"); ok {
		if r.format, ok = map[string]string{"ln": "%-*d", "rn": "%*d", "rz": "%0*d"}[text]; !ok {
			return c.Usage(1, "invalid line numbering format: '%s'", text)
		}
	}
	for i, key := range []string{"h", "b", "f"} {
		text, ok := opts.Value(key)
		if !ok {
			text = []string{"n", "t", "n"}[i]
		}
		var problem string
		if r.styles[i], problem = parseNlStyle(text); problem != "" {
			return c.Usage(1, "invalid %s numbering style: '%s'%s", []string{"header", "body", "footer"}[i], text, problem)
		}
	}
	return c.Each(opts.Operands, func(_ string, in io.Reader) error {
		return kit.EachLine(in, func(line []byte) error {
			r.line(line)
			return nil
		})
	})
}

// parseNlStyle reads a, t, n or pREGEX; problem is " " or why the expression cannot be used.
func parseNlStyle(text string) (style nlStyle, problem string) {
	switch {
	case text == "a" || text == "t" || text == "n":
		return nlStyle{letter: text[0]}, ""
	case strings.HasPrefix(text, "p"):
		regex, err := pattern.Compile(text[1:], pattern.Basic, pattern.Options{})
		if err != nil {
			return style, ": " + err.Error()
		}
		return nlStyle{'p', regex}, ""
	}
	return style, " "
}

func (r *nlRun) line(line []byte) {
	if at := strings.Count(string(line), r.sections); at >= 1 && at <= 3 && strings.Repeat(r.sections, at) == string(line) {
		r.section = 3 - at
		if !r.keep && r.section == 0 || !r.keep && r.section >= 0 {
			r.number = r.first
		}
		r.out.WriteByte('\n')
		return
	}
	style := r.styles[r.section]
	numbered := false
	switch style.letter {
	case 'a':
		numbered = true
		if len(line) == 0 && r.blankGroup > 1 {
			r.blanks++
			numbered = r.blanks%r.blankGroup == 0
		} else {
			r.blanks = 0
		}
	case 't':
		numbered = len(line) > 0
	case 'p':
		numbered = style.regex.Match(line)
	}
	if !numbered {
		r.out.Line(strings.Repeat(" ", int(r.width)+len(r.separator)) + string(line))
		return
	}
	r.out.Line(fmt.Sprintf(r.format, int(r.width), r.number) + r.separator + string(line))
	r.number += r.step
}
