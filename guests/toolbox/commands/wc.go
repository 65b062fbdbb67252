package commands

import (
	"errors"
	"io"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// tally is what wc counts.
type tally struct{ lines, words, chars, bytes, longest int64 }

func wc(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "clmwL", Long: "bytes=c lines=l chars=m words=w max-line-length=L", Usage: "[OPTION]... [FILE]...",
	})
	if done {
		return status
	}
	if len(opts.List) == 0 {
		opts.List = []Option{{Key: "l"}, {Key: "w"}, {Key: "c"}}
	}
	names := opts.Operands
	if len(names) == 0 {
		names = []string{""}
	}
	var rows []tally
	var labels []string
	var total tally
	for _, name := range names {
		source := name
		if name == "" {
			source = "-"
		}
		status |= c.Each([]string{source}, func(_ string, in io.Reader) error {
			one, err := count(in)
			rows, labels = append(rows, one), append(labels, name)
			total.add(one)
			return err
		})
	}
	if len(names) > 1 {
		rows, labels = append(rows, total), append(labels, "total")
	}
	width := 1
	if len(names) > 1 || len(opts.List) > 1 {
		width = len(strconv.FormatInt(total.bytes, 10))
		if names[0] == "" || names[0] == "-" {
			width = 7
		}
	}
	for i, row := range rows {
		row.print(c.Out, opts, width, labels[i])
	}
	return status
}

func (t *tally) add(o tally) {
	t.lines += o.lines
	t.words += o.words
	t.chars += o.chars
	t.bytes += o.bytes
	t.longest = max(t.longest, o.longest)
}

func (t tally) print(out *Output, opts *Options, width int, label string) {
	gap := ""
	for _, column := range []struct {
		key   string
		value int64
	}{{"l", t.lines}, {"w", t.words}, {"m", t.chars}, {"c", t.bytes}, {"L", t.longest}} {
		if opts.Has(column.key) {
			out.Printf("%s%*d", gap, width, column.value)
			gap = " "
		}
	}
	if label != "" {
		out.WriteString(" " + label)
	}
	out.WriteByte('\n')
}

func count(in io.Reader) (tally, error) {
	var t tally
	buffer := make([]byte, 64<<10)
	inWord, column, held := false, int64(0), 0
	for {
		n, err := in.Read(buffer[held:])
		text := buffer[:held+n]
		t.bytes += int64(n)
		held = 0
		for len(text) > 0 {
			r, size := rune(text[0]), 1
			if r >= utf8.RuneSelf {
				if !utf8.FullRune(text) && err == nil {
					break
				}
				r, size = utf8.DecodeRune(text)
			}
			text = text[size:]
			t.chars++
			switch {
			case r == '\n':
				t.lines++
				t.longest = max(t.longest, column)
				column = 0
			case r == '\t':
				column += 8 - column%8
			default:
				column++
			}
			if space := r <= ' ' && (r == ' ' || r >= '\t' && r <= '\r') || r > 127 && unicode.IsSpace(r); space {
				inWord = false
			} else if !inWord {
				inWord = true
				t.words++
			}
		}
		held = copy(buffer, text)
		if err != nil {
			t.longest = max(t.longest, column)
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return t, err
		}
	}
}
