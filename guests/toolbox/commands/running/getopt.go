package running

import (
	"strings"

	"capbox/toolbox/commands/kit"
)

// Getopt is util-linux's: it parses the arguments of a script and prints them in order, quoted for eval.
func Getopt(c *kit.Call) int {
	// Without options of its own it is the traditional one: the first word is the option string, nothing is quoted.
	if len(c.Args) > 0 && !strings.HasPrefix(c.Args[0], "-") {
		return getoptRun(c, "", &kit.Options{Operands: c.Args}, false)
	}
	opts, status, done := c.Parse(kit.Spec{
		Short: "ao:l:n:qQs:Tu", Ordered: true, Status: 2, Usage: "-o OPTSTRING [-l LONGOPTS] [OPTION]... -- PARAMETER...",
		Long: "alternative=a options=o longoptions=l name=n quiet=q quiet-output=Q shell=s test=T unquoted=u",
	})
	if done {
		return status
	}
	if opts.Has("T") {
		return 4
	}
	if opts.Has("a") {
		return c.Unsupported("-a: long options with one dash")
	}
	if shell, ok := opts.Value("s"); ok && shell != "sh" && shell != "bash" {
		return c.Unsupported("-s " + shell + ": only sh and bash")
	}
	return getoptRun(c, "", opts, !opts.Has("u"))
}

func getoptRun(c *kit.Call, _ string, opts *kit.Options, quoted bool) int {
	short, given := opts.Value("o")
	words := opts.Operands
	if !given && !opts.Has("l") {
		if len(words) == 0 {
			return c.Usage(2, "missing optstring argument")
		}
		short, words = words[0], words[1:]
		if len(words) > 0 && words[0] == "--" {
			words = words[1:]
		}
	}
	inPlace, stops := strings.HasPrefix(short, "-"), strings.HasPrefix(short, "+")
	if _, set := c.Env()["POSIXLY_CORRECT"]; set {
		stops = true
	}
	spec := kit.Spec{Short: strings.TrimLeft(short, "+-"), Ordered: stops}
	for _, one := range opts.List {
		if one.Key == "l" {
			spec.Long += " " + strings.Join(strings.FieldsFunc(one.Value, func(r rune) bool { return r == ',' || r == ' ' }), " ")
		}
	}
	name, ok := opts.Value("n")
	if !ok {
		name = "getopt"
	}
	parsed, problems := kit.ScanOptions(spec, words, inPlace)
	if !opts.Has("q") {
		for _, problem := range problems {
			c.Err().Write([]byte(name + ": " + problem + "\n"))
		}
	}
	if !opts.Has("Q") {
		c.Out.Line(optionLine(spec, parsed, quoted))
	}
	if len(problems) > 0 {
		return 1
	}
	return 0
}

// optionLine is the parameters in the order and quoting that `eval set --` takes.
func optionLine(spec kit.Spec, parsed *kit.Options, quoted bool) string {
	quote := func(text string) string {
		if !quoted {
			return text
		}
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	var out strings.Builder
	for _, one := range parsed.List {
		if one.Key == kit.OperandKey {
			out.WriteString(" " + quote(one.Value))
			continue
		}
		takes := false
		if len(one.Key) == 1 && strings.Contains(spec.Short, one.Key) {
			takes = strings.HasPrefix(spec.Short[strings.Index(spec.Short, one.Key)+1:], ":")
			out.WriteString(" -" + one.Key)
		} else {
			_, takes, _, _ = spec.Find(one.Key)
			out.WriteString(" --" + one.Key)
		}
		if takes {
			out.WriteString(" " + quote(one.Value))
		}
	}
	out.WriteString(" --")
	for _, operand := range parsed.Operands {
		out.WriteString(" " + quote(operand))
	}
	return out.String()
}
