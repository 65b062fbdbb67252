package sed

import (
	"strconv"
	"strings"

	"capbox/toolbox/commands/pattern"
)

// sedCommand is one parsed command.
type sedCommand struct {
	from, to *sedAddress
	negate   bool
	active   bool // inside its range
	until    int  // last line of an active range that counts lines
	letter   byte
	text     string // of a i c r w b t T : y
	target   int    // index to jump to: b t T, and { past its }
	sub      *sedSubstitution
	table    map[rune]rune
	number   int // of q Q l
}

// sedAddress selects lines. A nil regex stands for the last one used.
type sedAddress struct {
	kind  byte // 'n' number, '$', '/' regex, '~' first~step, '+' count, '%' to a multiple, '0'
	first int
	step  int
	regex *pattern.Pattern
}

// sedSubstitution is s///.
type sedSubstitution struct {
	regex       *pattern.Pattern
	replacement []sedPart
	global      bool
	print       bool
	evaluate    bool
	occurrence  int
	file        string
}

// sedPart is a piece of a replacement: a text, a group, or a change of case (one of U L u l E).
type sedPart struct {
	text  string
	group int // -1 for text
	fold  byte
}

type sedParser struct {
	text     string
	at       int
	extended bool
	commands []*sedCommand
	labels   map[string]int
	open     []int
	problem  string
	missing  string // a label that is nowhere
	sandbox  bool
}

func (p *sedParser) parse() ([]*sedCommand, string) {
	p.labels = map[string]int{}
	for p.problem == "" {
		p.skip(" \t\n;")
		if p.at >= len(p.text) {
			break
		}
		p.command()
	}
	if p.problem == "" && len(p.open) > 0 {
		p.problem = "unmatched `{'"
	}
	for _, one := range p.commands {
		if one.letter == 'b' || one.letter == 't' || one.letter == 'T' {
			one.target = len(p.commands)
			if one.text != "" {
				at, ok := p.labels[one.text]
				if !ok && p.problem == "" && p.missing == "" {
					p.missing = one.text
				}
				one.target = at
			}
		}
	}
	return p.commands, p.problem
}

func (p *sedParser) skip(set string) {
	for p.at < len(p.text) && strings.IndexByte(set, p.text[p.at]) >= 0 {
		p.at++
	}
}

func (p *sedParser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *sedParser) fail(problem string) {
	if p.problem == "" {
		p.problem = problem
	}
}

func (p *sedParser) command() {
	if p.peek() == '#' {
		p.line()
		return
	}
	one := &sedCommand{}
	one.from = p.address()
	p.skip(" \t")
	zero := one.from != nil && one.from.kind == 'n' && one.from.first == 0
	if zero && p.peek() != ',' {
		p.fail("invalid usage of line address 0")
	}
	if one.from != nil && p.peek() == ',' {
		p.at++
		p.skip(" \t")
		if one.to = p.address(); one.to == nil {
			p.fail("unexpected `,'")
		} else if zero && one.to.kind != '/' {
			p.fail("invalid usage of line address 0")
		}
		p.skip(" \t")
	}
	for p.peek() == '!' {
		one.negate = true
		p.at++
		p.skip(" \t")
	}
	if p.at >= len(p.text) {
		p.fail("missing command")
		return
	}
	one.letter = p.text[p.at]
	p.at++
	p.body(one)
	if one.letter != '}' && one.letter != ':' {
		p.commands = append(p.commands, one)
	}
}

// body reads what belongs to the command's letter.
func (p *sedParser) body(one *sedCommand) {
	switch one.letter {
	case '{':
		p.open = append(p.open, len(p.commands))
		return
	case '}':
		if len(p.open) == 0 {
			p.fail("unexpected `}'")
			return
		}
		p.commands[p.open[len(p.open)-1]].target = len(p.commands)
		p.open = p.open[:len(p.open)-1]
	case 's':
		one.sub = p.substitution()
	case 'y':
		one.table = p.transliteration()
	case 'a', 'i', 'c':
		one.text = p.insertion()
		return
	case ':':
		p.skip(" \t")
		label := strings.TrimSpace(p.word("\n;"))
		if label == "" {
			p.fail("\":\" lacks a label")
		}
		p.labels[label] = len(p.commands)
		return
	case 'b', 't', 'T':
		p.skip(" \t")
		one.text = strings.TrimSpace(p.word("\n;}"))
	case 'r', 'R', 'w', 'W':
		if p.skip(" \t"); p.sandbox {
			p.fail("e/r/w commands disabled in sandbox mode")
		}
		if one.text = p.line(); one.text == "" {
			p.fail("missing filename in r/R/w/W commands")
		}
		return
	case 'q', 'Q', 'l':
		one.number = p.optionalNumber()
	case '=', 'd', 'D', 'g', 'G', 'h', 'H', 'n', 'N', 'p', 'P', 'x', 'z', 'F':
	case 'e':
		p.skip(" \t")
		if one.text = p.line(); p.sandbox {
			p.fail("e/r/w commands disabled in sandbox mode")
		}
		return
	default:
		p.fail("unknown command: `" + string(one.letter) + "'")
		return
	}
	p.finish()
}

