package awk

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/benhoyt/goawk/lexer"

	"capbox/toolbox/commands/notation"
	"capbox/toolbox/commands/pattern"
)

// awkPrefix tells the patched parser that gawk's functions are there; it stands before the program, awkPrelude after.
const awkPrefix = "function capbox_gawk() {} "

// awkPrelude has the functions that take arrays: only AWK itself can. What they compute is done by awkState.
const awkPrelude = `
function capbox_isnum(v) { return v == v + 0 && v < v + 1e-9 * (1 + (v < 0 ? -v : v)) }
function capbox_order(s, how,  k) { capbox_clear(); for (k in s) capbox_put(k, s[k], capbox_isnum(s[k])); return capbox_sort(how) }
function capbox_asort1(s) { return capbox_asort3(s, s, "@val_type_asc") }
function capbox_asort2(s, d) { return capbox_asort3(s, d, "@val_type_asc") }
function capbox_asort3(s, d, how,  n, i, t) {
	n = capbox_order(s, how); for (i = 1; i <= n; i++) t[i] = s[capbox_key(i)]
	split("", d); for (i = 1; i <= n; i++) d[i] = t[i]; return n
}
function capbox_asorti1(s) { return capbox_asorti3(s, s, "@ind_str_asc") }
function capbox_asorti2(s, d) { return capbox_asorti3(s, d, "@ind_str_asc") }
function capbox_asorti3(s, d, how,  n, i) {
	n = capbox_order(s, how); split("", d); for (i = 1; i <= n; i++) d[i] = capbox_key(i); return n
}
function capbox_match3(s, re, m,  n, i) {
	split("", m); if (!match(s, re)) return 0
	n = capbox_groups(s, re)
	for (i = 0; i <= n; i++) if (capbox_start(i)) {
		m[i] = substr(s, capbox_start(i), capbox_length(i)); m[i, "start"] = capbox_start(i); m[i, "length"] = capbox_length(i)
	}
	return RSTART
}
`

// gawkWords are what a program needs the prelude for.
var gawkWords = regexp.MustCompile(`\b(?:gensub|asorti?|match)\s*\(`)

// awkDefines finds a function of the program that has one of those names: the program means its own.
var awkDefines = regexp.MustCompile(`\b(?:function|func)\s+(?:gensub|asorti?)\b`)

// awkExtended is the program with gawk's functions around it, if it needs them; and how far its first line moved.
func awkExtended(program string) (string, int) {
	if !gawkWords.MatchString(program) || awkDefines.MatchString(program) {
		return program, 0
	}
	return awkPrefix + program + "\n" + awkPrelude, len(awkPrefix)
}

// awkState is what gawk's functions keep between two calls, for one awk.
type awkState struct {
	keys     []awkKey
	starts   [][2]int // of groups: first character from 1, and length
	patterns map[string]*pattern.Pattern
}

type awkKey struct {
	index, value string
	number       bool
	order        float64 // the value, or with @ind the index, as a number
}

func (s *awkState) functions() map[string]any {
	all := map[string]any{
		"capbox_clear": func() int { s.keys = s.keys[:0]; return 0 },
		"capbox_put": func(index, value string, number bool) int {
			s.keys = append(s.keys, awkKey{index: index, value: value, number: number})
			return 0
		},
		"capbox_sort":   s.sort,
		"capbox_key":    func(i int) string { return s.keys[i-1].index },
		"capbox_groups": s.groups,
		"capbox_start":  func(i int) int { return s.starts[i][0] },
		"capbox_length": func(i int) int { return s.starts[i][1] },
		"gensub":        s.gensub,
	}
	for name, function := range awkFunctions {
		all[name] = function
	}
	return all
}

