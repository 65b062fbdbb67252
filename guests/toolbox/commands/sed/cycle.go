package sed

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/pattern"
)

// cycle runs the script over the pattern space once, then prints it.
func (r *sedRun) cycle() {
	if r.execute() && !r.quiet {
		r.print(r.pattern)
	}
	r.flushAppends()
}

func (r *sedRun) flushAppends() {
	if len(r.appends) > 0 {
		r.fresh() // as GNU, whether or not there is a file for r
	}
	for _, one := range r.appends {
		one()
	}
	r.appends = r.appends[:0]
}

// print writes a line; the last one lacks a newline if the input's did.
func (r *sedRun) print(text []byte) {
	r.fresh().Write(text)
	if r.missing = r.inputs.last() && !r.inputs.atEnd; !r.missing {
		r.out.WriteByte(r.end)
	}
}

// fresh is the output at the beginning of a line: a newline that was held back comes first.
func (r *sedRun) fresh() *kit.Output {
	if r.missing {
		r.missing = false
		r.out.WriteByte(r.end)
	}
	return r.out
}

// execute gives false if the pattern space is not to be printed.
func (r *sedRun) execute() bool {
	for at := 0; at < len(r.script) && !r.quit; at++ {
		one := r.script[at]
		if r.selects(one) == one.negate {
			if one.letter == '{' {
				at = one.target - 1
			}
			continue
		}
		switch one.letter {
		case 'b':
			at = one.target - 1
		case 't', 'T':
			if r.changed == (one.letter == 't') {
				at = one.target - 1
			}
			if one.letter == 't' || r.changed {
				r.changed = false
			}
		case 'd':
			return false
		case 'D':
			cut := bytes.IndexByte(r.pattern, '\n')
			if cut < 0 {
				return false
			}
			r.pattern = r.pattern[cut+1:]
			r.flushAppends()
			at = -1
		case 'c':
			if one.to == nil || !one.active || one.negate {
				r.fresh().Line(one.text)
			}
			return false
		case 'n', 'N':
			if ok, show := r.append(one.letter == 'N'); !ok {
				return show
			}
		case 'q', 'Q':
			r.quit, r.status = true, max(r.status, one.number)
			return one.letter == 'q'
		default:
			r.simple(one)
		}
	}
	return true
}

// append serves n and N. At the end of the input GNU prints the pattern space and stops.
func (r *sedRun) append(join bool) (ok, show bool) {
	if r.inputs.last() {
		return false, true
	}
	if !join && !r.quiet {
		r.print(r.pattern)
	}
	r.flushAppends()
	line, _ := r.inputs.next()
	r.number++
	if join {
		r.pattern = append(append(r.pattern, '\n'), line...)
	} else {
		r.pattern = append(r.pattern[:0], line...)
	}
	return true, true
}

// simple commands change spaces or print, and go on with the next command.
func (r *sedRun) simple(one *sedCommand) {
	switch one.letter {
	case 's':
		r.substitute(one.sub)
	case 'y':
		r.pattern = []byte(strings.Map(func(c rune) rune {
			if to, ok := one.table[c]; ok {
				return to
			}
			return c
		}, string(r.pattern)))
	case 'p':
		r.print(r.pattern)
	case 'P':
		line, _, _ := bytes.Cut(r.pattern, []byte("\n"))
		r.fresh().Write(line)
		r.out.WriteByte(r.end)
	case 'g':
		r.pattern = append(r.pattern[:0], r.hold...)
	case 'G':
		r.pattern = append(append(r.pattern, '\n'), r.hold...)
	case 'h':
		r.hold = append(r.hold[:0], r.pattern...)
	case 'H':
		r.hold = append(append(r.hold, '\n'), r.pattern...)
	case 'x':
		r.pattern, r.hold = r.hold, r.pattern
	case 'z':
		r.pattern = r.pattern[:0]
	case '=':
		r.fresh().Printf("%d\n", r.number)
	case 'F':
		r.fresh().Line(r.inputs.name)
	case 'i':
		r.fresh().Line(one.text)
	case 'a':
		r.appends = append(r.appends, func() { r.out.Line(one.text) })
	case 'r':
		r.appends = append(r.appends, func() { r.insertFile(one.text) })
	case 'w':
		r.outputFor(one.text).Line(string(r.pattern))
	case 'W':
		line, _, _ := bytes.Cut(r.pattern, []byte("\n"))
		r.outputFor(one.text).Line(string(line))
	case 'R':
		if line, ok := r.queued(one.text); ok {
			r.appends = append(r.appends, func() { r.out.Line(line) })
		}
	case 'e':
		r.runCommand(one.text)
	case 'l':
		wrap := r.wrap
		if one.number >= 0 {
			wrap = one.number
		}
		r.fresh().Line(unambiguous(r.pattern, wrap))
	}
}

func (r *sedRun) insertFile(name string) {
	file, err := r.c.Open(name)
	if err != nil {
		return // as GNU: a file that cannot be read is no error
	}
	defer file.Close()
	_, _ = io.Copy(r.out, file)
}

