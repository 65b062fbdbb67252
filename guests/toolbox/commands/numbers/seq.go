package numbers

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
)

// seqJob is one run of seq.
type seqJob struct {
	first, step, last float64
	digits            int
	format, separator string
	equal             bool
}

// Seq is the command seq.
func Seq(c *kit.Call) int {
	j := &seqJob{first: 1, step: 1, separator: "\n"}
	args, problem := j.options(c.Args)
	if problem == "" {
		problem = j.numbers(args)
	}
	if problem != "" {
		return c.Usage(1, "%s", problem)
	}
	const whole = 1e15
	if j.format == "" && j.digits == 0 && !j.equal && math.Abs(j.first) < whole && math.Abs(j.step) < whole && math.Abs(j.last) < whole {
		return seqWhole(c, int64(j.first), int64(j.step), int64(math.Floor(j.last)), j.separator)
	}
	return seqFloat(c, j)
}

// options reads flags up to the first number; -5 is a number.
func (j *seqJob) options(args []string) ([]string, string) {
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && !strings.ContainsAny(args[0][1:2], "0123456789.") {
		flag := args[0]
		args = args[1:]
		switch {
		case flag == "-w" || flag == "--equal-width":
			j.equal = true
		case flag == "-s" && len(args) > 0:
			j.separator, args = unescapeSeparator(args[0]), args[1:]
		case flag == "-f" && len(args) > 0:
			j.format, args = args[0], args[1:]
		case strings.HasPrefix(flag, "--separator="):
			j.separator = unescapeSeparator(flag[len("--separator="):])
		case strings.HasPrefix(flag, "--format="):
			j.format = flag[len("--format="):]
		case strings.HasPrefix(flag, "-s"):
			j.separator = unescapeSeparator(flag[2:])
		default:
			return nil, "invalid option -- '" + strings.TrimLeft(flag, "-") + "'"
		}
	}
	return args, ""
}

func unescapeSeparator(text string) string {
	return strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(text)
}

// numbers reads LAST, FIRST LAST or FIRST STEP LAST.
func (j *seqJob) numbers(args []string) string {
	switch {
	case len(args) == 0:
		return "missing operand"
	case len(args) > 3:
		return "extra operand '" + args[3] + "'"
	}
	into := map[int][]*float64{1: {&j.last}, 2: {&j.first, &j.last}, 3: {&j.first, &j.step, &j.last}}[len(args)]
	for i, arg := range args {
		n, err := strconv.ParseFloat(arg, 64)
		if err != nil || math.IsNaN(n) {
			return "invalid floating point argument: '" + arg + "'"
		}
		*into[i] = n
		if _, after, ok := strings.Cut(arg, "."); ok && (i < len(args)-1 || len(args) == 1) {
			j.digits = max(j.digits, len(after))
		}
	}
	if j.step == 0 {
		return "invalid Zero increment value: '" + args[1] + "'"
	}
	return ""
}

func (j *seqJob) show(n float64) string {
	if j.format != "" {
		return fmt.Sprintf(j.format, n)
	}
	return strconv.FormatFloat(n, 'f', j.digits, 64)
}

func seqFloat(c *kit.Call, j *seqJob) int {
	width := 0
	if j.equal {
		width = max(len(j.show(j.first)), len(j.show(j.first+math.Floor((j.last-j.first)/j.step)*j.step)))
	}
	slack := math.Abs(j.step) * 1e-10
	for i := 0.0; ; i++ {
		n := j.first + i*j.step
		if j.step > 0 && n > j.last+slack || j.step < 0 && n < j.last-slack || c.Context.Err() != nil {
			if i > 0 {
				c.Out.WriteByte('\n')
			}
			return 0
		}
		if i > 0 {
			c.Out.WriteString(j.separator)
		}
		text := j.show(n)
		if pad := width - len(text); pad > 0 {
			bare := strings.TrimPrefix(text, "-")
			text = text[:len(text)-len(bare)] + strings.Repeat("0", pad) + bare
		}
		c.Out.WriteString(text)
	}
}

// seqWhole counts in whole numbers.
func seqWhole(c *kit.Call, n, step, last int64, separator string) int {
	text := make([]byte, 0, 4<<10)
	first := true
	for ; step > 0 && n <= last || step < 0 && n >= last; n += step {
		if !first {
			text = append(text, separator...)
		}
		first = false
		text = strconv.AppendInt(text, n, 10)
		if len(text) > cap(text)-64 {
			if c.Context.Err() != nil {
				break
			}
			c.Out.Write(text)
			text = text[:0]
		}
	}
	c.Out.Write(text)
	if !first {
		c.Out.WriteByte('\n')
	}
	return 0
}
