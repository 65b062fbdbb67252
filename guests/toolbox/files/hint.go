package files

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// hintLinesMax bounds the search for the nearest line: it is paid only when an edit fails.
const hintLinesMax = 50_000

var numberedLine = regexp.MustCompile(`(?m)^ {0,5}\d+\t`)

// hint helps to correct an `old` that occurs nowhere: what differs, and at which line.
func (d *document) hint(old string) string {
	text := string(d.text)
	if stripped := numberedLine.ReplaceAllString(old, ""); stripped != old && strings.Contains(text, stripped) {
		return "It carries the line numbers that read shows: leave out the number and the tab."
	}
	if at, lines := d.loose(old, squeeze); lines != "" {
		return "It differs only in white space" + d.blanks(old, at) + " from " + lines
	}
	if at := strings.Index(strings.ToLower(text), strings.ToLower(old)); at >= 0 && len(strings.ToLower(text)) == len(text) {
		return fmt.Sprintf("It differs only in upper and lower case from line %d.", 1+strings.Count(text[:at], "\n"))
	}
	if _, lines := d.loose(old, plainQuotes); lines != "" {
		return "It differs only in quotation marks or dashes from " + lines
	}
	return d.nearest(old)
}

// loose finds lines equal to old's under a simplification, and quotes them.
func (d *document) loose(old string, simplify func(string) string) (at int, quoted string) {
	var want []string
	for line := range strings.Lines(strings.Trim(old, "\r\n")) {
		want = append(want, simplify(line))
	}
	lines := strings.SplitAfter(string(d.text), "\n")
	if len(want) == 0 || len(lines) > hintLinesMax || strings.Join(want, "") == "" {
		return 0, ""
	}
	simple := make([]string, len(lines))
	for i, line := range lines {
		simple[i] = simplify(line)
	}
	for i := 0; i+len(want) <= len(lines); i++ {
		if holds(simple[i:i+len(want)], want) {
			return i, fmt.Sprintf("%s:\n%s", lineRange(i+1, i+len(want)), quote(lines[i:i+len(want)], i+1))
		}
	}
	return 0, ""
}

// blanks names the white space in which old's lines differ from those of the text.
func (d *document) blanks(old string, at int) string {
	lines := strings.SplitAfter(string(d.text), "\n")[at:]
	var kinds []string
	for line := range strings.Lines(strings.Trim(old, "\r\n")) {
		if len(lines) == 0 {
			break
		}
		if kind := blank(line, lines[0]); kind != "" && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
		lines = lines[1:]
	}
	if len(kinds) == 0 {
		return ""
	}
	return " (" + strings.Join(kinds, ", ") + ")"
}

// blank names how the white space of a line differs from that of the text's.
func blank(line, have string) string {
	line, have = strings.TrimSuffix(line, "\n"), strings.TrimSuffix(have, "\n")
	switch {
	case line == have, squeeze(line) != squeeze(have): // the same, or only a part of the line
		return ""
	case strings.TrimSuffix(line, "\r") == strings.TrimSuffix(have, "\r"):
		return "line endings"
	case strings.TrimRight(line, " \t\r") == strings.TrimRight(have, " \t\r"):
		return "at the end of the line"
	case strings.TrimSpace(line) != strings.TrimSpace(have):
		return "within the line"
	}
	tabbed, haveTabs := strings.HasPrefix(line, "\t"), strings.HasPrefix(have, "\t")
	switch {
	case haveTabs && !tabbed:
		return "indentation: the file has tabs"
	case tabbed && !haveTabs:
		return "indentation: the file has no tabs"
	}
	return "indentation"
}

// holds says whether the wanted lines begin in the first and end in the last of the lines.
func holds(lines, want []string) bool {
	last := len(want) - 1
	if last == 0 {
		return strings.Contains(lines[0], want[0])
	}
	if !strings.HasSuffix(lines[0], want[0]) || !strings.HasPrefix(lines[last], want[last]) {
		return false
	}
	for i := 1; i < last; i++ {
		if lines[i] != want[i] {
			return false
		}
	}
	return true
}

func squeeze(line string) string { return strings.Join(strings.Fields(line), " ") }

func plainQuotes(line string) string {
	return squeeze(strings.NewReplacer("\u2018", "'", "\u2019", "'", "\u201c", "'", "\u201d", "'", "\u2013", "-", "\u2014", "-",
		"\u00a0", " ", `"`, "'", "`", "'").Replace(line))
}

func lineRange(first, last int) string {
	if first == last {
		return fmt.Sprintf("line %d", first)
	}
	return fmt.Sprintf("lines %d-%d", first, last)
}

// quote shows lines as read does, cut to a few.
func quote(lines []string, first int) string {
	const linesMax, charsMax = 8, 200
	var out strings.Builder
	for i, line := range lines {
		if i == linesMax {
			out.WriteString("   ...\n")
			break
		}
		text, cut := clip([]byte(strings.TrimRight(line, "\r\n")), charsMax)
		out.WriteString(numbered(first+i) + string(text))
		if cut > 0 {
			out.WriteString(" [cut]")
		}
		out.WriteByte('\n')
	}
	return out.String()
}
