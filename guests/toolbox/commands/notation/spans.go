package notation

import (
	"slices"
	"strconv"
	"strings"
)

// Span is a range of positions from 1, both ends included.
type Span struct{ From, To int }

// ParseSpans reads "1,3-5,7-" of a kind of position, b c or f; the text is what is wrong with it.
func ParseSpans(kind, text string) ([]Span, string) {
	one, what := "byte/character", "byte/character position"
	if kind == "f" {
		one, what = "field", "field"
	}
	if strings.Trim(text, ", ") == "" {
		return nil, "invalid " + one + " range"
	}
	var spans []Span
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		from, to, isRange := strings.Cut(part, "-")
		place := Span{1, 1 << 40}
		var err error
		if from != "" {
			place.From, err = strconv.Atoi(from)
		} else if !isRange || to == "" {
			return nil, "invalid range with no endpoint: " + part
		}
		if err == nil && to != "" {
			place.To, err = strconv.Atoi(to)
		} else if !isRange {
			place.To = place.From
		}
		switch {
		case err != nil:
			return nil, "invalid " + what + " value '" + part + "'"
		case place.From < 1 || place.To < 1:
			return nil, what + "s are numbered from 1"
		case place.To < place.From:
			return nil, "invalid decreasing range"
		}
		spans = append(spans, place)
	}
	slices.SortFunc(spans, func(a, b Span) int { return a.From - b.From })
	return spans, ""
}

// InSpans says whether a position lies in one of the ranges.
func InSpans(spans []Span, n int) bool {
	return slices.ContainsFunc(spans, func(s Span) bool { return n >= s.From && n <= s.To })
}
