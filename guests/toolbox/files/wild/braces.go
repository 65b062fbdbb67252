package wild

import (
	"errors"
	"strings"
)

// expansionsMax bounds what `{a,b}{c,d}...` may become: each factor multiplies.
const expansionsMax = 256

// ErrTooMany is a pattern whose braces stand for more alternatives than is sensible.
var ErrTooMany = errors.New("the braces stand for too many alternatives")

// Expand turns `a{b,c}d` into `abd` and `acd`; groups nest. A group without a comma stays as it is written.
func Expand(pattern string) ([]string, error) {
	open, end, commas, err := group(pattern)
	if err != nil {
		return nil, err
	}
	if open < 0 {
		return []string{pattern}, nil
	}
	tails, err := Expand(pattern[end+1:])
	if err != nil {
		return nil, err
	}
	var out []string
	from := open + 1
	for _, comma := range append(commas, end) {
		middles, err := Expand(pattern[from:comma])
		if err != nil {
			return nil, err
		}
		from = comma + 1
		for _, middle := range middles {
			for _, tail := range tails {
				if len(out) >= expansionsMax {
					return nil, ErrTooMany
				}
				out = append(out, pattern[:open]+middle+tail)
			}
		}
	}
	return out, nil
}

// group finds the first brace group with a comma: its place, its end and the commas of its own level.
func group(pattern string) (open, end int, commas []int, err error) {
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++
		case '[':
			i += classWidth(pattern[i:])
		case '{':
			end, commas, err := closing(pattern, i)
			if err != nil {
				return 0, 0, nil, err
			}
			if len(commas) > 0 {
				return i, end, commas, nil
			}
		}
	}
	return -1, 0, nil, nil
}

func closing(pattern string, open int) (end int, commas []int, err error) {
	depth := 0
	for i := open; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++
		case '[':
			i += classWidth(pattern[i:])
		case '{':
			depth++
		case '}':
			depth--
			if depth == 0 {
				return i, commas, nil
			}
		case ',':
			if depth == 1 {
				commas = append(commas, i)
			}
		}
	}
	return 0, nil, ErrUnclosed
}

// classWidth is how far a `[...]` reaches beyond its first byte; 0 when it is not closed.
func classWidth(pattern string) int {
	_, width, err := class(pattern, false)
	if err != nil || strings.Contains(pattern[:width], "/") {
		return 0
	}
	return width - 1
}
