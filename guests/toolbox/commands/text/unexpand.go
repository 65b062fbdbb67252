package text

import (
	"io"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
)

// tabStops are columns, in rising order; `every` is the distance of those that follow, 0 if none do.
type tabStops struct {
	list  []int
	every int
}

// parseTabStops reads the value of -t: one distance, or a list of columns; a last /N or +N repeats.
func parseTabStops(text string) (tabStops, string) {
	var stops tabStops
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	for i, word := range words {
		bare := strings.TrimLeft(word, "/+")
		n, err := strconv.Atoi(bare)
		switch {
		case err != nil && strings.Trim(bare, "0123456789") == "" && bare != "" || n > kit.PaddingMax:
			return stops, "tab stop is too large '" + bare + "'"
		case err != nil:
			return stops, "tab size contains invalid character(s): '" + word + "'"
		case n == 0:
			return stops, "tab size cannot be 0"
		case bare != word && i < len(words)-1:
			return stops, "'" + word[:1] + "' specifier only allowed with the last value"
		case bare != word:
			stops.every = n
		case len(stops.list) > 0 && n <= stops.list[len(stops.list)-1]:
			return stops, "tab sizes must be ascending"
		default:
			stops.list = append(stops.list, n)
		}
	}
	if len(words) == 1 && stops.every == 0 {
		stops = tabStops{every: stops.list[0]}
	}
	if len(words) == 0 {
		stops.every = 8
	}
	return stops, ""
}

// after is the first stop beyond the column; false if there is none.
func (s tabStops) after(column int) (int, bool) {
	for _, stop := range s.list {
		if stop > column {
			return stop, true
		}
	}
	if s.every == 0 {
		return 0, false
	}
	return column - column%s.every + s.every, true
}

// Unexpand is the command unexpand.
func Unexpand(c *kit.Call) int {
	for i, arg := range c.Args { // -4 is -t 4
		if len(arg) > 1 && arg[0] == '-' && strings.Trim(arg[1:], "0123456789,") == "" {
			c.Args[i] = "-t" + arg[1:]
		}
	}
	opts, status, done := c.Parse(kit.Spec{Short: "at:", Long: "all=a first-only tabs=t", Usage: "[OPTION]... [FILE]..."})
	if done {
		return status
	}
	text := "8"
	if value, ok := opts.Value("t"); ok {
		text = value
	}
	stops, problem := parseTabStops(text)
	if problem != "" {
		return c.Fail("%s", problem)
	}
	all := opts.Has("a", "t") && !opts.Has("first-only")
	return c.Each(opts.Operands, func(_ string, in io.Reader) error {
		lines := kit.NewLines(in, '\n')
		for {
			line, ok := lines.Next()
			if !ok {
				return lines.Failed
			}
			c.Out.WriteString(unexpanded(string(line), stops, all))
			if lines.Ended {
				c.Out.WriteByte('\n')
			}
		}
	})
}

// unexpanded turns runs of blanks that reach a tab stop into tabs: at the start of the line, or everywhere.
func unexpanded(line string, stops tabStops, all bool) string {
	var out strings.Builder
	column, start, blanks := 0, 0, 0 // blanks since `start`, not yet written
	flush := func() {
		out.WriteString(strings.Repeat(" ", blanks))
		blanks = 0
	}
	for i := 0; i < len(line); i++ {
		stop, more := stops.after(column)
		switch b := line[i]; {
		case b != ' ' && b != '\t' && !all, !more:
			flush()
			return out.String() + line[i:]
		case b == '\t':
			out.WriteByte('\t')
			column, blanks = stop, 0
		case b == ' ':
			if blanks == 0 {
				start = column
			}
			blanks++
			column++
			// A single blank before a stop stays a blank, unless a tab or blanks go on after it.
			if column == stop && (column-start > 1 || i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '\t')) {
				out.WriteByte('\t')
				blanks = 0
			}
		case b == '\b':
			flush()
			out.WriteByte(b)
			column = max(0, column-1)
		default:
			flush()
			out.WriteByte(b)
			column++
		}
	}
	flush()
	return out.String()
}
