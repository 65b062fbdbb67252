package fields

import (
	"fmt"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
)

// joiner holds the rules of one join.
type joiner struct {
	c         *kit.Call
	separator string
	fields    [2]int // compared field of each file, from 0
	format    []outField
	empty     string
	fold      bool
	auto      bool // -o auto: as many columns as the first lines have
	widths    [2]int
	end       byte
	order     *orderCheck
	names     []string
	counts    [2]int
	last      [2][]string
	stop      bool
}

// outField is one column of -o: file 0 or 1 and field from 0; file -1 is the compared field.
type outField struct{ file, field int }

// Join is the command join.
func Join(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "1:2:a:e:ij:o:t:v:z", Usage: "[OPTION]... FILE1 FILE2", Long: "ignore-case=i header check-order nocheck-order zero-terminated=z",
	})
	if done {
		return status
	}
	j := &joiner{c: c, fold: opts.Has("i")}
	j.separator, _ = opts.Value("t")
	j.empty, _ = opts.Value("e")
	for i, key := range []string{"1", "2"} {
		if text, ok := opts.Value(key, "j"); ok {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				return c.Fail("invalid field number: '%s'", text)
			}
			j.fields[i] = n - 1
		}
	}
	if text, ok := opts.Value("o"); ok && text != "auto" && !j.parseFormat(text) {
		return c.Fail("invalid field specifier: '%s'", text)
	}
	first, second, status := pair(c, opts.Operands)
	if status != 0 {
		return status
	}
	j.end = lineEnd(opts, first, second)
	j.order = &orderCheck{c: c, lenient: !opts.Has("check-order"), silent: opts.Has("nocheck-order")}
	j.names = opts.Operands
	alone := [2]bool{}
	for _, one := range opts.List {
		if (one.Key == "a" || one.Key == "v") && (one.Value == "1" || one.Value == "2") {
			alone[one.Value[0]-'1'] = true
		}
	}
	text, _ := opts.Value("o")
	if j.auto = text == "auto"; opts.Has("header") {
		j.header(first, second)
	}
	if j.run(first, second, alone, !opts.Has("v")) {
		return 1
	}
	return j.order.status("input is not in sorted order")
}

// header joins the first lines whatever they hold.
func (j *joiner) header(first, second *kit.Lines) {
	if a, b := j.next(first, 0), j.next(second, 1); a != nil || b != nil {
		j.put(a, b)
	}
	j.counts, j.last = [2]int{1, 1}, [2][]string{}
}

func (j *joiner) parseFormat(text string) bool {
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		if part == "0" {
			j.format = append(j.format, outField{-1, 0})
			continue
		}
		file, field, ok := strings.Cut(part, ".")
		n, err := strconv.Atoi(field)
		if !ok || err != nil || n < 1 || file != "1" && file != "2" {
			return false
		}
		j.format = append(j.format, outField{int(file[0] - '1'), n - 1})
	}
	return true
}

func (j *joiner) split(line string) []string {
	if j.separator != "" {
		return strings.Split(line, j.separator)
	}
	return strings.Fields(line)
}

func (j *joiner) key(row []string, file int) string {
	if j.fields[file] >= len(row) {
		return ""
	}
	if j.fold {
		return strings.ToLower(row[j.fields[file]])
	}
	return row[j.fields[file]]
}

// group reads all rows with the same key as the row at hand, and the row after them.
func (j *joiner) group(lines *kit.Lines, row []string, file int) (rows [][]string, next []string) {
	key := j.key(row, file)
	for row != nil && j.key(row, file) == key {
		rows = append(rows, row)
		row = j.next(lines, file)
	}
	return rows, row
}

// next is the next row of a file; one out of order is told.
func (j *joiner) next(lines *kit.Lines, file int) []string {
	line, ok := kit.NextString(lines)
	if !ok {
		return nil
	}
	row := append([]string{}, j.split(line)...)
	if j.counts[file]++; j.counts[file] == 1 && j.auto {
		j.widths[file] = len(row)
	}
	if j.last[file] != nil && j.key(row, file) < j.key(j.last[file], file) {
		j.stop = j.order.disorder(file, fmt.Sprintf("%s:%d: is not sorted: %s", j.names[file], j.counts[file], line)) || j.stop
	}
	j.last[file] = row
	return row
}

// run joins to the end; true says that it stopped at a line out of order.
func (j *joiner) run(first, second *kit.Lines, alone [2]bool, pairs bool) bool {
	a, b := j.next(first, 0), j.next(second, 1)
	for (a != nil || b != nil) && !j.stop {
		order := 0
		switch {
		case a == nil:
			order = 1
		case b == nil:
			order = -1
		default:
			order = strings.Compare(j.key(a, 0), j.key(b, 1))
		}
		j.order.unpaired = j.order.unpaired || order != 0
		var left, right [][]string
		if order <= 0 {
			left, a = j.group(first, a, 0)
		}
		if order >= 0 {
			right, b = j.group(second, b, 1)
		}
		if j.stop {
			break
		}
		for _, x := range left {
			if order < 0 && alone[0] {
				j.put(x, nil)
			}
			for _, y := range right {
				if pairs {
					j.put(x, y)
				}
			}
		}
		for _, y := range right {
			if order > 0 && alone[1] {
				j.put(nil, y)
			}
		}
	}
	return j.stop
}

func (j *joiner) put(a, b []string) {
	var cells []string
	rows := [2][]string{a, b}
	key := ""
	for file, row := range rows {
		if row != nil && j.fields[file] < len(row) && key == "" {
			key = row[j.fields[file]]
		}
	}
	if j.format == nil {
		cells = append(cells, key)
		for file, row := range rows {
			for len(row) < j.widths[file] {
				row = append(row, "")
			}
			if j.auto {
				row = row[:j.widths[file]]
			}
			for i, cell := range row {
				if i != j.fields[file] && cell == "" {
					cell = j.empty
				}
				if i != j.fields[file] {
					cells = append(cells, cell)
				}
			}
		}
	}
	for _, out := range j.format {
		switch {
		case out.file < 0:
			cells = append(cells, key)
		case out.field < len(rows[out.file]) && rows[out.file][out.field] != "":
			cells = append(cells, rows[out.file][out.field])
		default:
			cells = append(cells, j.empty)
		}
	}
	separator := j.separator
	if separator == "" {
		separator = " "
	}
	j.c.Out.WriteString(strings.Join(cells, separator))
	j.c.Out.WriteByte(j.end)
}