// optionalNumber is the number behind q, Q and l, -1 without one.
func (p *sedParser) optionalNumber() int {
	p.skip(" \t")
	digits := p.word("\n;} \t")
	if digits == "" {
		return -1
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 {
		p.fail("extra characters after command")
	}
	return n
}

// finish checks that nothing but a separator follows a command.
func (p *sedParser) finish() {
	p.skip(" \t")
	if b := p.peek(); b != 0 && b != '\n' && b != ';' && b != '}' && b != '#' {
		p.at++
		p.fail("extra characters after command")
	}
}

// word takes everything up to one of the ends.
func (p *sedParser) word(ends string) string {
	start := p.at
	for p.at < len(p.text) && strings.IndexByte(ends, p.text[p.at]) < 0 {
		p.at++
	}
	return p.text[start:p.at]
}

func (p *sedParser) line() string { return p.word("\n") }

// insertion is the text of a, i and c: on the same line, or after a backslash and a newline.
func (p *sedParser) insertion() string {
	p.skip(" \t")
	if p.peek() == '\\' {
		p.at++
		rest := p.at
		p.skip(" \t")
		if p.peek() == '\n' {
			p.at++
		} else {
			p.at = rest
		}
	}
	if p.at >= len(p.text) {
		p.fail("expected \\ after `a', `c' or `i'")
	}
	var out strings.Builder
	for p.at < len(p.text) && p.text[p.at] != '\n' {
		if p.text[p.at] == '\\' && p.at+1 < len(p.text) {
			p.at++
			if at := strings.IndexByte("tnr", p.text[p.at]); at >= 0 && out.Len() > 0 {
				out.WriteByte("\t\nr"[at])
				p.at++
				continue
			}
		}
		out.WriteByte(p.text[p.at])
		p.at++
	}
	return out.String()
}

func (p *sedParser) address() *sedAddress {
	b := p.peek()
	switch {
	case b == '$':
		p.at++
		return &sedAddress{kind: '$'}
	case b >= '0' && b <= '9':
		n := p.digits()
		if p.peek() == '~' {
			p.at++
			return &sedAddress{kind: '~', first: n, step: p.digits()}
		}
		return &sedAddress{kind: 'n', first: n}
	case b == '+' || b == '~':
		p.at++
		return &sedAddress{kind: map[byte]byte{'+': '+', '~': '%'}[b], first: p.digits()}
	case b == '/' || b == '\\':
		p.at++
		if b == '\\' {
			b = p.peek()
			p.at++
		}
		text, ok := p.delimited(b, true)
		if !ok {
			p.fail("unterminated address regex")
			return nil
		}
		options := pattern.Options{Dot: true}
		for p.peek() == 'I' || p.peek() == 'M' {
			options.IgnoreCase = options.IgnoreCase || p.peek() == 'I'
			options.Lines = options.Lines || p.peek() == 'M'
			p.at++
		}
		return &sedAddress{kind: '/', regex: p.compile(text, options)}
	}
	return nil
}

func (p *sedParser) digits() int {
	start := p.at
	for b := p.peek(); b >= '0' && b <= '9'; b = p.peek() {
		p.at++
	}
	n, _ := strconv.Atoi(p.text[start:p.at])
	return n
}

// compile makes a pattern; the empty one stands for the last that was used.
func (p *sedParser) compile(text string, options pattern.Options) *pattern.Pattern {
	if text == "" {
		return nil
	}
	dialect := pattern.Basic
	if p.extended {
		dialect = pattern.Extended
	}
	compiled, err := pattern.Compile(numericEscapes(text, true), dialect, options)
	if err != nil {
		p.fail(err.Error())
	}
	return compiled
}
