// Package text holds the commands that rewrite text as characters or paragraphs, or cut it into files: tr, fmt, fold,
// expand, split, iconv and their like.
package text

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
)

// classes are the members of [:name:], ASCII as in the C locale.
var classes = map[string]func(r rune) bool{
	"alpha":  func(r rune) bool { return r|32 >= 'a' && r|32 <= 'z' },
	"digit":  func(r rune) bool { return r >= '0' && r <= '9' },
	"alnum":  notation.IsAlnum,
	"upper":  func(r rune) bool { return r >= 'A' && r <= 'Z' },
	"lower":  func(r rune) bool { return r >= 'a' && r <= 'z' },
	"space":  func(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' },
	"blank":  func(r rune) bool { return r == ' ' || r == '\t' },
	"punct":  func(r rune) bool { return strings.ContainsRune("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", r) },
	"print":  func(r rune) bool { return r >= 32 && r < 127 },
	"graph":  func(r rune) bool { return r > 32 && r < 127 },
	"cntrl":  func(r rune) bool { return r < 32 || r == 127 },
	"xdigit": func(r rune) bool { return r >= '0' && r <= '9' || r|32 >= 'a' && r|32 <= 'f' },
}

// trSetMax is how often a character is repeated at most: no other set has more members.
const trSetMax = utf8.MaxRune + 1

// trSet expands a SET of tr; fill is the character of a final [x*], which repeats as often as needed.
func trSet(text string) (set []rune, fill rune, problem string) {
	fill = -1
	for text != "" {
		if strings.HasPrefix(text, "[:") {
			if end := strings.Index(text, ":]"); end > 1 { // "[:]" is three characters
				member := classes[text[2:end]]
				if member == nil {
					return nil, -1, "invalid character class '" + text[2:end] + "'"
				}
				for r := rune(0); r < 128; r++ {
					if member(r) {
						set = append(set, r)
					}
				}
				text = text[end+2:]
				continue
			}
		}
		if strings.HasPrefix(text, "[=") { // in C.UTF-8 a character is equivalent to itself alone
			if inner, after := trRune(text[2:] + " "); strings.HasPrefix(after, "=]") {
				set, text = append(set, inner), strings.TrimSuffix(after[2:], " ")
				continue
			}
		}
		first, rest := trRune(text)
		if text[0] == '[' && len(rest) > 1 {
			if inner, after := trRune(rest); strings.HasPrefix(after, "*") {
				if end := strings.IndexByte(after, ']'); end > 0 {
					if times, err := strconv.Atoi(after[1:end]); err == nil && times > 0 {
						set = append(set, slices.Repeat([]rune{inner}, min(times, trSetMax))...)
					} else {
						fill = inner
					}
					text = after[end+1:]
					continue
				}
			}
		}
		if len(rest) > 1 && rest[0] == '-' {
			last, after := trRune(rest[1:])
			if last < first {
				return nil, -1, "range-endpoints of '" + text[:len(text)-len(after)] + "' are in reverse collating sequence order"
			}
			for r := first; r <= last; r++ {
				set = append(set, r)
			}
			text = after
			continue
		}
		set, text = append(set, first), rest
	}
	return set, fill, ""
}

// trRune takes one character, or an escape.
func trRune(text string) (rune, string) {
	if text[0] != '\\' || len(text) == 1 {
		r, size := utf8.DecodeRuneInString(text)
		return r, text[size:]
	}
	if at := strings.IndexByte("abfnrtv\\", text[1]); at >= 0 {
		return rune("\a\b\f\n\r\t\v\\"[at]), text[2:]
	}
	end := 1
	for end < len(text) && end < 4 && text[end] >= '0' && text[end] <= '7' {
		end++
	}
	if n, err := strconv.ParseUint(text[1:end], 8, 8); err == nil {
		return rune(n), text[end:]
	}
	r, size := utf8.DecodeRuneInString(text[1:])
	return r, text[1+size:]
}

// Tr is the command tr.
func Tr(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "cCdst", Long: "complement=c delete=d squeeze-repeats=s truncate-set1=t", Usage: "[OPTION]... SET1 [SET2]",
		Ordered: true,
	})
	if done {
		return status
	}
	sets := opts.Operands
	both := !opts.Has("d") && !opts.Has("s") || opts.Has("d") && opts.Has("s")
	switch {
	case len(sets) == 0:
		return c.Usage(1, "missing operand")
	case len(sets) == 1 && both:
		return c.Usage(1, "missing operand after '%s'", sets[0])
	case len(sets) > 2 || len(sets) == 2 && opts.Has("d") && !opts.Has("s"):
		return c.Usage(1, "extra operand '%s'", sets[len(sets)-1])
	}
	from, _, problem := trSet(sets[0])
	var to []rune
	fill := rune(-1)
	if problem == "" && len(sets) == 2 {
		to, fill, problem = trSet(sets[1])
	}
	if problem != "" {
		return c.Fail("%s", problem)
	}
	if problem := trClash(opts, sets, to, fill); problem != "" {
		return c.Fail("%s", problem)
	}
	plan := newTrPlan(opts, from, to, fill, len(sets) == 2)
	transform := plan.copy
	if plan.ascii() {
		transform = plan.copyBytes
	}
	if err := transform(c.Out, c.Input()); err != nil {
		return c.Fail("read error: %s", kit.Reason(err))
	}
	return 0
}

