package fields

import (
	"io"
	"strings"

	"capbox/toolbox/commands/kit"
)

// Paste is the command paste.
func Paste(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "d:sz", Long: "delimiters=d serial=s zero-terminated=z", Usage: "[OPTION]... [FILE]...",
	})
	if done {
		return status
	}
	delimiters := []string{"\t"}
	if text, ok := opts.Value("d"); ok {
		delimiters = nil
		for _, r := range strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\\`, `\`, `\0`, "\x00").Replace(text) {
			delimiters = append(delimiters, strings.Trim(string(r), "\x00"))
		}
		if len(delimiters) == 0 {
			delimiters = []string{""}
		}
	}
	names := opts.Operands
	if len(names) == 0 {
		names = []string{"-"}
	}
	end := byte('\n')
	if opts.Has("z") {
		end = 0
	}
	if opts.Has("s") {
		return c.Each(names, func(_ string, in io.Reader) error {
			lines, err := kit.AllLines(in, end)
			for i, line := range lines {
				if i > 0 {
					c.Out.WriteString(delimiters[(i-1)%len(delimiters)])
				}
				c.Out.WriteString(line)
			}
			c.Out.WriteByte(end)
			return err
		})
	}
	return pasteParallel(c, names, delimiters, end)
}

func pasteParallel(c *kit.Call, names, delimiters []string, end byte) int {
	readers := make([]*kit.Lines, len(names))
	for i, name := range names {
		file, err := c.Open(name)
		if err != nil {
			return c.FailPath(name, err)
		}
		defer file.Close()
		if name == "-" {
			readers[i] = kit.NewLines(c.Input(), end) // several - take turns
		} else {
			readers[i] = kit.NewLines(file, end)
		}
	}
	for {
		var row strings.Builder
		any := false
		for i, reader := range readers {
			if i > 0 {
				row.WriteString(delimiters[(i-1)%len(delimiters)])
			}
			if line, ok := reader.Next(); ok {
				any = true
				row.Write(line)
			}
		}
		if !any {
			return 0
		}
		c.Out.WriteString(row.String())
		c.Out.WriteByte(end)
	}
}

// pair opens the two files of comm and join.
func pair(c *kit.Call, names []string) (a, b *kit.Lines, status int) {
	switch len(names) {
	case 0:
		return nil, nil, c.Usage(1, "missing operand")
	case 1:
		return nil, nil, c.Usage(1, "missing operand after '%s'", names[0])
	}
	if len(names) > 2 {
		return nil, nil, c.Usage(1, "extra operand '%s'", names[2])
	}
	var readers [2]*kit.Lines
	for i, name := range names {
		file, err := c.Open(name)
		if err != nil {
			return nil, nil, c.FailPath(name, err)
		}
		readers[i] = kit.NewLines(file, '\n')
	}
	return readers[0], readers[1], 0
}

// lineEnd is what ends the lines of both inputs: NUL with -z.
func lineEnd(opts *kit.Options, first, second *kit.Lines) byte {
	if opts.Has("z") {
		first.End, second.End = 0, 0
	}
	return first.End
}

// Comm is the command comm.
func Comm(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "123z", Long: "output-delimiter: check-order nocheck-order total zero-terminated=z", Usage: "[OPTION]... FILE1 FILE2",
	})
	if done {
		return status
	}
	first, second, status := pair(c, opts.Operands)
	if status != 0 {
		return status
	}
	end := lineEnd(opts, first, second)
	check := &orderCheck{c: c, lenient: !opts.Has("check-order"), silent: opts.Has("nocheck-order")}
	counts := [4]int{}
	tab, ok := opts.Value("output-delimiter")
	if !ok {
		tab = "\t"
	}
	put := func(column int, line string) {
		counts[column]++
		if opts.Has(string(rune('0' + column))) {
			return
		}
		for left := 1; left < column; left++ {
			if !opts.Has(string(rune('0' + left))) {
				c.Out.WriteString(tab)
			}
		}
		c.Out.WriteString(line)
		c.Out.WriteByte(end)
	}
	a, okA := kit.NextString(first)
	b, okB := kit.NextString(second)
	for okA || okB {
		lastA, lastB := a, b
		stepA, stepB := okA && (!okB || a <= b), okB && (!okA || b <= a)
		check.unpaired = check.unpaired || !stepA || !stepB
		switch {
		case stepA && stepB:
			put(3, a)
		case stepA:
			put(1, a)
		default:
			put(2, b)
		}
		if stepA {
			if a, okA = kit.NextString(first); okA && a < lastA && check.disorder(0, "file 1 is not in sorted order") {
				return 1
			}
		}
		if stepB {
			if b, okB = kit.NextString(second); okB && b < lastB && check.disorder(1, "file 2 is not in sorted order") {
				return 1
			}
		}
	}
	if opts.Has("total") {
		c.Out.Printf("%d%s%d%s%d%stotal%c", counts[1], tab, counts[2], tab, counts[3], tab, end)
	}
	return check.status("input is not in sorted order")
}

// orderCheck is how comm and join take inputs that are not sorted: told once a file; an error at once with
// --check-order, and at the end if lines without a partner make it matter.
type orderCheck struct {
	c                         *kit.Call
	lenient, silent, unpaired bool
	told                      [2]bool
	waiting                   [2]string
}

// disorder notes a line out of order in file 0 or 1; true ends the command.
func (o *orderCheck) disorder(file int, problem string) bool {
	if o.silent || o.told[file] || o.waiting[file] != "" {
		return false
	}
	if o.lenient && !o.unpaired {
		o.waiting[file] = problem
		return false
	}
	o.told[file] = true
	o.c.Fail("%s", problem)
	return !o.lenient
}

func (o *orderCheck) status(summary string) int {
	for file, problem := range o.waiting {
		if problem != "" && o.unpaired {
			o.told[file] = true
			o.c.Fail("%s", problem)
		}
	}
	if o.told[0] || o.told[1] {
		return o.c.Fail("%s", summary)
	}
	return 0
}
