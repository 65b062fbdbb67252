package pattern

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// translate rewrites a pattern into Go's syntax; needs says that RE2 cannot run it.
func translate(text string, dialect Dialect) (translated string, needs bool, err error) {
	switch dialect {
	case Fixed:
		return regexp.QuoteMeta(text), false, nil
	case Perl:
		return translatePerl(text)
	}
	t := &translator{text: text, extended: dialect == Extended, start: true}
	if err := t.run(); err != nil {
		return "", false, err
	}
	return t.out.String(), t.needs, nil
}

// translatePerl keeps the pattern, with X\KY as look-behind.
func translatePerl(text string) (string, bool, error) {
	if before, after, ok := strings.Cut(text, `\K`); ok && !strings.HasSuffix(before, `\`) {
		return "(?<=" + before + ")" + after, true, nil
	}
	needs := strings.Contains(text, "(?=") || strings.Contains(text, "(?!") || strings.Contains(text, "(?<")
	return text, needs, nil
}

// translator walks one POSIX pattern.
type translator struct {
	text     string
	at       int
	extended bool
	out      strings.Builder
	open     int
	start    bool // at the start of an alternative: * is literal, ^ an anchor
	atom     bool // something a repetition can follow
	needs    bool
}

func (t *translator) run() error {
	for t.at < len(t.text) {
		c := t.text[t.at]
		var err error
		switch {
		case c == '\\':
			err = t.escape()
		case c == '[':
			err = t.bracket()
		case c == '.':
			t.put(".", true)
		case c == '*':
			t.star()
		case c == '^':
			if t.extended || t.start {
				t.out.WriteString("^")
				t.at++
				t.atom = false
			} else {
				t.put(`\^`, true)
			}
		case c == '$':
			if t.extended || t.endsHere(t.at+1) {
				t.put("$", false)
			} else {
				t.put(`\$`, true)
			}
		case t.extended && strings.IndexByte("(){}|+?", c) >= 0:
			err = t.special(c)
		default:
			t.literal()
		}
		if err != nil {
			return err
		}
	}
	if t.open > 0 {
		return errors.New("Unmatched ( or \\(")
	}
	return nil
}

// put writes one translated byte's worth of pattern.
func (t *translator) put(text string, atom bool) {
	t.out.WriteString(text)
	t.at++
	t.start, t.atom = false, atom
}

func (t *translator) literal() {
	end := t.at + 1
	for end < len(t.text) && t.text[end]&0xC0 == 0x80 {
		end++
	}
	t.out.WriteString(regexp.QuoteMeta(t.text[t.at:end]))
	t.at = end
	t.start, t.atom = false, true
}

// endsHere says whether a basic pattern's $ before this place is an anchor.
func (t *translator) endsHere(at int) bool {
	rest := t.text[at:]
	return rest == "" || strings.HasPrefix(rest, `\)`) || strings.HasPrefix(rest, `\|`)
}

func (t *translator) star() {
	if !t.atom {
		if t.start || !t.extended {
			t.put(`\*`, true)
		} else {
			t.at++
		}
		return
	}
	t.repeat("*")
}

// repeat writes a repetition; doubled ones, which Go refuses or reads as lazy, are grouped.
func (t *translator) repeat(text string) {
	written := t.out.String()
	if written != "" && strings.IndexByte("*+?}", written[len(written)-1]) >= 0 && !strings.HasSuffix(written, `\`+written[len(written)-1:]) {
		t.out.Reset()
		t.out.WriteString(groupLast(written))
	}
	t.put(text, true)
}

// groupLast wraps the last repetition "x*" into "(?:x*)": Go has no "x**".
func groupLast(written string) string {
	for at := len(written) - 1; at >= 0; at-- {
		if _, err := regexp.Compile(written[at:]); err == nil {
			if _, err := regexp.Compile(written[:at]); err == nil && strings.IndexByte("*+?{}", written[at]) < 0 {
				return written[:at] + "(?:" + written[at:] + ")"
			}
		}
	}
	return written
}

// special serves the signs of the extended dialect, and of the basic one behind a backslash.
func (t *translator) special(c byte) error {
	switch c {
	case '(':
		t.open++
		t.put("(", false)
		t.start = true
	case ')':
		if t.open == 0 {
			if t.extended {
				t.put(`\)`, true)
				return nil
			}
			return errors.New("Unmatched ) or \\)")
		}
		t.open--
		t.put(")", true)
	case '|':
		t.put("|", false)
		t.start = true
	case '+', '?':
		if t.start {
			t.put(`\`+string(c), true)
			return nil
		}
		t.repeat(string(c))
	case '{':
		return t.interval()
	case '}':
		t.put(`\}`, true)
	}
	return nil
}

// interval reads {m,n}; what is no interval is literal in the extended dialect.
func (t *translator) interval() error {
	closing := "}"
	if !t.extended {
		closing = `\}`
	}
	end := strings.Index(t.text[t.at:], closing)
	if end < 0 {
		if t.extended {
			t.put(`\{`, true)
			return nil
		}
		return errors.New("Unmatched \\{")
	}
	from, to, ranged := strings.Cut(t.text[t.at+1:t.at+end], ",")
	low, errLow := strconv.Atoi(from)
	if from == "" && ranged {
		low, errLow = 0, nil
	}
	high, errHigh := low, error(nil)
	if ranged && to != "" {
		high, errHigh = strconv.Atoi(to)
	}
	if errLow != nil || errHigh != nil || t.start {
		if t.extended {
			t.put(`\{`, true)
			return nil
		}
		return errors.New("Invalid content of \\{\\}")
	}
	if high < low || high > 1000 {
		return errors.New("Invalid content of \\{\\} (at most 1000)")
	}
	text := "{" + strconv.Itoa(low)
	if ranged {
		text += ","
		if to != "" {
			text += strconv.Itoa(high)
		}
	}
	t.at += end + len(closing) - 1
	t.repeat(text + "}")
	return nil
}

func (t *translator) escape() error {
	t.at++
	if t.at == len(t.text) {
		return errors.New("Trailing backslash")
	}
	c := t.text[t.at]
	switch {
	case strings.IndexByte("(){}|+?", c) >= 0:
		if t.extended {
			t.literal()
			return nil
		}
		return t.special(c)
	case c >= '1' && c <= '9':
		t.needs = true
		t.put(`\`+string(c), true)
	case c == '<' || c == '>':
		t.put(`\b`, false)
	case strings.IndexByte("bB", c) >= 0:
		t.put(`\`+string(c), false)
	case strings.IndexByte("wWsS", c) >= 0:
		t.put(`\`+string(c), true)
	case strings.IndexByte("ntrfv", c) >= 0:
		t.put(`\`+string(c), true)
	case c == '`':
		t.put(`\A`, false)
	case c == '\'':
		t.put(`\z`, false)
	default:
		t.literal()
	}
	return nil
}

