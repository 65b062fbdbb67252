package interp

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"capbox/toolbox/seams"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// widthMax bounds a field: a format must not fill the memory.
const widthMax = 1 << 20

// formatter is one run of printf.
type formatter struct {
	r    *Runner
	out  strings.Builder
	args []string
	used bool // whether a directive took a word in this round
	code uint8
	stop bool // \c was met
}

// printf formats its words, again and again until they are used up.
func (r *Runner) printf(args []string) exitStatus {
	target := ""
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		if args[0] == "--" {
			args = args[1:]
			break
		}
		if !strings.HasPrefix(args[0], "-v") {
			r.complain("printf: %s: invalid option", args[0][:2])
			return r.usage("printf: usage: printf [-v var] format [arguments]")
		}
		if target = args[0][2:]; target == "" && len(args) > 1 {
			target = args[1]
			args = args[1:]
		}
		args = args[1:]
		if !r.validTarget(target) {
			return r.failed(2, "printf: `%s': not a valid identifier", target)
		}
	}
	if len(args) == 0 {
		return r.usage("printf: usage: printf [-v var] format [arguments]")
	}
	f := &formatter{r: r, args: args[1:]}
	for {
		f.used = false
		ok := f.round(args[0])
		if !ok || f.stop || len(f.args) == 0 || !f.used {
			break
		}
	}
	if target == "" {
		r.out(f.out.String())
	} else if err := r.assignTo(target, f.out.String()); err != nil {
		return r.failed(1, "printf: %v", err)
	}
	return exitStatus{code: f.code}
}

func (r *Runner) usage(text string) exitStatus {
	r.errf("%s\n", text)
	return exitStatus{code: 2}
}

// round applies the format once; false ends printf.
func (f *formatter) round(format string) bool {
	for format != "" {
		at := strings.IndexByte(format, '%')
		if at < 0 {
			at = len(format)
		}
		plain, _ := expand.Escapes(format[:at], expand.FormatEscapes)
		f.out.WriteString(plain)
		if format = format[at:]; format == "" {
			break
		}
		if strings.HasPrefix(format, "%%") {
			f.out.WriteByte('%')
			format = format[2:]
			continue
		}
		var ok bool
		if format, ok = f.directive(format[1:]); !ok {
			f.code = 1
			return false
		}
		if f.stop {
			break
		}
		if f.out.Len() > 64<<20 {
			f.r.complain("printf: output too large")
			f.code = 1
			return false
		}
	}
	return true
}

// spec is one directive: flags, width and precision (-1: none).
type spec struct {
	flags            string
	width, precision int
}

func (f *formatter) word() string {
	f.used = true
	if len(f.args) == 0 {
		return ""
	}
	word := f.args[0]
	f.args = f.args[1:]
	return word
}

// size reads a width or a precision, which may be `*`.
func (f *formatter) size(format string) (n int, rest string) {
	if strings.HasPrefix(format, "*") {
		n, _ = strconv.Atoi(f.word())
		return max(min(n, widthMax), -widthMax), format[1:]
	}
	for format != "" && format[0] >= '0' && format[0] <= '9' {
		n = min(n*10+int(format[0]-'0'), widthMax)
		format = format[1:]
	}
	return n, format
}

// directive formats one directive; format begins after its `%`.
func (f *formatter) directive(format string) (rest string, ok bool) {
	one := spec{precision: -1}
	for format != "" && strings.IndexByte("-+ #0'", format[0]) >= 0 {
		one.flags += format[:1]
		format = format[1:]
	}
	one.width, format = f.size(format)
	if one.width < 0 {
		one.flags += "-"
		one.width = -one.width
	}
	if strings.HasPrefix(format, ".") {
		one.precision, format = f.size(format[1:])
		one.precision = max(one.precision, -1)
	}
	format = strings.TrimLeft(format, "hlLjzt")
	if format == "" {
		f.r.complain("printf: `%c': missing format character", '%')
		return "", false
	}
	verb := format[0]
	rest = format[1:]
	switch verb {
	case 's', 'b', 'q', 'Q', 'c':
		f.text(verb, one)
	case 'd', 'i', 'u', 'o', 'x', 'X':
		f.integer(verb, one)
	case 'e', 'E', 'f', 'F', 'g', 'G', 'a', 'A':
		f.float(verb, one)
	case 'n':
		f.word()
	case '(':
		layout, after, found := strings.Cut(rest, ")T")
		if !found {
			f.r.complain("printf: `%c': invalid format character", verb)
			return "", false
		}
		f.date(layout, one)
		rest = after
	default:
		f.r.complain("printf: `%c': invalid format character", verb)
		return "", false
	}
	return rest, true
}

// pad writes the text in the field's width, counted in bytes as in C.
func (f *formatter) pad(text string, one spec) {
	fill := max(one.width-len(text), 0)
	if strings.Contains(one.flags, "-") {
		f.out.WriteString(text + strings.Repeat(" ", fill))
		return
	}
	f.out.WriteString(strings.Repeat(" ", fill) + text)
}

func (f *formatter) text(verb byte, one spec) {
	word := f.word()
	switch verb {
	case 'b':
		word, f.stop = expand.Escapes(word, expand.EchoEscapes)
	case 'q':
		word = expand.QuoteWord(word)
	case 'c':
		if word != "" {
			_, size := utf8.DecodeRuneInString(word)
			if size > 1 {
				size = 1
			}
			word = word[:size]
		}
		one.precision = -1
		if word == "" {
			word = "\x00"
		}
	}
	if one.precision >= 0 {
		word = word[:min(one.precision, len(word))]
	}
	if verb == 'Q' {
		word = expand.QuoteWord(word)
	}
	f.pad(word, one)
}

// date formats %(layout)T; the word is seconds since 1970, -1 and nothing are now, -2 is when the shell started.
func (f *formatter) date(layout string, one spec) {
	when := time.Now()
	if len(f.args) > 0 {
		word := f.word()
		if n, _ := f.number(word); n >= 0 && word != "" {
			when = time.Unix(n, 0)
		} else if n == -2 {
			when = f.r.started
		}
	} else {
		f.used = true
	}
	if layout == "" {
		layout = "%X"
	}
	f.pad(seams.FormatDate(layout, when.UTC()), one)
}

// validTarget says whether the word names a variable or an element of an array.
func (r *Runner) validTarget(word string) bool {
	if syntax.ValidName(word) {
		return true
	}
	_, _, ok := cutElemSubscript(word)
	return ok
}

// assignTo sets a variable or an element of an array that is named by a word.
func (r *Runner) assignTo(word, value string) error {
	name, sub, ok := cutElemSubscript(word)
	if !ok {
		name = word
	}
	return expand.AssignElement(r.ecfg, name, sub, ok, value)
}
