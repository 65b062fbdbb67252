package text

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
)

// Split writes pieces of its input to PREFIXaa, PREFIXab and so on.
func Split(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "l:b:C:a:dn:x", Usage: "[OPTION]... [FILE [PREFIX]]",
		Long: "lines=l bytes=b line-bytes=C suffix-length=a numeric-suffixes=d hex-suffixes=x number=n additional-suffix: " +
			"filter: verbose separator:",
	})
	if done {
		return status
	}
	if status, done := c.Refuse(opts, "C", "x", "filter", "separator"); done {
		return status
	}
	perFile, byBytes := int64(1000), opts.Has("b")
	if text, ok := opts.Value("l", "b"); ok {
		if perFile, ok = notation.Quantity(text); !ok || perFile < 1 {
			return c.Fail("invalid number of lines: '%s'", text)
		}
	}
	length, ok := opts.Width("a", 2)
	if !ok || length > 255 { // no file name is longer
		return c.Fail("invalid suffix length")
	}
	prefix, names := "x", opts.Operands
	if len(names) > 1 {
		prefix, names = names[1], names[:1]
	}
	ending, _ := opts.Value("additional-suffix")
	place := func(number int) (string, bool) {
		suffix, ok := splitSuffix(number, length, opts.Has("d"))
		return prefix + suffix + ending, ok
	}
	if text, ok := opts.Value("n"); ok {
		return splitChunks(c, names, text, place)
	}
	return c.Each(names, func(_ string, in io.Reader) error {
		lines := kit.NewLines(in, '\n')
		for number := 0; ; number++ {
			piece, err := nextPiece(in, lines, perFile, byBytes)
			if err != nil {
				return err
			}
			if len(piece) == 0 {
				return lines.Failed
			}
			if err := writePiece(c, number, piece, place); err != nil {
				return err
			}
		}
	})
}

// writePiece makes the file of a piece.
func writePiece(c *kit.Call, number int, piece []byte, place func(number int) (string, bool)) error {
	name, ok := place(number)
	if !ok {
		return errors.New("output file suffixes exhausted")
	}
	file, err := c.Create(name)
	if err != nil {
		return err
	}
	_, err = file.Write(piece)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}

// splitChunks writes a file in so many pieces of equal size, the last of which takes the rest.
func splitChunks(c *kit.Call, names []string, text string, place func(number int) (string, bool)) int {
	chunks, err := strconv.Atoi(text)
	if strings.Contains(text, "/") {
		return c.Unsupported("-n", text)
	}
	if err != nil || chunks < 1 {
		return c.Fail("invalid number of chunks: '%s'", text)
	}
	if len(names) == 0 || names[0] == "-" {
		return c.Fail("-: cannot determine file size")
	}
	return c.Each(names, func(_ string, in io.Reader) error {
		text, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		size := len(text) / chunks
		for number := range chunks {
			piece := text[number*size:]
			if number < chunks-1 {
				piece = piece[:size]
			}
			if err := writePiece(c, number, piece, place); err != nil {
				return err
			}
		}
		return nil
	})
}

// nextPiece is the next so many bytes or lines.
func nextPiece(in io.Reader, lines *kit.Lines, count int64, bytes bool) ([]byte, error) {
	if bytes {
		return io.ReadAll(io.LimitReader(in, count))
	}
	var piece []byte
	for range count {
		line, ok := lines.Next()
		if !ok {
			break
		}
		piece = append(piece, line...)
		if lines.Ended {
			piece = append(piece, '\n')
		}
	}
	return piece, nil
}

func splitSuffix(number, length int, digits bool) (string, bool) {
	alphabet := "abcdefghijklmnopqrstuvwxyz"
	if digits {
		alphabet = "0123456789"
	}
	text := make([]byte, length)
	for i := length - 1; i >= 0; i-- {
		text[i] = alphabet[number%len(alphabet)]
		number /= len(alphabet)
	}
	return string(text), number == 0
}