// sort orders the keys as gawk's predefined comparisons do.
func (s *awkState) sort(how string) (int, error) {
	what, ok := strings.CutPrefix(how, "@")
	parts := strings.Split(what, "_")
	if !ok || len(parts) != 3 || parts[0] != "ind" && parts[0] != "val" || parts[2] != "asc" && parts[2] != "desc" ||
		parts[1] != "str" && parts[1] != "num" && parts[1] != "type" {
		return 0, errors.New("not supported: sorting with the function `" + how + "'")
	}
	for i := range s.keys {
		text := s.keys[i].value
		if parts[0] == "ind" {
			text = s.keys[i].index
		}
		s.keys[i].order, _ = notation.NumberPrefix(strings.TrimLeft(text, " \t\n"))
	}
	slices.SortStableFunc(s.keys, func(a, b awkKey) int {
		x, y := a.value, b.value
		if parts[0] == "ind" {
			x, y = a.index, b.index
		}
		order := 0
		switch {
		case parts[1] == "num", parts[1] == "type" && a.number && b.number:
			order = cmp.Compare(a.order, b.order)
		case parts[1] == "type" && a.number != b.number:
			order = map[bool]int{true: -1, false: 1}[a.number]
		}
		if order == 0 && (parts[1] != "type" || !a.number) {
			order = strings.Compare(x, y)
		}
		if order == 0 {
			order = strings.Compare(a.index, b.index)
		}
		if parts[2] == "desc" {
			order = -order
		}
		return order
	})
	return len(s.keys), nil
}

// compiled reads an expression once; a program that makes up expressions without end starts over.
func (s *awkState) compiled(text string) (*pattern.Pattern, error) {
	const kept = 500
	if known := s.patterns[text]; known != nil {
		return known, nil
	}
	if len(s.patterns) >= kept || s.patterns == nil {
		s.patterns = map[string]*pattern.Pattern{}
	}
	source := strings.NewReplacer(`\\`, `\\`, `\/`, `/`, `\"`, `"`, `\y`, `\b`).Replace(text)
	compiled, err := pattern.Compile(source, pattern.Extended, pattern.Options{Dot: true})
	if err != nil {
		return nil, fmt.Errorf("invalid regular expression: %s: /%s/", err, text)
	}
	s.patterns[text] = compiled
	return compiled, nil
}

// groups finds the first match and where its groups are, in characters.
func (s *awkState) groups(text, expression string) (int, error) {
	compiled, err := s.compiled(expression)
	if err != nil {
		return 0, err
	}
	s.starts = s.starts[:0]
	found := compiled.Find([]byte(text))
	for i := 0; i+1 < len(found); i += 2 {
		if found[i] < 0 {
			s.starts = append(s.starts, [2]int{})
			continue
		}
		s.starts = append(s.starts, [2]int{
			1 + utf8.RuneCountInString(text[:found[i]]), utf8.RuneCountInString(text[found[i]:found[i+1]]),
		})
	}
	return len(s.starts) - 1, nil
}

// gensub replaces the match that `how` names, or all, and gives the result.
func (s *awkState) gensub(expression, replacement, how, target string) (string, error) {
	compiled, err := s.compiled(expression)
	if err != nil {
		return "", err
	}
	which := max(1, int(notation.LeadingNumber(how)))
	limit := which
	if strings.HasPrefix(strings.ToLower(how), "g") {
		which, limit = 0, -1
	}
	var out strings.Builder
	at := 0
	for i, match := range compiled.FindAll([]byte(target), limit) {
		if which != 0 && i+1 != which {
			continue
		}
		out.WriteString(target[at:match[0]])
		substitute(&out, replacement, target, match)
		at = match[1]
	}
	out.WriteString(target[at:])
	return out.String(), nil
}

// substitute writes a replacement: & and \0 are the match, \1 to \9 its groups.
func substitute(out *strings.Builder, replacement, target string, match []int) {
	for i := 0; i < len(replacement); i++ {
		b, group := replacement[i], -1
		switch {
		case b == '&':
			group = 0
		case b == '\\' && i+1 < len(replacement):
			i++
			if b = replacement[i]; b >= '0' && b <= '9' {
				group = int(b - '0')
			}
		}
		if group < 0 {
			out.WriteByte(b)
		} else if 2*group+1 < len(match) && match[2*group] >= 0 {
			out.WriteString(target[match[2*group]:match[2*group+1]])
		}
	}
}