// unambiguous shows a text with escapes, in lines of at most so many characters; 0 and 1 do not break.
func unambiguous(text []byte, wrap int) string {
	var out strings.Builder
	width := 0
	for _, b := range text {
		piece := string([]byte{b})
		switch {
		case b == '\\':
			piece = `\\`
		case strings.IndexByte("\a\b\f\n\r\t\v", b) >= 0:
			piece = `\` + string("abfnrtv"[strings.IndexByte("\a\b\f\n\r\t\v", b)])
		case b < 32 || b > 126:
			piece = fmt.Sprintf(`\%03o`, b)
		}
		if wrap > 1 && width+len(piece) > wrap-1 {
			out.WriteString("\\\n")
			width = 0
		}
		out.WriteString(piece)
		width += len(piece)
	}
	return out.String() + "$"
}

// selects says whether the command's addresses select the current line.
func (r *sedRun) selects(one *sedCommand) bool {
	if one.from == nil {
		return true
	}
	if one.to == nil {
		return r.at(one.from)
	}
	if !one.active {
		zero := one.from.kind == 'n' && one.from.first == 0 && r.number == 1
		if !zero && !r.at(one.from) {
			return false
		}
		one.active = true
		switch one.to.kind {
		case 'n':
			if one.to.first <= r.number {
				one.active = false
			}
			one.until = one.to.first
		case '+':
			one.until = r.number + one.to.first
			one.active = one.to.first > 0
		case '%':
			one.until = r.number
			if one.to.first > 0 {
				one.until = (r.number + one.to.first - 1) / one.to.first * one.to.first
			}
			one.active = one.until > r.number
		case '$':
			one.active = !r.inputs.last()
		case '/':
			if zero && r.at(one.to) {
				one.active = false
			}
		}
		return true
	}
	switch one.to.kind {
	case 'n', '+', '%':
		one.active = r.number < one.until
		if r.number > one.until {
			return false
		}
	case '$':
		one.active = !r.inputs.last()
	default:
		one.active = !r.at(one.to)
	}
	return true
}

func (r *sedRun) at(address *sedAddress) bool {
	switch address.kind {
	case 'n':
		return r.number == address.first
	case '$':
		return r.inputs.last()
	case '~':
		if address.step <= 0 {
			return r.number == address.first
		}
		return r.number >= address.first && (r.number-address.first)%address.step == 0
	case '/':
		return r.regex(address.regex).Match(r.pattern)
	}
	return false
}

// regex resolves the empty regex: the last one used.
func (r *sedRun) regex(p *pattern.Pattern) *pattern.Pattern {
	if p != nil {
		r.lastRegex = p
	}
	if r.lastRegex == nil {
		r.lastRegex, _ = pattern.Compile("", pattern.Basic, pattern.Options{})
	}
	return r.lastRegex
}

func (r *sedRun) substitute(sub *sedSubstitution) {
	regex := r.regex(sub.regex)
	limit := sub.occurrence
	if sub.global {
		limit = -1
	}
	matches := regex.FindAll(r.pattern, limit)
	if len(matches) < sub.occurrence {
		return
	}
	out := r.replaced[:0]
	last := 0
	for i, m := range matches {
		if i+1 < sub.occurrence {
			continue
		}
		out = append(out, r.pattern[last:m[0]]...)
		out = sub.expand(out, r.pattern, m)
		last = m[1]
	}
	r.pattern, r.replaced = append(out, r.pattern[last:]...), r.pattern
	r.changed = true
	if sub.evaluate {
		r.runCommand("")
	}
	if sub.print {
		r.print(r.pattern)
	}
	if sub.file != "" {
		r.outputFor(sub.file).Line(string(r.pattern))
	}
}

// expand appends the replacement for one match.
func (s *sedSubstitution) expand(out, text []byte, m []int) []byte {
	fold, once := byte(0), byte(0)
	for _, part := range s.replacement {
		var piece []byte
		switch {
		case part.fold == 'U' || part.fold == 'L':
			fold = part.fold
			continue
		case part.fold == 'E':
			fold = 0
			continue
		case part.fold != 0:
			once = part.fold
			continue
		case part.group < 0:
			if fold == 0 && once == 0 {
				out = append(out, part.text...)
				continue
			}
			piece = []byte(part.text)
		case 2*part.group+1 < len(m) && m[2*part.group] >= 0:
			piece = text[m[2*part.group]:m[2*part.group+1]]
		}
		if fold == 0 && once == 0 {
			out = append(out, piece...)
			continue
		}
		out = append(out, folded(piece, fold, &once)...)
	}
	return out
}

func folded(piece []byte, fold byte, once *byte) []byte {
	switch fold {
	case 'U':
		piece = bytes.ToUpper(piece)
	case 'L':
		piece = bytes.ToLower(piece)
	}
	if *once == 0 || len(piece) == 0 {
		return piece
	}
	first, size := utf8.DecodeRune(piece)
	if *once == 'u' {
		first = unicode.ToUpper(first)
	} else {
		first = unicode.ToLower(first)
	}
	*once = 0
	return append([]byte(string(first)), piece[size:]...)
}
