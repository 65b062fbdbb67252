// Package reading holds the commands that print files, or parts of them, as text: cat, tac, rev, head, tail, nl, wc and
// the pagers.
package reading

import (
	"bytes"
	"io"
	"slices"
	"unicode/utf8"

	"capbox/toolbox/commands/kit"
)

// Cat is the command cat.
func Cat(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "AbeEnstTuv", Usage: "[OPTION]... [FILE]...",
		Long: "show-all=A number-nonblank=b show-ends=E number=n squeeze-blank=s show-tabs=T show-nonprinting=v",
	})
	if done {
		return status
	}
	if len(opts.List) == 0 || len(opts.List) == 1 && opts.Has("u") {
		return c.Each(opts.Operands, func(_ string, in io.Reader) error {
			_, err := io.Copy(c.Out, in)
			return err
		})
	}
	show := catStyle{
		number: opts.Has("n", "b"), nonblank: opts.Has("b"), squeeze: opts.Has("s"), ends: opts.Has("E", "A", "e"),
		tabs: opts.Has("T", "A", "t"), visible: opts.Has("v", "A", "e", "t"),
	}
	return c.Each(opts.Operands, func(_ string, in io.Reader) error { return show.copy(c.Out, in) })
}

// catStyle is how cat changes lines; count and blank go on from file to file.
type catStyle struct {
	number, nonblank, squeeze, ends, tabs, visible bool

	count int
	blank bool
}

func (s *catStyle) copy(out *kit.Output, in io.Reader) error {
	lines := kit.NewLines(in, '\n')
	for {
		line, ok := lines.Next()
		if !ok {
			return lines.Failed
		}
		if s.squeeze && len(line) == 0 && s.blank {
			continue
		}
		s.blank = len(line) == 0
		if s.number && !(s.nonblank && s.blank) {
			s.count++
			out.Printf("%6d\t", s.count)
		}
		for _, b := range line {
			s.putByte(out, b)
		}
		if lines.Ended {
			if s.ends {
				out.WriteByte('$')
			}
			out.WriteByte('\n')
		}
	}
}

func (s *catStyle) putByte(out *kit.Output, b byte) {
	if b == '\t' {
		if s.tabs {
			out.WriteString("^I")
		} else {
			out.WriteByte(b)
		}
		return
	}
	if !s.visible {
		out.WriteByte(b)
		return
	}
	out.Visible(b)
}

// Tac is the command tac.
func Tac(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{Short: "brs:", Long: "before=b regex=r separator=s", Usage: "[OPTION]... [FILE]..."})
	if done {
		return status
	}
	if status, done := c.Refuse(opts, "r"); done {
		return status
	}
	separator := []byte("\n")
	if text, ok := opts.Value("s"); ok {
		if separator = []byte(text); text == "" {
			separator = []byte{0}
		}
	}
	return c.EachRead(opts.Operands, func(_ string, in io.Reader) error {
		text, err := io.ReadAll(in)
		for len(text) > 0 {
			at := 0
			if opts.Has("b") {
				at = max(0, bytes.LastIndex(text, separator))
			} else if last := bytes.LastIndex(text[:max(0, len(text)-len(separator))], separator); last >= 0 {
				at = last + len(separator)
			}
			c.Out.Write(text[at:])
			text = text[:at]
		}
		return err
	})
}

// Rev is the command rev.
func Rev(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{Usage: "[FILE]..."})
	if done {
		return status
	}
	return c.Each(opts.Operands, func(_ string, in io.Reader) error {
		return kit.EachLine(in, func(line []byte) error {
			if utf8.Valid(line) {
				runes := []rune(string(line))
				slices.Reverse(runes)
				c.Out.Line(string(runes))
			} else {
				slices.Reverse(line)
				c.Out.Line(string(line))
			}
			return nil
		})
	})
}
