package reading

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"

	"capbox/toolbox/commands/kit"
)

// tally is what wc counts.
type tally struct{ lines, words, chars, bytes, longest int64 }

// Wc is the command wc.
func Wc(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "clmwL", Long: "bytes=c lines=l chars=m words=w max-line-length=L files0-from: total:", Usage: "[OPTION]... [FILE]...",
	})
	if done {
		return status
	}
	if !opts.Has("c", "l", "m", "w", "L") {
		opts.List = append(opts.List, kit.Option{Key: "l"}, kit.Option{Key: "w"}, kit.Option{Key: "c"})
	}
	names, status := wcNames(c, opts)
	if status != 0 {
		return status
	}
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
		if c.IsDir(source) {
			status = c.FailPath(source, kit.ErrDirectory)
			rows, labels = append(rows, tally{}), append(labels, name)
			continue
		}
		status |= c.Each([]string{source}, func(_ string, in io.Reader) error {
			one, err := count(in, opts)
			rows, labels = append(rows, one), append(labels, name)
			total.add(one)
			return err
		})
	}
	when, _ := opts.Value("total")
	if (len(names) > 1 && when != "never" || when == "always") && when != "only" {
		rows, labels = append(rows, total), append(labels, "total")
	}
	if when == "only" {
		total.print(c.Out, opts, 1, "")
		return status
	}
	width := wcWidth(c, names, opts, total.bytes)
	for i, row := range rows {
		row.print(c.Out, opts, width, labels[i])
	}
	return status
}

// wcNames are the operands, or the names in the file of --files0-from.
func wcNames(c *kit.Call, opts *kit.Options) ([]string, int) {
	if when, ok := opts.Value("total"); ok && !slices.Contains([]string{"auto", "always", "never", "only"}, when) {
		return nil, c.Usage(1, "invalid argument '%s' for '--total'", when)
	}
	list, ok := opts.Value("files0-from")
	if !ok {
		return opts.Operands, 0
	}
	if len(opts.Operands) > 0 {
		return nil, c.Usage(1, "extra operand '%s'\nfile operands cannot be combined with --files0-from", opts.Operands[0])
	}
	file, err := c.Open(list)
	if err != nil {
		return nil, c.Fail("cannot open '%s' for reading: %s", list, kit.Reason(err))
	}
	defer file.Close()
	names, err := kit.AllLines(file, 0)
	if err != nil {
		return nil, c.FailPath(list, err)
	}
	return names, 0
}

// wcWidth is that of the columns: as the sizes of the files need, at least 7 where one has no size to know beforehand.
func wcWidth(c *kit.Call, names []string, opts *kit.Options, bytes int64) int {
	columns := 0
	for _, key := range []string{"c", "l", "m", "w", "L"} {
		if opts.Has(key) {
			columns++
		}
	}
	if len(names) == 1 && columns == 1 {
		return 1
	}
	width := len(strconv.FormatInt(bytes, 10))
	for _, name := range names {
		if name == "" || name == "-" {
			return max(7, width)
		}
		if info, err := c.Stat(name); err == nil && !info.Mode().IsRegular() {
			return max(7, width)
		}
	}
	return width
}

func (t *tally) add(o tally) {
	t.lines += o.lines
	t.words += o.words
	t.chars += o.chars
	t.bytes += o.bytes
	t.longest = max(t.longest, o.longest)
}

func (t tally) print(out *kit.Output, opts *kit.Options, width int, label string) {
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

// count reads no more than it must: the size of a file is known, and lines are found by their ends.
func count(in io.Reader, opts *kit.Options) (tally, error) {
	if !opts.Has("m") && !opts.Has("w") && !opts.Has("L") {
		return countBytes(in, opts.Has("l"))
	}
	return countText(in)
}

func countBytes(in io.Reader, lines bool) (tally, error) {
	var t tally
	if file, ok := in.(*os.File); ok && !lines {
		info, err := file.Stat()
		if err == nil && info.Mode().IsRegular() {
			// What a shell has read already does not count; nothing is left for who reads on.
			if here, err := file.Seek(0, io.SeekCurrent); err == nil {
				_, err = file.Seek(0, io.SeekEnd)
				return tally{bytes: max(info.Size()-here, 0)}, err
			}
		}
	}
	buffer := make([]byte, 256<<10)
	for {
		n, err := in.Read(buffer)
		t.bytes += int64(n)
		t.lines += int64(bytes.Count(buffer[:n], newline))
		if errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			continue
		}
		return t, err
	}
}

var newline = []byte{'\n'}

func countText(in io.Reader) (tally, error) {
	var t tally
	buffer := make([]byte, 64<<10)
	inWord, column, held := false, int64(0), 0
	for {
		n, err := in.Read(buffer[held:])
		text := buffer[:held+n]
		t.bytes += int64(n)
		held = 0
		for len(text) > 0 {
			// Most text is short words of ASCII; what is counted stays out of memory while it lasts.
			letters := 0
			for letters < len(text) && text[letters] > ' ' && text[letters] < utf8.RuneSelf {
				letters++
			}
			if letters > 0 {
				if !inWord {
					inWord = true
					t.words++
				}
				t.chars += int64(letters)
				column += int64(letters)
				text = text[letters:]
				continue
			}
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
