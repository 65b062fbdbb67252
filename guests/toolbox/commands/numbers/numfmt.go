package numbers

import (
	"io"
	"math"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
)

// scaleLetters are the powers of numfmt's suffixes.
const scaleLetters = "KMGTPEZYRQ"

// numfmtJob is one run of numfmt.
type numfmtJob struct {
	c                  *kit.Call
	from, to           string
	fromUnit, toUnit   float64
	round, invalid     string
	suffix, delimiter  string
	padding, precision int // precision -1 is the usual
	format             numberFormat
	fields             []notation.Span
	header, status     int
}

// Numfmt is the command numfmt.
func Numfmt(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "d:z", Usage: "[OPTION]... [NUMBER]...",
		Long: "debug delimiter=d field: format: from: from-unit: grouping header:: invalid: padding: round: suffix: to: to-unit: " +
			"zero-terminated=z",
	})
	if done {
		return status
	}
	j := &numfmtJob{c: c, from: "none", to: "none", fromUnit: 1, toUnit: 1, round: "from-zero", invalid: "abort", precision: -1}
	if problem := j.options(opts); problem != "" {
		return c.Fail("%s", problem)
	}
	end := "\n"
	if opts.Has("z") {
		end = "\x00"
	}
	if len(opts.Operands) > 0 {
		for _, line := range opts.Operands {
			if !j.line(line, end) {
				return 2
			}
		}
		return j.status
	}
	status = c.Each(nil, func(_ string, in io.Reader) error {
		lines := kit.NewLines(in, end[0])
		for {
			line, ok := lines.Next()
			if !ok {
				return lines.Failed
			}
			if j.header > 0 {
				j.header--
				c.Out.WriteString(string(line) + end)
				continue
			}
			if !j.line(string(line), end) {
				j.status = 2
				return kit.ErrStop
			}
		}
	})
	return max(status, j.status)
}

// options reads the flags; the text is what is wrong with them.
func (j *numfmtJob) options(opts *kit.Options) string {
	choices := map[string][]string{
		"from": {"none", "auto", "si", "iec", "iec-i"}, "to": {"none", "si", "iec", "iec-i"},
		"round":   {"up", "down", "from-zero", "towards-zero", "nearest"},
		"invalid": {"abort", "fail", "warn", "ignore"},
	}
	into := map[string]*string{"from": &j.from, "to": &j.to, "round": &j.round, "invalid": &j.invalid}
	for key, words := range choices {
		if text, ok := opts.Value(key); ok {
			var found []string
			for _, word := range words {
				if strings.HasPrefix(word, text) && text != "" {
					found = append(found, word)
				}
			}
			if len(found) == 0 || len(found) > 1 && found[0] != text && found[1] != text {
				return "invalid argument '" + text + "' for '--" + key + "'"
			}
			*into[key] = found[0]
			if len(found) > 1 && found[1] == text {
				*into[key] = text
			}
		}
	}
	if opts.Has("grouping") && j.to != "none" {
		return "grouping cannot be combined with --to"
	}
	for key, unit := range map[string]*float64{"from-unit": &j.fromUnit, "to-unit": &j.toUnit} {
		if text, ok := opts.Value(key); ok {
			n, good := unitSize(text)
			if !good {
				return "invalid unit size: '" + text + "'"
			}
			*unit = n
		}
	}
	if problem := j.numbers(opts); problem != "" {
		return problem
	}
	j.suffix, _ = opts.Value("suffix")
	j.delimiter, _ = opts.Value("d")
	if text, ok := opts.Value("format"); ok {
		return j.parseFormat(text)
	}
	return ""
}

// numbers reads the flags with widths, lines and fields.
func (j *numfmtJob) numbers(opts *kit.Options) string {
	if text, ok := opts.Value("padding"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n == 0 || max(n, -n) > kit.PaddingMax {
			return "invalid padding value '" + text + "'"
		}
		j.padding = n
	}
	if text, ok := opts.Value("header"); ok {
		j.header = 1
		if n, err := strconv.Atoi(text); err == nil && n > 0 {
			j.header = n
		} else if text != "" {
			return "invalid header value '" + text + "'"
		}
	}
	j.fields = []notation.Span{{From: 1, To: 1}}
	if text, ok := opts.Value("field"); ok {
		spans, problem := notation.ParseSpans("f", text)
		good := problem == ""
		if text == "-" {
			spans, good = []notation.Span{{From: 1, To: math.MaxInt}}, true
		}
		if !good {
			return "invalid field value '" + text + "'"
		}
		j.fields = spans
	}
	return ""
}

func unitSize(text string) (float64, bool) {
	digits := strings.TrimRight(text, "KMGTPEZYRQi")
	n := 1.0
	if digits != "" {
		whole, err := strconv.ParseUint(digits, 10, 64)
		if err != nil || whole == 0 {
			return 0, false
		}
		n = float64(whole)
	}
	switch letters := text[len(digits):]; {
	case letters == "" && digits != "":
		return n, true
	case len(letters) == 1 && letters != "i":
		return n * math.Pow(1000, float64(1+strings.Index(scaleLetters, letters))), true
	case len(letters) == 2 && letters[1] == 'i' && letters[0] != 'i':
		return n * math.Pow(1024, float64(1+strings.IndexByte(scaleLetters, letters[0]))), true
	}
	return 0, false
}

// line converts the chosen fields of one line; false ends numfmt.
func (j *numfmtJob) line(line, end string) bool {
	var out strings.Builder
	for number := 1; ; number++ {
		var field, blanks string
		more := false
		if j.delimiter != "" {
			field, line, more = strings.Cut(line, j.delimiter)
		} else {
			bare := strings.TrimLeft(line, " \t")
			blanks = line[:len(line)-len(bare)]
			at := strings.IndexAny(bare, " \t")
			if more = at >= 0; !more {
				at = len(bare)
			}
			field, line = bare[:at], bare[at:]
		}
		if number > 1 && j.delimiter != "" {
			out.WriteString(j.delimiter)
		} else if number > 1 {
			out.WriteByte(' ')
			blanks = blanks[min(1, len(blanks)):]
		}
		if !notation.InSpans(j.fields, number) {
			out.WriteString(blanks + field)
		} else {
			text, problem := j.convert(blanks, field)
			if problem != "" {
				if j.invalid != "ignore" {
					j.c.Fail("%s", problem)
				}
				if j.invalid == "abort" {
					return false
				}
				if j.invalid == "fail" {
					j.status = 2
				}
				text = blanks + field
			}
			out.WriteString(text)
		}
		if !more {
			break
		}
	}
	j.c.Out.WriteString(out.String() + end)
	return true
}

// convert is the field as --to shows it. Blanks before it are the width of its column.
func (j *numfmtJob) convert(blanks, field string) (string, string) {
	value, decimals, problem := j.parse(strings.TrimSuffix(field, j.suffix))
	if problem != "" {
		return "", problem
	}
	if j.to == "none" && math.Abs(value) >= 1e18*math.Pow10(-decimals) {
		return "", "value/precision too large to be printed: '" + strconv.FormatFloat(value, 'g', 6, 64) + "/" + strconv.Itoa(decimals) +
			"' (consider using --to)"
	}
	text := j.show(value*j.fromUnit/j.toUnit, decimals) + j.suffix
	width := j.padding
	if width == 0 && blanks != "" && j.delimiter == "" {
		width = len(blanks) + len(field)
	}
	if j.format.given {
		return j.format.put(text), ""
	}
	if width < 0 {
		return text + strings.Repeat(" ", max(0, -width-len(text))), ""
	}
	return strings.Repeat(" ", max(0, width-len(text))) + text, ""
}