// trClash says why two sets cannot be translated into each other.
func trClash(opts *kit.Options, sets []string, to []rune, fill rune) string {
	if len(sets) < 2 || opts.Has("d") {
		return ""
	}
	if len(to) == 0 && fill < 0 && !opts.Has("t") {
		return "when not truncating set1, string2 must be non-empty"
	}
	for rest := sets[1]; ; {
		_, after, found := strings.Cut(rest, "[:")
		name, next, closed := strings.Cut(after, ":]")
		if !found || !closed {
			return ""
		}
		if name != "upper" && name != "lower" {
			return "when translating, the only character classes that may appear in\nstring2 are 'upper' and 'lower'"
		}
		rest = next
	}
}

// trPlan says for each character what becomes of it.
type trPlan struct {
	from       map[rune]rune // to itself when nothing is translated
	squeeze    map[rune]bool
	complement bool
	remove     bool
	translate  bool
	last       rune // what a complemented set translates to
	squeezeAny bool // squeeze what is not in from
}

func newTrPlan(opts *kit.Options, from, to []rune, fill rune, two bool) *trPlan {
	p := &trPlan{from: map[rune]rune{}, squeeze: map[rune]bool{}, complement: opts.Has("c", "C"), remove: opts.Has("d")}
	p.translate = two && !p.remove
	if fill >= 0 {
		to = append(to, []rune(strings.Repeat(string(fill), max(0, len(from)-len(to))))...)
	}
	for i, r := range from {
		p.from[r] = r
		if p.translate && len(to) > 0 {
			if i < len(to) {
				p.from[r] = to[i]
			} else if !opts.Has("t") {
				p.from[r] = to[len(to)-1]
			}
		}
	}
	if len(to) > 0 {
		p.last = to[len(to)-1]
	}
	if opts.Has("s") {
		switch {
		case two:
			for _, r := range to {
				p.squeeze[r] = true
			}
		case p.complement:
			p.squeezeAny = true
		default:
			for _, r := range from {
				p.squeeze[r] = true
			}
		}
	}
	return p
}

func (p *trPlan) copy(out *kit.Output, in *bufio.Reader) error {
	previous := rune(-1)
	for {
		r, size, err := in.ReadRune()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		raw := byte(0)
		if r == utf8.RuneError && size == 1 {
			_ = in.UnreadRune()
			raw, _ = in.ReadByte()
			r = rune(raw)
		}
		mapped, member := p.from[r]
		if p.complement {
			member = !member
			mapped = p.last
			if !p.translate {
				mapped = r
			}
		}
		if member && p.remove {
			continue
		}
		put := r
		if member && p.translate {
			put = mapped
		}
		if put == previous && (p.squeeze[put] || p.squeezeAny && member) {
			continue
		}
		previous = put
		if put < utf8.RuneSelf || put == r && raw != 0 {
			out.WriteByte(byte(put))
		} else {
			out.WriteString(string(put))
		}
	}
}

// ascii says whether bytes can be judged one by one: all members are ASCII, and other characters are left alone.
func (p *trPlan) ascii() bool {
	if p.complement || p.squeezeAny {
		return false
	}
	for from, to := range p.from {
		if from >= utf8.RuneSelf || to >= utf8.RuneSelf {
			return false
		}
	}
	for r := range p.squeeze {
		if r >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// copyBytes does what copy does by a table of bytes.
func (p *trPlan) copyBytes(out *kit.Output, in *bufio.Reader) error {
	var table [256]byte
	var remove, squeeze [256]bool
	for i := range table {
		table[i] = byte(i)
	}
	for from, to := range p.from {
		remove[from] = p.remove
		if p.translate {
			table[from] = byte(to)
		}
	}
	for r := range p.squeeze {
		squeeze[r] = true
	}
	buffer := make([]byte, 32<<10)
	previous, any := byte(0), false
	for {
		n, err := in.Read(buffer)
		kept := buffer[:0]
		for _, b := range buffer[:n] {
			if remove[b] {
				continue
			}
			b = table[b]
			if any && b == previous && squeeze[b] {
				continue
			}
			previous, any = b, true
			kept = append(kept, b)
		}
		out.Write(kept)
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}
