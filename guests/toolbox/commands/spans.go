package commands

import (
	"slices"
	"strconv"
	"strings"
)

// span is a range of positions from 1, both ends included.
type span struct{ from, to int }

// parseSpans reads "1,3-5,7-" of a kind of position, b c or f; the text is what is wrong with it.
func parseSpans(kind, text string) ([]span, string) {
	one, what := "byte/character", "byte/character position"
	if kind == "f" {
		one, what = "field", "field"
	}
	if strings.Trim(text, ", ") == "" {
		return nil, "invalid " + one + " range"
	}
	var spans []span
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		from, to, isRange := strings.Cut(part, "-")
		place := span{1, 1 << 40}
		var err error
		if from != "" {
			place.from, err = strconv.Atoi(from)
		} else if !isRange || to == "" {
			return nil, "invalid range with no endpoint: " + part
		}
		if err == nil && to != "" {
			place.to, err = strconv.Atoi(to)
		} else if !isRange {
			place.to = place.from
		}
		switch {
		case err != nil:
			return nil, "invalid " + what + " value '" + part + "'"
		case place.from < 1 || place.to < 1:
			return nil, what + "s are numbered from 1"
		case place.to < place.from:
			return nil, "invalid decreasing range"
		}
		spans = append(spans, place)
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	return spans, ""
}

// inSpans says whether a position lies in one of the ranges.
func inSpans(spans []span, n int) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return n >= s.from && n <= s.to })
}