// gawkOnly are names that mean something to gawk alone: without them a program would run and do something else.
var gawkOnly = map[string]bool{
	"ARGIND": true, "BEGINFILE": true, "BINMODE": true, "ENDFILE": true, "ERRNO": true, "FIELDWIDTHS": true, "FPAT": true,
	"FUNCTAB": true, "IGNORECASE": true, "LINT": true, "PROCINFO": true, "SYMTAB": true, "TEXTDOMAIN": true,
}

// awkUnsupported names the first part of a program that only gawk has, or "".
func awkUnsupported(program string) string {
	scanner := lexer.NewLexer([]byte(program))
	last := lexer.NEWLINE
	word := ""
	for {
		_, token, value := scanner.Scan()
		if (token == lexer.DIV || token == lexer.DIV_ASSIGN) && !operandEnds(last) {
			_, token, value = scanner.ScanRegex()
		}
		switch {
		case token == lexer.EOF || token == lexer.ILLEGAL:
			return "" // the parser tells what is wrong
		case token == lexer.NAME && gawkOnly[value]:
			return value
		case token == lexer.AT:
			return "@include and other uses of @"
		case token == lexer.LBRACKET && last == lexer.RBRACKET:
			return "arrays of arrays"
		case token == lexer.LPAREN && word == "switch":
			return "switch"
		case token == lexer.LPAREN && (word == "patsplit" || word == "typeof" || word == "isarray" || word == "dcgettext"):
			return word + "()"
		}
		word = ""
		if token == lexer.NAME {
			word = value
		}
		last = token
	}
}

// operandEnds says whether a slash after this token divides.
func operandEnds(token lexer.Token) bool {
	switch token {
	case lexer.NAME, lexer.NUMBER, lexer.STRING, lexer.REGEX, lexer.RPAREN, lexer.RBRACKET, lexer.DOLLAR, lexer.INCR, lexer.DECR, lexer.F_LENGTH:
		return true
	}
	return false
}

// makeTime is gawk's mktime: "YYYY MM DD HH MM SS", -1 if it cannot be read.
func makeTime(text string, _ ...string) int {
	fields := strings.Fields(text)
	if len(fields) < 6 {
		return -1
	}
	var n [6]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(fields[i]); err != nil {
			return -1
		}
	}
	return int(time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC).Unix())
}

// decimalNumber is a number as AWK reads it from a text.
var decimalNumber = regexp.MustCompile(`^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?`)

// stringToNumber is gawk's strtonum: texts that begin with 0x or 0 are hexadecimal or octal.
func stringToNumber(text string) float64 {
	bare := strings.TrimLeft(text, " \t\n")
	digits, base, set := bare, 10, "0123456789"
	switch {
	case strings.HasPrefix(bare, "0x") || strings.HasPrefix(bare, "0X"):
		digits, base, set = bare[2:], 16, "0123456789abcdefABCDEF"
	case strings.HasPrefix(bare, "0") && !strings.ContainsAny(bare, ".eE89"):
		base, set = 8, "01234567"
	default:
		n, _ := strconv.ParseFloat(decimalNumber.FindString(bare), 64)
		return n
	}
	digits = digits[:len(digits)-len(strings.TrimLeft(digits, set))]
	n := 0.0
	for _, digit := range digits {
		value, _ := strconv.ParseInt(string(digit), base, 64)
		n = n*float64(base) + float64(value)
	}
	return n
}

// complement turns the 54 bits that gawk does.
func complement(n float64) float64 { return math.Pow(2, 54) - 1 - math.Trunc(n) }

// foldBits joins two or more numbers bit by bit.
func foldBits(join func(a, b int) int) func(numbers ...int) int {
	return func(numbers ...int) int {
		result := 0
		for i, n := range numbers {
			if i == 0 {
				result = n
			} else {
				result = join(result, n)
			}
		}
		return result
	}
}
