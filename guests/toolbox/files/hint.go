package files

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"
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
	if lines := d.loose(old, squeeze); lines != "" {
		return "It differs only in white space from " + lines
	}
	if at := strings.Index(strings.ToLower(text), strings.ToLower(old)); at >= 0 && len(strings.ToLower(text)) == len(text) {
		return fmt.Sprintf("It differs only in upper and lower case from line %d.", 1+strings.Count(text[:at], "\n"))
	}
	if lines := d.loose(old, plainQuotes); lines != "" {
		return "It differs only in quotation marks or dashes from " + lines
	}
	return d.nearest(old)
}

// loose finds lines equal to old's under a simplification, and quotes them.
func (d *document) loose(old string, simplify func(string) string) string {
	var want []string
	for line := range strings.Lines(strings.Trim(old, "\r\n")) {
		want = append(want, simplify(line))
	}
	lines := strings.SplitAfter(string(d.text), "\n")
	if len(want) == 0 || len(lines) > hintLinesMax || strings.Join(want, "") == "" {
		return ""
	}
	simple := make([]string, len(lines))
	for i, line := range lines {
		simple[i] = simplify(line)
	}
	for i := 0; i+len(want) <= len(lines); i++ {
		if holds(simple[i:i+len(want)], want) {
			return fmt.Sprintf("%s:\n%s", lineRange(i+1, i+len(want)), quote(lines[i:i+len(want)], i+1))
		}
	}
	return ""
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

// nearest quotes the line that shares most words with old's most telling line.
func (d *document) nearest(old string) string {
	telling := ""
	for line := range strings.Lines(old) {
		if len(squeeze(line)) > len(telling) {
			telling = squeeze(line)
		}
	}
	words := wordsOf(telling)
	lines := bytes.SplitAfter(d.text, lf)
	best, bestScore := -1, 0.5 // less than half in common would only mislead
	for i, line := range lines[:min(len(lines), hintLinesMax)] {
		if score := overlap(words, line); score > bestScore {
			best, bestScore = i, score
		}
	}
	if best < 0 {
		return "No line resembles it: read the file again."
	}
	from, to := max(best-1, 0), min(best+2, len(lines))
	var near []string
	for _, line := range lines[from:to] {
		near = append(near, string(line))
	}
	return fmt.Sprintf("The nearest is line %d:\n%s", best+1, quote(near, from+1))
}

func wordsOf(line string) map[string]bool {
	words := make(map[string]bool)
	for word := range strings.FieldsFuncSeq(line, notInWord) {
		words[word] = true
	}
	return words
}

func notInWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' }

// overlap is the share of words that two lines have in common (Jaccard).
func overlap(words map[string]bool, line []byte) float64 {
	shared, other := 0, 0
	for word := range bytes.FieldsFuncSeq(line, notInWord) {
		if words[string(word)] {
			shared++
		} else {
			other++
		}
	}
	if shared == 0 {
		return 0
	}
	return float64(min(shared, len(words))) / float64(len(words)+other)
}
