package text

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"capbox/toolbox/commands/kit"
)

// fmtWord is one word of a paragraph, its length in bytes as GNU counts, and what may follow it; the last three are
// the best way to go on from it.
type fmtWord struct {
	text                         string
	length, space                int
	period, punct, paren, final  bool
	lineLength, nextBreak, costs int
}

// fmtRun fills paragraphs as GNU fmt does: the lines of a whole paragraph are chosen together, so that their costs
// are least. The costs are those that GNU gives (fmt.c): deviations from the goal, ragged edges, breaks near the
// beginning or end of sentences.
type fmtRun struct {
	out           *kit.Output
	width, goal   int
	split, evenly bool
	tabs          bool

	words  []fmtWord
	indent int
}

// Fmt is the command fmt.
func Fmt(c *kit.Call) int {
	if len(c.Args) > 0 && len(c.Args[0]) > 1 && c.Args[0][0] == '-' && strings.Trim(c.Args[0][1:], "0123456789") == "" {
		c.Args[0] = "-w" + c.Args[0][1:]
	}
	opts, status, done := c.Parse(kit.Spec{
		Short: "ctw:sug:p:", Usage: "[OPTION]... [FILE]...",
		Long: "width=w split-only=s uniform-spacing=u goal=g prefix=p crown-margin=c tagged-paragraph=t",
	})
	if done {
		return status
	}
	if status, done := c.Refuse(opts, "c", "t", "p"); done {
		return status
	}
	r := &fmtRun{out: c.Out, split: opts.Has("s"), evenly: opts.Has("u")}
	width, okW := opts.Width("w", 75)
	goal, okG := opts.Width("g", 0)
	switch {
	case !okW || width > 2500:
		text, _ := opts.Value("w")
		return c.Fail("invalid width: '%s'", text)
	case opts.Has("g") && (!okG || opts.Has("w") && goal > width || goal > 75 && !opts.Has("w")):
		text, _ := opts.Value("g")
		return c.Fail("invalid width: '%s'", text)
	case opts.Has("g") && !opts.Has("w"):
		width = goal + 10
	case !opts.Has("g"):
		goal = width * (2*(100-7) + 1) / 200 // 7 percent are left to balance the lines
	}
	r.width, r.goal = width, goal
	return c.Each(opts.Operands, func(_ string, in io.Reader) error {
		err := kit.EachLine(in, func(line []byte) error {
			r.line(string(line))
			return nil
		})
		r.flush()
		return err
	})
}

// line adds a line to the paragraph, or begins another: an empty line and another indentation do.
func (r *fmtRun) line(line string) {
	r.tabs = r.tabs || strings.Contains(line, "\t")
	bare := strings.TrimLeft(line, " \t")
	if strings.TrimSpace(bare) == "" {
		r.flush()
		r.out.WriteByte('\n')
		return
	}
	indent := columnAfter(0, line[:len(line)-len(bare)])
	if len(r.words) > 0 && (indent != r.indent || r.split) {
		r.flush()
	}
	r.indent = indent
	at := indent
	for bare != "" {
		end := strings.IndexAny(bare, " \t")
		if end < 0 {
			end = len(bare)
		}
		word := newFmtWord(bare[:end])
		rest := strings.TrimLeft(bare[end:], " \t")
		after := columnAfter(at+word.length, bare[end:len(bare)-len(rest)])
		word.space = after - at - word.length
		word.final = word.period && (rest == "" || word.space > 1)
		if rest == "" || r.evenly {
			word.space = 1
			if word.final {
				word.space = 2
			}
		}
		r.words = append(r.words, word)
		bare, at = rest, after
	}
}

// columnAfter is the column that blanks lead to.
func columnAfter(at int, blanks string) int {
	for _, b := range blanks {
		if b == '\t' {
			at = at/8*8 + 8
		} else {
			at++
		}
	}
	return at
}

func newFmtWord(text string) fmtWord {
	last, _ := utf8.DecodeLastRuneInString(text)
	word := fmtWord{
		text: text, length: len(text), paren: strings.IndexByte("(['`\"", text[0]) >= 0,
		punct: last < 128 && (unicode.IsPunct(last) || unicode.IsSymbol(last)),
	}
	ending := strings.TrimRight(text[1:], ")]'\"")
	if ending == "" {
		ending = text[:1]
	}
	word.period = strings.IndexByte(".?!", ending[len(ending)-1]) >= 0
	return word
}

func square(n int) int { return n * n }

// flush chooses the lines of the paragraph from its end, and writes them.
func (r *fmtRun) flush() {
	words := r.words
	r.words = r.words[:0]
	if len(words) == 0 {
		return
	}
	count := len(words)
	words[count-1].final = true
	words = append(words, fmtWord{length: r.width})
	for start := count - 1; start >= 0; start-- {
		best := -1
		length := r.indent + words[start].length
		for next := start + 1; ; next++ {
			if cost := r.lineCost(words, next, length) + words[next].costs; best < 0 || cost < best {
				best = cost
				words[start].nextBreak, words[start].lineLength = next, length
			}
			if next == count {
				break
			}
			if length += words[next-1].space + words[next].length; length >= r.width {
				break
			}
		}
		words[start].costs = best + baseCost(words, start)
	}
	for at := 0; at < count; at = words[at].nextBreak {
		r.blanks(0, r.indent)
		column := r.indent
		for i := at; i < words[at].nextBreak; i++ {
			r.out.WriteString(words[i].text)
			column += words[i].length
			if i+1 < words[at].nextBreak {
				r.blanks(column, words[i].space)
				column += words[i].space
			}
		}
		r.out.WriteByte('\n')
	}
}

// blanks writes so many blanks, with tabs where the input had some.
func (r *fmtRun) blanks(column, count int) {
	target := column + count
	if r.tabs {
		for next := target / 8 * 8; column+1 < next; column = column/8*8 + 8 {
			r.out.WriteByte('\t')
		}
	}
	r.out.WriteString(strings.Repeat(" ", max(0, target-column)))
}

// baseCost is what it costs to begin a line with a word.
func baseCost(words []fmtWord, this int) int {
	cost := square(70)
	if this > 0 {
		before := words[this-1]
		switch {
		case before.period && before.final:
			cost -= square(50)
		case before.period:
			cost += square(600)
		case before.punct:
			cost -= square(40)
		case this > 1 && words[this-2].final:
			cost += square(200) / (before.length + 2)
		}
	}
	if words[this].paren {
		cost -= square(40)
	} else if words[this].final {
		cost += square(150) / (words[this].length + 2)
	}
	return cost
}

// lineCost is what a line of this length before the word `next` costs; the last line costs nothing.
func (r *fmtRun) lineCost(words []fmtWord, next, length int) int {
	if next == len(words)-1 {
		return 0
	}
	cost := square(10 * (r.goal - length))
	if words[next].nextBreak != len(words)-1 {
		cost += square(10*(length-words[next].lineLength)) / 2
	}
	return cost
}
