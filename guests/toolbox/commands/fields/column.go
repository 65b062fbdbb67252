package fields

import (
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"capbox/toolbox/commands/kit"
)

// columnRun is one run of column.
type columnRun struct {
	c         *kit.Call
	opts      *kit.Options
	rows      [][]string
	separator string
	split     bool
}

// Column is the command column.
func Column(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "ts:o:c:xN:R:LH:dO:l:E:eT:W:Jn:r:i:p:", Usage: "[OPTION]... [FILE]...",
		Long: "table=t separator=s output-separator=o table-columns=N output-width=c fillrows=x table-right=R keep-empty-lines=L " +
			"table-hide=H table-noheadings=d table-order=O table-columns-limit=l table-noextreme=E table-header-repeat=e " +
			"table-truncate=T table-wrap=W json=J table-name=n tree=r tree-id=i tree-parent=p",
	})
	if done {
		return status
	}
	if status, done := c.Refuse(opts, "O", "l", "E", "e", "T", "W", "J", "n", "r", "i", "p"); done {
		return status
	}
	r := &columnRun{c: c, opts: opts}
	r.separator, r.split = opts.Value("s")
	width := 80
	if text, ok := opts.Value("c"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return c.Fail("invalid columns argument: '%s'", text)
		}
		width = min(n, kit.PaddingMax)
	} else if n, err := strconv.Atoi(c.Env()["COLUMNS"]); err == nil && n > 0 {
		width = min(n, kit.PaddingMax)
	}
	status = c.Each(opts.Operands, func(_ string, in io.Reader) error {
		return kit.EachLine(in, func(line []byte) error {
			r.line(string(line))
			return nil
		})
	})
	if opts.Has("t") {
		return r.table() | status
	}
	r.fill(width, opts.Has("x"))
	return status
}

func (r *columnRun) line(line string) {
	switch {
	case strings.TrimSpace(line) == "" && !r.opts.Has("L"):
	case !r.opts.Has("t"):
		r.rows = append(r.rows, []string{line})
	case !r.split:
		r.rows = append(r.rows, strings.Fields(line))
	default:
		var cells []string
		for {
			at := strings.IndexAny(line, r.separator)
			if at < 0 || r.separator == "" {
				break
			}
			_, size := utf8.DecodeRuneInString(line[at:])
			cells, line = append(cells, line[:at]), line[at+size:]
		}
		r.rows = append(r.rows, append(cells, line))
	}
}

// table aligns the cells of each column; every row has as many as the longest.
func (r *columnRun) table() int {
	gap, ok := r.opts.Value("o")
	if !ok {
		gap = "  "
	}
	var names []string
	if text, ok := r.opts.Value("N"); ok {
		if names = strings.Split(text, ","); !r.opts.Has("d") && len(r.rows) > 0 {
			r.rows = append([][]string{names}, r.rows...)
		}
	}
	widths := make([]int, len(names))
	for _, row := range r.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	right, problem := chosen(r.opts, "R", names, len(widths))
	hidden, problem2 := chosen(r.opts, "H", names, len(widths))
	if problem+problem2 != "" {
		return r.c.Fail("undefined column name '%s'", problem+problem2)
	}
	last := len(widths) - 1
	for last >= 0 && hidden[last] {
		last--
	}
	for _, row := range r.rows {
		first := true
		for i, width := range widths {
			if hidden[i] {
				continue
			}
			cell := ""
			if i < len(row) {
				cell = row[i]
			}
			if !first {
				r.c.Out.WriteString(gap)
			}
			first = false
			blanks := strings.Repeat(" ", width-utf8.RuneCountInString(cell))
			switch {
			case right[i]:
				r.c.Out.WriteString(blanks + cell)
			case i == last:
				r.c.Out.WriteString(cell)
			default:
				r.c.Out.WriteString(cell + blanks)
			}
		}
		r.c.Out.WriteByte('\n')
	}
	return 0
}

// chosen are the columns that an option lists by number or name; problem is one that does not exist.
func chosen(opts *kit.Options, key string, names []string, count int) (columns map[int]bool, problem string) {
	columns = map[int]bool{}
	text, ok := opts.Value(key)
	if !ok {
		return columns, ""
	}
	for _, word := range strings.Split(text, ",") {
		n, err := strconv.Atoi(word)
		for i, name := range names {
			if name == word {
				n, err = i+1, nil
			}
		}
		if word == "-" {
			for i := range count {
				columns[i] = true
			}
			continue
		}
		if err != nil || n < 1 || n > count {
			return columns, word
		}
		columns[n-1] = true
	}
	return columns, ""
}

// fill puts the lines into as many columns as fit, parted by tabs: downwards, or row by row.
func (r *columnRun) fill(width int, byRow bool) {
	longest := 0
	for _, row := range r.rows {
		longest = max(longest, utf8.RuneCountInString(row[0]))
	}
	size := (longest + 8) / 8 * 8
	across := max(1, width/size)
	if longest >= width {
		across = 1
	}
	down := (len(r.rows) + across - 1) / across
	for i := range down {
		for column := range across {
			at := i + column*down
			if byRow {
				at = i*across + column
			}
			if at >= len(r.rows) {
				break
			}
			if column > 0 {
				before := at - down
				if byRow {
					before = at - 1
				}
				used := utf8.RuneCountInString(r.rows[before][0])
				r.c.Out.WriteString(strings.Repeat("\t", (size-used+7)/8))
			}
			r.c.Out.WriteString(r.rows[at][0])
		}
		r.c.Out.WriteByte('\n')
	}
}
