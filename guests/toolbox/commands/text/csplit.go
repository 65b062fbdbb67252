package text

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/pattern"
)

// csplitJob is one run of csplit.
type csplitJob struct {
	c              *kit.Call
	opts           *kit.Options
	prefix, suffix string
	digits         int
	lines          []string // with their ends
	at             int      // the first line not yet in a piece
	written        []string
}

// piecesMax bounds how many files one run makes.
const piecesMax = 100_000

// Csplit is the command csplit.
func Csplit(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "b:f:kn:qsz", Usage: "[OPTION]... FILE PATTERN...",
		Long: "suffix-format=b prefix=f keep-files=k digits=n quiet=q silent=q elide-empty-files=z suppress-matched",
	})
	if done {
		return status
	}
	if len(opts.Operands) < 2 {
		if len(opts.Operands) == 1 {
			return c.Usage(1, "missing operand after '%s'", opts.Operands[0])
		}
		return c.Usage(1, "missing operand")
	}
	j := &csplitJob{c: c, opts: opts, prefix: "xx", digits: 2}
	if text, ok := opts.Value("f"); ok {
		j.prefix = text
	}
	n, ok := opts.Width("n", 2)
	if !ok || n > 60 {
		return c.Fail("invalid number: '%s'", strings.Join(c.Args, " "))
	}
	j.digits = n
	if text, ok := opts.Value("b"); ok {
		if !oneNumber(text) {
			return c.Fail("invalid conversion specifier in suffix: %s", text)
		}
		j.suffix = strings.Replace(text, "%i", "%d", 1)
		j.suffix = strings.Replace(j.suffix, "u", "d", 1)
	}
	status = c.Each(opts.Operands[:1], func(_ string, in io.Reader) error {
		raw, err := io.ReadAll(in)
		j.lines = strings.SplitAfter(string(raw), "\n")
		if j.lines[len(j.lines)-1] == "" {
			j.lines = j.lines[:len(j.lines)-1]
		}
		return err
	})
	if status != 0 {
		return status
	}
	problem := j.run(opts.Operands[1:])
	if problem == "" {
		problem = j.piece(len(j.lines), false)
	}
	if problem != "" {
		c.Fail("%s", problem)
		if !opts.Has("k") {
			for _, name := range j.written {
				_ = os.Remove(c.Path(name))
			}
		}
		return 1
	}
	return 0
}

// oneNumber says whether a suffix format has exactly one integer directive.
func oneNumber(text string) bool {
	bare := strings.ReplaceAll(text, "%%", "")
	at := strings.IndexByte(bare, '%')
	if at < 0 || strings.Count(bare, "%") > 1 {
		return false
	}
	flags := bare[at+1:]
	rest := strings.TrimLeft(flags, "-0123456789.#+' ")
	return len(flags)-len(rest) < 4 && rest != "" && strings.IndexByte("diuxXo", rest[0]) >= 0
}

// run goes through the patterns; the text is what went wrong.
func (j *csplitJob) run(patterns []string) string {
	for i := 0; i < len(patterns); i++ {
		text, times, forever := patterns[i], 0, false
		if i+1 < len(patterns) && strings.HasPrefix(patterns[i+1], "{") {
			count := strings.TrimSuffix(patterns[i+1][1:], "}")
			n, err := strconv.Atoi(count)
			if forever = count == "*"; !forever && (err != nil || n < 0) {
				return patterns[i+1] + ": integer required between '{' and '}'"
			}
			times = n
			i++
		}
		for round := 0; forever || round <= times; round++ {
			problem, ended := j.one(text, round, forever)
			if forever && ended {
				return ""
			}
			if problem != "" && round > 0 {
				return problem + " on repetition " + strconv.Itoa(round)
			}
			if problem != "" {
				return problem
			}
		}
	}
	return ""
}

// one applies a pattern once; ended says that it finds nothing more.
func (j *csplitJob) one(text string, round int, forever bool) (problem string, ended bool) {
	if text == "" || text[0] != '/' && text[0] != '%' {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return text + ": invalid pattern", false
		}
		end := n*(round+1) - 1
		if n > 1<<40 || end > len(j.lines) || end < j.at {
			if end < j.at && n <= 1<<40 {
				return "line number '" + text + "' is smaller than preceding line number, " + strconv.Itoa(j.at+1), false
			}
			j.rest(false)
			return "'" + text + "': line number out of range", true
		}
		return j.piece(end, false), false
	}
	close := strings.LastIndexByte(text[1:], text[0]) + 1
	if close == 0 {
		return text + ": closing delimiter '" + text[:1] + "' missing", false
	}
	offset := 0
	if after := text[close+1:]; after != "" {
		n, err := strconv.Atoi(after)
		if err != nil {
			return text + ": integer expected after delimiter", false
		}
		offset = n
	}
	regex, err := pattern.Compile(text[1:close], pattern.Basic, pattern.Options{})
	if err != nil {
		return text + ": invalid regular expression: " + err.Error(), false
	}
	from := j.at
	if round > 0 || len(j.written) > 0 || j.at > 0 {
		from++ // the line that the last match stands on is not looked at again
	}
	for at := from; at < len(j.lines); at++ {
		if !regex.Match([]byte(strings.TrimSuffix(j.lines[at], "\n"))) {
			continue
		}
		end := at + offset
		if end < j.at || end > len(j.lines) {
			return "'" + text + "': line number out of range", false
		}
		return j.piece(end, text[0] == '%'), false
	}
	if text[0] == '/' {
		j.rest(forever)
	}
	return "'" + text + "': match not found", true
}

// rest writes what is left, before a pattern that finds nothing is told; without -k it is removed again.
func (j *csplitJob) rest(drop bool) {
	if !drop {
		j.piece(len(j.lines), false)
	}
}

// piece writes the lines up to `end` as the next file, or drops them.
func (j *csplitJob) piece(end int, drop bool) string {
	lines := j.lines[min(j.at, end):end]
	j.at = end
	if drop || len(lines) == 0 && j.opts.Has("z") {
		return ""
	}
	if j.opts.Has("suppress-matched") && j.at < len(j.lines) {
		j.at++
	}
	if len(j.written) >= piecesMax {
		return "too many pieces"
	}
	name := j.prefix + fmt.Sprintf("%0*d", j.digits, len(j.written))
	if j.suffix != "" {
		name = j.prefix + fmt.Sprintf(j.suffix, len(j.written))
	}
	file, err := j.c.Create(name)
	if err == nil {
		_, err = io.WriteString(file, strings.Join(lines, ""))
		if closed := file.Close(); err == nil {
			err = closed
		}
	}
	if err != nil {
		return name + ": " + kit.Reason(err)
	}
	j.written = append(j.written, name)
	if !j.opts.Has("q", "s") {
		j.c.Out.Line(strconv.Itoa(len(strings.Join(lines, ""))))
	}
	return ""
}
