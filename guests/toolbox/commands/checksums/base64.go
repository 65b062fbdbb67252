package checksums

import (
	"encoding/base64"
	"io"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
)

// Base64 is the command base64.
func Base64(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "diw:", Long: "decode=d ignore-garbage=i wrap=w", Usage: "[OPTION]... [FILE]",
	})
	if done {
		return status
	}
	width := 76
	if text, ok := opts.Value("w"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return c.Fail("invalid wrap size: '%s'", text)
		}
		width = n
	}
	return c.Each(opts.Operands, func(_ string, in io.Reader) error {
		raw, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		if opts.Has("d") {
			clean := strings.Map(func(r rune) rune {
				if r == '\n' || r == '\r' || r == ' ' || opts.Has("i") && !strings.ContainsRune("+/=", r) && !notation.IsAlnum(r) {
					return -1
				}
				return r
			}, string(raw))
			text, err := base64.StdEncoding.DecodeString(clean)
			c.Out.Write(text)
			if err != nil {
				c.Fail("invalid input")
				status = 1
			}
			return nil
		}
		text := base64.StdEncoding.EncodeToString(raw)
		for width > 0 && len(text) > width {
			c.Out.Line(text[:width])
			text = text[width:]
		}
		if width > 0 && text != "" {
			c.Out.Line(text)
		} else {
			c.Out.WriteString(text)
		}
		return nil
	}) | status
}
