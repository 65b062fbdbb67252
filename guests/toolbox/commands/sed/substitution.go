package sed

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"capbox/toolbox/commands/pattern"
)

// delimited takes text up to the delimiter. An escaped delimiter loses its backslash; in a regex a delimiter inside
// brackets does not count.
func (p *sedParser) delimited(delimiter byte, regex bool) (string, bool) {
	var out strings.Builder
	brackets := false
	for p.at < len(p.text) {
		b := p.text[p.at]
		p.at++
		switch {
		case b == '\\' && p.at < len(p.text):
			next := p.text[p.at]
			p.at++
			switch {
			case next == delimiter && (regex || next != '&'):
				if regex && strings.IndexByte(`.*[]^$+?(){}|`, delimiter) >= 0 {
					out.WriteByte('\\')
				}
				out.WriteByte(next)
			default:
				out.WriteByte('\\')
				out.WriteByte(next)
			}
			continue
		case b == delimiter && !brackets:
			return out.String(), true
		case b == '\n' && regex:
			return "", false
		case regex && b == '[' && !brackets:
			brackets = true
			out.WriteByte(b)
			for p.peek() == '^' || p.peek() == ']' && (p.text[p.at-1] == '[' || p.text[p.at-1] == '^') {
				out.WriteByte(p.peek())
				p.at++
			}
			continue
		case regex && brackets && b == '[' && strings.IndexByte(":.=", p.peek()) >= 0 && p.peek() != 0:
			if end := strings.Index(p.text[p.at:], "]"); end >= 0 {
				out.WriteString(p.text[p.at-1 : p.at+end+1])
				p.at += end + 1
				continue
			}
		case b == ']' && brackets:
			brackets = false
		}
		out.WriteByte(b)
	}
	return "", false
}

func (p *sedParser) transliteration() map[rune]rune {
	delimiter := p.peek()
	p.at++
	from, ok := p.delimited(delimiter, false)
	to, ok2 := p.delimited(delimiter, false)
	if !ok || !ok2 {
		p.fail("unterminated `y' command")
		return nil
	}
	clean := strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r")
	a, b := []rune(clean.Replace(from)), []rune(clean.Replace(to))
	if len(a) != len(b) {
		p.fail("strings for `y' command are different lengths")
		return nil
	}
	table := map[rune]rune{}
	for i, r := range a {
		table[r] = b[i]
	}
	return table
}

func (p *sedParser) substitution() *sedSubstitution {
	delimiter := p.peek()
	if delimiter == 0 || delimiter == '\n' || delimiter == '\\' {
		p.fail("unterminated `s' command")
		return nil
	}
	p.at++
	regex, ok := p.delimited(delimiter, true)
	replacement, ok2 := p.delimited(delimiter, false)
	if !ok || !ok2 {
		p.fail("unterminated `s' command")
		return nil
	}
	sub := &sedSubstitution{occurrence: 1}
	options := pattern.Options{Dot: true}
	for done := false; !done; {
		switch b := p.peek(); {
		case b == 'g':
			sub.global = true
		case b == 'p':
			sub.print = true
		case b == 'i' || b == 'I':
			options.IgnoreCase = true
		case b == 'm' || b == 'M':
			options.Lines = true
		case b == 'e':
			if sub.evaluate = true; p.sandbox {
				p.fail("e/r/w commands disabled in sandbox mode")
			}
		case b >= '1' && b <= '9':
			sub.occurrence = p.digits()
			continue
		case b == 'w':
			p.at++
			p.skip(" \t")
			if sub.file = p.line(); sub.file == "" {
				p.fail("missing filename in r/R/w/W commands")
			}
			done = true
			continue
		case b == 0 || strings.IndexByte("\n;} \t#", b) >= 0:
			done = true
			continue
		default:
			p.at++
			p.fail("unknown option to `s'")
			return nil
		}
		p.at++
	}
	sub.regex = p.compile(regex, options)
	sub.replacement = parseReplacement(replacement)
	for _, part := range sub.replacement {
		if sub.regex != nil && part.group > sub.regex.Groups() {
			p.fail("invalid reference \\" + strconv.Itoa(part.group) + " on `s' command's RHS")
		}
	}
	return sub
}

// numericEscapes puts characters in the place of \xHH, \oNNN and \dNNN. One that would be special, in an expression or
// a replacement, stays as it is meant: with a backslash before it.
func numericEscapes(text string, regex bool) string {
	if !strings.Contains(text, `\x`) && !strings.Contains(text, `\o`) && !strings.Contains(text, `\d`) {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		base, digits := map[byte]int{'x': 16, 'o': 8, 'd': 10}[text[i+1]], 3
		if base == 16 {
			digits = 2
		}
		end := min(i+2+digits, len(text))
		n, err := uint64(0), strconv.ErrSyntax
		for ; base != 0 && err != nil && end > i+2; end-- {
			if n, err = strconv.ParseUint(text[i+2:end], base, 8); err == nil {
				break
			}
		}
		if err != nil {
			out.WriteString(text[i : i+2])
			i++
			continue
		}
		if regex && strings.IndexByte(`[^\`, byte(n)) >= 0 || !regex && (n == '&' || n == '\\') {
			out.WriteByte('\\')
		}
		out.WriteByte(byte(n))
		i = end - 1
	}
	return out.String()
}

// parseReplacement splits the right side of s: & and \1, escapes, GNU's changes of case.
func parseReplacement(text string) []sedPart {
	text = numericEscapes(text, false)
	var parts []sedPart
	var plain strings.Builder
	add := func(part sedPart) {
		if plain.Len() > 0 {
			parts = append(parts, sedPart{text: plain.String(), group: -1})
			plain.Reset()
		}
		if part.group >= 0 || part.fold != 0 {
			parts = append(parts, part)
		}
	}
	for i := 0; i < len(text); i++ {
		b := text[i]
		switch {
		case b == '&':
			add(sedPart{group: 0})
		case b != '\\' || i+1 == len(text):
			plain.WriteByte(b)
		default:
			i++
			switch next := text[i]; {
			case next >= '0' && next <= '9':
				add(sedPart{group: int(next - '0')})
			case strings.IndexByte("ULulE", next) >= 0:
				add(sedPart{group: -1, fold: next})
			case strings.IndexByte("ntrfv", next) >= 0:
				plain.WriteByte("\n\t\r\f\v"[strings.IndexByte("ntrfv", next)])
			default:
				_, size := utf8.DecodeRuneInString(text[i:])
				plain.WriteString(text[i : i+size])
				i += size - 1
			}
		}
	}
	add(sedPart{group: -1})
	return parts
}
