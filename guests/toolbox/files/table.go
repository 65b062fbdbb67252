package files

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"capbox/toolbox/abi"
)

const (
	// tableBytesMin is where a table is worth summing up: a smaller one is shown whole.
	tableBytesMin = 8 << 10
	// tableBytesMax bounds the work of counting rows.
	tableBytesMax    = 64 << 20
	tableRowsShown   = 10
	tableColumnsMax  = 100
	tableRowsGuessed = 1000
)

// column is what is known of one column after some rows.
type column struct {
	name   string
	kinds  map[string]int
	filled int
}

type table struct {
	separator rune
	header    bool
	columns   []column
	rows      int
	ragged    int  // rows with another number of fields
	atLeast   bool // the rows were not counted to the end
}

// isTable says whether a name is that of a table in text.
func isTable(name string) bool {
	ending := strings.ToLower(path.Ext(name))
	return ending == ".csv" || ending == ".tsv" || ending == ".tab"
}

// separatorOf is the one that most often stands in the first line.
func separatorOf(name string, head []byte) rune {
	if ending := strings.ToLower(path.Ext(name)); ending == ".tsv" || ending == ".tab" {
		return '\t'
	}
	line, _, _ := bytes.Cut(head, lf)
	best, most := ',', 0
	for _, candidate := range ",;\t|" {
		if n := bytes.Count(line, []byte(string(candidate))); n > most {
			best, most = candidate, n
		}
	}
	return best
}

// peekTable reads a table once and sums it up; false for what is no table after all.
func peekTable(source io.Reader, separator rune) (*table, bool) {
	limited := &io.LimitedReader{R: source, N: tableBytesMax}
	reader := csv.NewReader(limited)
	reader.Comma, reader.LazyQuotes, reader.FieldsPerRecord, reader.ReuseRecord = separator, true, -1, true
	t := &table{separator: separator}
	var first []string
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, false
		}
		switch {
		case first == nil:
			first = slices.Clone(record)
			first[0] = strings.TrimPrefix(first[0], "\ufeff")
			t.columns = make([]column, min(len(first), tableColumnsMax))
			for i := range t.columns {
				t.columns[i].kinds = make(map[string]int)
			}
			t.header = isHeader(first)
			if t.header {
				continue
			}
		case len(record) != len(first):
			t.ragged++
		}
		if t.rows++; t.rows <= tableRowsGuessed {
			t.guess(record)
		}
	}
	t.atLeast = limited.N <= 0
	if len(first) < 2 || t.rows == 0 {
		return nil, false
	}
	for i := range t.columns {
		t.columns[i].name = fmt.Sprintf("column %d", i+1)
		if t.header {
			t.columns[i].name = firstLine(strings.TrimSpace(first[i]))
		}
	}
	return t, true
}

// isHeader: names are different texts, none of them empty or a number.
func isHeader(first []string) bool {
	seen := make(map[string]bool)
	for _, one := range first {
		if kind := kindOfValue(one); kind != "text" || seen[one] {
			return false
		}
		seen[one] = true
	}
	return true
}

func (t *table) guess(record []string) {
	for i, value := range record[:min(len(record), len(t.columns))] {
		if value = strings.TrimSpace(value); value != "" {
			t.columns[i].filled++
			t.columns[i].kinds[kindOfValue(value)]++
		}
	}
}

var dates = regexp.MustCompile(`^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$`)

func kindOfValue(value string) string {
	value = strings.TrimSpace(value)
	switch strings.ToLower(value) {
	case "":
		return "empty"
	case "true", "false":
		return "boolean"
	}
	if _, err := strconv.ParseInt(value, 10, 64); err == nil {
		return "integer"
	}
	if _, err := strconv.ParseFloat(value, 64); err == nil {
		return "number"
	}
	if dates.MatchString(value) {
		return "date"
	}
	return "text"
}

// kind is what all values of a column are.
func (c *column) kind() string {
	switch {
	case c.filled == 0:
		return "empty"
	case len(c.kinds) == 1:
		for kind := range c.kinds {
			return kind
		}
	case len(c.kinds) == 2 && c.kinds["integer"] > 0 && c.kinds["number"] > 0:
		return "number"
	}
	return "text"
}

// describe is the summary's lines.
func (t *table) describe(shown string) []string {
	least := ""
	if t.atLeast {
		least = "at least "
	}
	names := map[rune]string{',': "commas", ';': "semicolons", '\t': "tabs", '|': "bars"}
	head := fmt.Sprintf("[%s is a table: %s%s, %s, separated by %s", shown, least, counted(t.rows, "row", "rows"),
		counted(len(t.columns), "column", "columns"), names[t.separator])
	if !t.header {
		head += ", without a header"
	}
	if t.ragged > 0 {
		head += "; " + counted(t.ragged, "row has", "rows have") + " another number of fields"
	}
	lines := []string{head + "]"}
	looked := min(t.rows, tableRowsGuessed)
	for _, one := range t.columns {
		line := "  " + visible(one.name) + ": " + one.kind()
		if empty := looked - one.filled; empty > 0 && one.filled > 0 {
			line += fmt.Sprintf(" (%s of the first %s empty)", abi.Grouped(empty), abi.Grouped(looked))
		}
		lines = append(lines, line)
	}
	if len(t.columns) == tableColumnsMax {
		lines = append(lines, "  [further columns are not listed]")
	}
	return lines
}
