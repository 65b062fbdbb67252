package search

import (
	"bytes"
	"io"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
)

// Look is the command look.
func Look(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{Short: "adft:", Long: "alternative=a alphanum=d ignore-case=f terminate=t", Usage: "[OPTION]... STRING FILE"})
	if done {
		return status
	}
	switch {
	case len(opts.Operands) == 0:
		return c.Usage(2, "bad usage")
	case len(opts.Operands) == 1:
		return c.Unsupported("a list of words: there is none here; name a file")
	}
	want := opts.Operands[0]
	if text, ok := opts.Value("t"); ok && text != "" {
		if at := strings.IndexByte(want, text[0]); at >= 0 {
			want = want[:at+1]
		}
	}
	key := func(text []byte) []byte {
		if opts.Has("d") {
			text = bytes.Map(func(r rune) rune {
				if r == ' ' || r == '\t' || notation.IsAlnum(r) {
					return r
				}
				return -1
			}, text)
		}
		if opts.Has("f") {
			text = bytes.ToLower(text)
		}
		return text
	}
	prefix := key([]byte(want))
	found := false
	status = c.Each(opts.Operands[1:2], func(_ string, in io.Reader) error {
		return kit.EachLine(in, func(line []byte) error {
			if bytes.HasPrefix(key(line), prefix) {
				found = true
				c.Out.Line(string(line))
			}
			return nil
		})
	})
	switch {
	case status != 0 || !found:
		return 1
	}
	return 0
}
