package numbers

import (
	"math"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
)

// parse reads a number with the suffix that --from allows, and how many decimals it has.
func (j *numfmtJob) parse(text string) (value float64, decimals int, problem string) {
	text = strings.TrimSpace(text)
	digits := strings.TrimLeft(strings.TrimPrefix(text, "-"), "0123456789.")
	number := text[:len(text)-len(digits)]
	if _, after, ok := strings.Cut(number, "."); ok {
		decimals = len(after)
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || strings.HasSuffix(number, ".") {
		return 0, 0, "invalid number: '" + text + "'"
	}
	if digits == "" {
		return value, decimals, ""
	}
	power := strings.IndexByte(scaleLetters, digits[0]) + 1
	if digits[0] == 'k' {
		power = 1
	}
	switch rest := digits[1:]; {
	case power == 0:
		return 0, 0, "invalid suffix in input: '" + text + "'"
	case j.from == "none":
		return 0, 0, "rejecting suffix in input: '" + text + "' (consider using --from)"
	case j.from == "iec-i" && rest != "i":
		return 0, 0, "missing 'i' suffix in input: '" + text + "' (e.g Ki/Mi/Gi)"
	case rest != "" && (rest != "i" || j.from == "si" || j.from == "iec"):
		return 0, 0, "invalid suffix in input '" + text + "': '" + rest + "'"
	case j.from == "si" || j.from == "auto" && rest == "":
		return value * math.Pow(1000, float64(power)), 0, ""
	}
	return value * math.Pow(1024, float64(power)), 0, ""
}

func (j *numfmtJob) rounded(value float64) float64 {
	switch j.round {
	case "up":
		return math.Ceil(value)
	case "down":
		return math.Floor(value)
	case "towards-zero":
		return math.Trunc(value)
	case "nearest":
		return math.Round(value)
	}
	return math.Copysign(math.Ceil(math.Abs(value)), value)
}

// show is the value in the scale of --to, at most one decimal unless a precision was given.
func (j *numfmtJob) show(value float64, decimals int) string {
	if j.precision >= 0 {
		decimals = j.precision
	}
	if j.to == "none" {
		factor := math.Pow10(decimals)
		// The product of a decimal and a power of ten is no decimal: 1e-9 keeps 0.3*10 from becoming 4.
		if scaled := value * factor; math.Abs(scaled-math.Round(scaled)) < 1e-9*max(1, math.Abs(scaled)) {
			value = math.Round(scaled) / factor
		} else {
			value = j.rounded(scaled) / factor
		}
		return j.group(strconv.FormatFloat(value, 'f', decimals, 64))
	}
	base := 1024.0
	if j.to == "si" {
		base = 1000
	}
	power := 0
	for math.Abs(value) >= base && power < len(scaleLetters) {
		value /= base
		power++
	}
	places := 0
	if j.precision >= 0 {
		places = min(power*3, j.precision)
	} else if math.Abs(value) < 10 {
		places = 1
	}
	value = j.rounded(value*math.Pow10(places)) / math.Pow10(places)
	if math.Abs(value) >= base && power < len(scaleLetters) {
		value /= base
		power++
	}
	places = 0
	if j.precision >= 0 {
		places = j.precision
	} else if value != 0 && math.Abs(value) < 10 && power > 0 {
		places = 1
	}
	text := strconv.FormatFloat(value, 'f', places, 64)
	if power > 0 {
		text += scaleLetters[power-1 : power]
		if j.to == "iec-i" {
			text += "i"
		}
	}
	return text
}

// group is where --grouping would put separators: the C locale has none.
func (j *numfmtJob) group(text string) string { return text }

// numberFormat is a --format such as "%'-10.2f": text around a number with a width.
type numberFormat struct {
	given         bool
	before, after string
	width         int
	left, zero    bool
}

func (j *numfmtJob) parseFormat(text string) string {
	f := numberFormat{given: true}
	at := 0
	for ; at < len(text); at++ {
		if text[at] != '%' {
			f.before += text[at : at+1]
		} else if strings.HasPrefix(text[at:], "%%") {
			f.before += "%"
			at++
		} else {
			break
		}
	}
	if at == len(text) {
		return "format '" + text + "' has no % directive"
	}
	rest := text[at+1:]
	for rest != "" && strings.IndexByte("'-0 ", rest[0]) >= 0 {
		f.left, f.zero = f.left || rest[0] == '-', f.zero || rest[0] == '0'
		rest = rest[1:]
	}
	number := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	f.width, _ = strconv.Atoi("0" + number)
	rest = rest[len(number):]
	if strings.HasPrefix(rest, ".") {
		number = rest[1 : len(rest)-len(strings.TrimLeft(rest[1:], "0123456789"))]
		j.precision, _ = strconv.Atoi("0" + number)
		rest = rest[1+len(number):]
	}
	if f.width > kit.PaddingMax || j.precision > 100 {
		return "invalid format '" + text + "' (width overflow)"
	}
	if !strings.HasPrefix(rest, "f") {
		return "invalid format '" + text + "', directive must be %[0]['][-][N][.][N]f"
	}
	f.after = strings.ReplaceAll(rest[1:], "%%", "%")
	if strings.Contains(strings.ReplaceAll(rest[1:], "%%", ""), "%") {
		return "format '" + text + "' has too many % directives"
	}
	j.format = f
	return ""
}

func (f numberFormat) put(text string) string {
	gap := max(0, f.width-len(text))
	switch {
	case f.left:
		text += strings.Repeat(" ", gap)
	case f.zero:
		bare := strings.TrimPrefix(text, "-")
		text = text[:len(text)-len(bare)] + strings.Repeat("0", gap) + bare
	default:
		text = strings.Repeat(" ", gap) + text
	}
	return f.before + text + f.after
}
