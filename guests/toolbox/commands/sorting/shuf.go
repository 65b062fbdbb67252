package sorting

import (
	"io"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
)

// Shuf is the command shuf.
func Shuf(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "ei:n:o:rz", Usage: "[OPTION]... [FILE]",
		Long: "echo=e input-range=i head-count=n output=o repeat=r zero-terminated=z random-source:",
	})
	if done {
		return status
	}
	lines, status := shufLines(c, opts)
	if status != 0 {
		return status
	}
	limit := len(lines)
	if text, ok := opts.Value("n"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return c.Fail("invalid line count: '%s'", text)
		}
		if limit = min(n, limit); opts.Has("r") {
			limit = n
		}
		if limit > 0 && len(lines) == 0 {
			return c.Fail("no lines to repeat")
		}
	}
	out := c.Out
	if name, ok := opts.Value("o"); ok {
		file, err := c.Create(name)
		if err != nil {
			return c.FailPath(name, err)
		}
		defer file.Close()
		out = kit.NewOutput(file)
	}
	for i := range limit {
		if opts.Has("r") && len(lines) > 0 {
			out.WriteString(lines[kit.RandomBelow(len(lines))] + "\n")
			continue
		}
		other := i + kit.RandomBelow(len(lines)-i)
		lines[i], lines[other] = lines[other], lines[i]
		out.WriteString(lines[i] + "\n")
	}
	out.Flush()
	return 0
}

// shufLines is what shuf shuffles: a range of numbers, its arguments, or the lines of files.
func shufLines(c *kit.Call, opts *kit.Options) ([]string, int) {
	var lines []string
	switch text, ranged := opts.Value("i"); {
	case ranged:
		from, to, _ := strings.Cut(text, "-")
		low, err := strconv.Atoi(from)
		high, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil || low < 0 || high < low-1 || high-low > 10_000_000 {
			return nil, c.Fail("invalid input range: '%s'", text)
		}
		for i := range high - low + 1 {
			lines = append(lines, strconv.Itoa(low+i))
		}
	case opts.Has("e"):
		lines = opts.Operands
	default:
		status := c.Each(opts.Operands, func(_ string, in io.Reader) error {
			more, err := kit.AllLines(in, '\n')
			lines = append(lines, more...)
			return err
		})
		if status != 0 {
			return nil, status
		}
	}
	return lines, 0
}
