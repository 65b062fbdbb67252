package sorting

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"unicode"

	"capbox/toolbox/commands/notation"
)

// prepared is a key ready for comparison: a number, or a text.
type prepared struct {
	number float64
	text   string
}

func prepare(kind sortKind, text string) prepared {
	if kind.blanks || kind.letter != 0 {
		text = text[blanksAt(text):]
	}
	if kind.dictionary {
		text = strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) || r == ' ' || r == '\t' {
				return r
			}
			return -1
		}, text)
	}
	if kind.fold {
		text = strings.ToUpper(text)
	}
	switch kind.letter {
	case 'n':
		return prepared{number: notation.LeadingNumber(text)}
	case 'h':
		return prepared{number: humanNumber(text)}
	case 'g':
		return prepared{number: generalNumber(text)}
	case 'M':
		return prepared{number: monthNumber(text)}
	}
	return prepared{text: text}
}

func comparePrepared(kind sortKind, a, b prepared) int {
	var d int
	switch kind.letter {
	case 'n', 'g', 'h', 'M':
		d = cmp.Compare(a.number, b.number)
	case 'V':
		d = notation.CompareVersions(a.text, b.text)
	default:
		d = strings.Compare(a.text, b.text)
	}
	if kind.reverse {
		return -d
	}
	return d
}

// of cuts the key out of a line as POSIX says.
func (k sortKey) of(line, separator string) string {
	start := fieldStart(line, separator, k.startField)
	if k.kind.blanks {
		start += blanksAt(line[start:])
	}
	start = min(len(line), start+max(0, k.startChar-1))
	if k.endField == 0 {
		return line[start:]
	}
	end := len(line)
	if k.endChar == 0 {
		end = fieldEnd(line, separator, k.endField)
	} else {
		begin := fieldStart(line, separator, k.endField)
		if k.kind.blanks {
			begin += blanksAt(line[begin:])
		}
		end = min(len(line), begin+k.endChar)
	}
	return line[start:max(start, end)]
}

func blank(b byte) bool { return b == ' ' || b == '\t' }

// blanksAt counts the blanks that a text begins with. (strings.TrimLeft builds a set for each call.)
func blanksAt(text string) int {
	n := 0
	for n < len(text) && blank(text[n]) {
		n++
	}
	return n
}

// fieldStart is where field n begins; without a separator a field includes the blanks before it.
func fieldStart(line, separator string, n int) int {
	if n <= 1 {
		return 0
	}
	at := fieldEnd(line, separator, n-1)
	if separator != "" && at < len(line) {
		at += len(separator)
	}
	return at
}

func fieldEnd(line, separator string, n int) int {
	at := 0
	for ; n > 0 && at < len(line); n-- {
		if separator != "" {
			next := strings.Index(line[at:], separator)
			if next < 0 {
				return len(line)
			}
			at += next
			if n > 1 {
				at += len(separator)
			}
			continue
		}
		at += blanksAt(line[at:])
		for at < len(line) && !blank(line[at]) {
			at++
		}
	}
	return at
}

func humanNumber(text string) float64 {
	n, rest := notation.NumberPrefix(text)
	if rest != "" {
		if power := strings.IndexByte("KMGTPEZY", rest[0]); power >= 0 {
			return n * math.Pow(1024, float64(power+1))
		}
		if rest[0] == 'k' {
			return n * 1024
		}
	}
	return n
}

func generalNumber(text string) float64 {
	for end := len(text); end > 0; end-- {
		if n, err := strconv.ParseFloat(text[:end], 64); err == nil {
			return n
		}
	}
	return math.Inf(-1)
}

var months = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}

func monthNumber(text string) float64 {
	for i, month := range months {
		if len(text) >= 3 && strings.EqualFold(text[:3], month) {
			return float64(i + 1)
		}
	}
	return 0
}
