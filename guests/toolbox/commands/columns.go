package commands

import (
	"io"
	"strings"
)

func paste(c *Call) int {
	opts, status, done := c.Parse(Spec{
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
	if opts.Has("s") {
		return c.Each(names, func(_ string, in io.Reader) error {
			lines, err := allLines(in, '\n')
			for i, line := range lines {
				if i > 0 {
					c.Out.WriteString(delimiters[(i-1)%len(delimiters)])
				}
				c.Out.WriteString(line)
			}
			c.Out.WriteByte('\n')
			return err
		})
	}
	return c.pasteParallel(names, delimiters)
}

func (c *Call) pasteParallel(names, delimiters []string) int {
	readers := make([]*lineReader, len(names))
	for i, name := range names {
		file, err := c.Open(name)
		if err != nil {
			return c.FailPath(name, err)
		}
		defer file.Close()
		if name == "-" {
			readers[i] = newLineReader(c.Input(), '\n') // several - take turns
		} else {
			readers[i] = newLineReader(file, '\n')
		}
	}
	for {
		var row strings.Builder
		any := false
		for i, reader := range readers {
			if i > 0 {
				row.WriteString(delimiters[(i-1)%len(delimiters)])
			}
			if line, ok := reader.next(); ok {
				any = true
				row.Write(line)
			}
		}
		if !any {
			return 0
		}
		c.Out.Line(row.String())
	}
}

// pair opens the two files of comm and join.
func (c *Call) pair(names []string) (a, b *lineReader, status int) {
	if len(names) < 2 {
		return nil, nil, c.Usage(1, "missing operand")
	}
	if len(names) > 2 {
		return nil, nil, c.Usage(1, "extra operand '%s'", names[2])
	}
	var readers [2]*lineReader
	for i, name := range names {
		file, err := c.Open(name)
		if err != nil {
			return nil, nil, c.FailPath(name, err)
		}
		readers[i] = newLineReader(file, '\n')
	}
	return readers[0], readers[1], 0
}

func comm(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "123z", Long: "output-delimiter: check-order nocheck-order", Usage: "[OPTION]... FILE1 FILE2",
	})
	if done {
		return status
	}
	first, second, status := c.pair(opts.Operands)
	if status != 0 {
		return status
	}
	tab := "\t"
	if text, ok := opts.Value("output-delimiter"); ok {
		tab = text
	}
	put := func(column int, line string) {
		if opts.Has(string(rune('0' + column))) {
			return
		}
		for left := 1; left < column; left++ {
			if !opts.Has(string(rune('0' + left))) {
				c.Out.WriteString(tab)
			}
		}
		c.Out.Line(line)
	}
	a, okA := nextString(first)
	b, okB := nextString(second)
	for okA || okB {
		switch {
		case okA && (!okB || a < b):
			put(1, a)
			a, okA = nextString(first)
		case okB && (!okA || b < a):
			put(2, b)
			b, okB = nextString(second)
		default:
			put(3, a)
			a, okA = nextString(first)
			b, okB = nextString(second)
		}
	}
	return 0
}

func nextString(lines *lineReader) (string, bool) {
	line, ok := lines.next()
	return string(line), ok
}
