package interp

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// bad reports a word that is no number.
func (f *formatter) bad(word string) {
	f.r.complain("printf: %s: invalid number", word)
	f.code = 1
}

func (f *formatter) integer(verb byte, one spec) {
	word := f.word()
	n, unsigned := f.number(word)
	var digits, sign string
	magnitude := uint64(n)
	if verb == 'd' || verb == 'i' {
		switch {
		case unsigned > 0:
			magnitude = 1<<63 - 1
		case n < 0:
			sign, magnitude = "-", uint64(-n)
		}
		if sign == "" && strings.Contains(one.flags, "+") {
			sign = "+"
		} else if sign == "" && strings.Contains(one.flags, " ") {
			sign = " "
		}
	} else if unsigned > 0 {
		magnitude = unsigned
	}
	switch verb {
	case 'o':
		digits = strconv.FormatUint(magnitude, 8)
		if strings.Contains(one.flags, "#") && digits != "0" {
			digits = "0" + digits
		}
	case 'x', 'X':
		digits = strconv.FormatUint(magnitude, 16)
		if strings.Contains(one.flags, "#") && magnitude != 0 {
			sign = "0x"
		}
	default:
		digits = strconv.FormatUint(magnitude, 10)
	}
	digits = strings.Repeat("0", max(one.precision-len(digits), 0)) + digits
	if strings.Contains(one.flags, "0") && !strings.Contains(one.flags, "-") && one.precision < 0 {
		digits = strings.Repeat("0", max(one.width-len(digits)-len(sign), 0)) + digits
	}
	if text := sign + digits; verb == 'X' {
		f.pad(strings.ToUpper(text), one)
	} else {
		f.pad(text, one)
	}
}

// number reads an integer as C does; unsigned is set if it fits only without a sign.
func (f *formatter) number(word string) (n int64, unsigned uint64) {
	trimmed := strings.TrimLeft(word, " \t\n")
	if trimmed == "" {
		if word != "" {
			f.bad(word)
		}
		return 0, 0
	}
	if trimmed[0] == '\'' || trimmed[0] == '"' {
		c, size := utf8.DecodeRuneInString(trimmed[1:])
		if c == utf8.RuneError && size == 1 {
			return int64(trimmed[1]), 0
		}
		if size == 0 {
			c = 0
		}
		return int64(c), 0
	}
	end := integerEnd(trimmed)
	n, err := strconv.ParseInt(octal(trimmed[:end]), 0, 64)
	switch {
	case end == 0 || end < len(trimmed):
		f.bad(word)
	case errors.Is(err, strconv.ErrRange):
		if trimmed[0] != '-' {
			if large, err := strconv.ParseUint(octal(strings.TrimPrefix(trimmed, "+")), 0, 64); err == nil {
				return n, large
			}
			unsigned = 1<<64 - 1
		}
		f.r.complain("printf: warning: %s: Numerical result out of range", word)
	}
	return n, unsigned
}

// octal keeps Go from reading 0b1, 0o7 and 1_000.
func octal(text string) string {
	if len(text) > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '7' {
		return "0o" + text[1:]
	}
	return text
}

// integerEnd is where the C integer at the start of the text ends.
func integerEnd(text string) int {
	i := 0
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		i++
	}
	digits := "0123456789"
	if len(text) > i+2 && text[i] == '0' && text[i+1]|0x20 == 'x' && strings.IndexByte("0123456789abcdefABCDEF", text[i+2]) >= 0 {
		digits = "0123456789abcdefABCDEF"
		i += 2
	} else if len(text) > i && text[i] == '0' {
		digits = "01234567"
	}
	start := i
	for i < len(text) && strings.IndexByte(digits, text[i]) >= 0 {
		i++
	}
	if i == start {
		return 0
	}
	return i
}

// float formats with 64 bits of precision, as bash does with C's long double.
func (f *formatter) float(verb byte, one spec) {
	word := strings.TrimLeft(f.word(), " \t\n")
	value := new(big.Float).SetPrec(64)
	lower := strings.ToLower(strings.TrimLeft(word, "+-"))
	switch {
	case word == "":
	case word[0] == '\'' || word[0] == '"':
		n, _ := f.number(word)
		value.SetInt64(n)
	case lower == "inf" || lower == "infinity" || lower == "nan":
		text := lower[:3]
		if word[0] == '-' {
			text = "-" + text
		}
		f.pad(text, one)
		return
	default:
		end := len(word)
		for ; end > 0; end-- {
			if _, _, err := value.Parse(strings.ReplaceAll(word[:end], "_", "?"), 0); err == nil {
				break
			}
		}
		if end < len(word) {
			f.bad(word)
		}
		if end == 0 {
			value.SetInt64(0)
		}
	}
	if verb == 'a' || verb == 'A' {
		verb = verb - 'a' + 'x'
	}
	if one.precision < 0 && verb != 'x' && verb != 'X' {
		one.precision = 6
	}
	flags := strings.ReplaceAll(one.flags, "'", "")
	directive := "%" + flags
	if one.width > 0 {
		directive += strconv.Itoa(one.width)
	}
	if one.precision >= 0 {
		directive += "." + strconv.Itoa(one.precision)
	}
	fmt.Fprintf(&f.out, directive+string(verb), value)
}