// bracket rewrites a bracket expression: ] may come first, a backslash is itself unless a letter for a control
// character follows (as in GNU sed).
func (t *translator) bracket() error {
	at := t.at + 1
	var set strings.Builder
	set.WriteByte('[')
	if at < len(t.text) && t.text[at] == '^' {
		set.WriteByte('^')
		at++
	}
	for first := true; ; first = false {
		if at >= len(t.text) {
			return errors.New("Unmatched [, [^, [:, [., or [=")
		}
		c := t.text[at]
		switch {
		case c == ']' && !first:
			set.WriteByte(']')
			t.at = at
			t.put(set.String(), true)
			return nil
		case c == '[' && at+1 < len(t.text) && strings.IndexByte(":.=", t.text[at+1]) >= 0:
			kind := t.text[at+1]
			end := strings.Index(t.text[at+2:], string(kind)+"]")
			if end < 0 {
				return errors.New("Unmatched [, [^, [:, [., or [=")
			}
			name := t.text[at+2 : at+2+end]
			if kind == ':' {
				set.WriteString("[:" + name + ":]")
			} else {
				set.WriteString(regexp.QuoteMeta(name))
			}
			at += end + 4
			continue
		case c == '\\' && at+1 < len(t.text) && strings.IndexByte("ntrfv", t.text[at+1]) >= 0:
			set.WriteString(t.text[at : at+2])
			at += 2
			continue
		case strings.IndexByte(`\[]&~^`, c) >= 0:
			set.WriteByte('\\')
			set.WriteByte(c)
		default:
			set.WriteByte(c)
		}
		at++
	}
}
