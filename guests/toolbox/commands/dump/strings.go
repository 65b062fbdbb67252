package dump

import (
	"bufio"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
)

// stringsJob is one run of strings.
type stringsJob struct {
	out     *kit.Output
	minimum int
	radix   byte // o, d, x, or 0
	label   string
	spaces  bool
	wide    int // bytes of a character
	little  bool
	end     string
}

// Strings is the command strings.
func Strings(c *kit.Call) int {
	for i, arg := range c.Args {
		if len(arg) > 1 && arg[0] == '-' && strings.Trim(arg[1:], "0123456789") == "" {
			c.Args[i] = "-n" + arg[1:]
		}
	}
	opts, status, done := c.Parse(kit.Spec{
		Short: "afn:ot:we:s:", Usage: "[OPTION]... [FILE]...",
		Long: "all=a print-file-name=f bytes=n radix=t include-all-whitespace=w encoding=e output-separator=s data",
	})
	if done {
		return status
	}
	j := &stringsJob{out: c.Out, spaces: opts.Has("w"), wide: 1, end: "\n"}
	n, ok := opts.Width("n", 4)
	if !ok || n > kit.PaddingMax {
		text, _ := opts.Value("n")
		return c.Fail("invalid minimum string length %s", text)
	}
	j.minimum = n
	if opts.Has("o") {
		j.radix = 'o'
	}
	if text, ok := opts.Value("t"); ok {
		if len(text) != 1 || !strings.Contains("odx", text) {
			return c.Fail("invalid radix '%s'", text)
		}
		j.radix = text[0]
	}
	if text, ok := opts.Value("e"); ok {
		j.wide, j.little = map[string]int{"s": 1, "S": 1, "b": 2, "l": 2, "B": 4, "L": 4}[text], text == "l" || text == "L"
		if j.wide == 0 {
			return c.Fail("invalid encoding '%s'", text)
		}
	}
	if text, ok := opts.Value("s"); ok {
		j.end = text
	}
	names := opts.Operands
	if len(names) == 0 {
		names = []string{"-"}
	}
	for i, name := range slices.Backward(names) {
		if name == "-" {
			continue
		}
		if _, err := c.Stat(name); os.IsNotExist(err) {
			status = c.Fail("'%s': No such file", name)
			names = slices.Delete(slices.Clone(names), i, i+1)
		}
	}
	if len(names) == 0 {
		return status
	}
	return status | c.Each(names, func(name string, in io.Reader) error {
		if j.label = ""; opts.Has("f") {
			if name == "-" {
				name = "{standard input}"
			}
			j.label = name + ": "
		}
		return j.scan(bufio.NewReaderSize(in, 64<<10))
	})
}

// scan prints runs of printable characters as they come: only the first of a run are held back.
func (j *stringsJob) scan(in *bufio.Reader) error {
	var run []byte
	printing := false
	unit := make([]byte, j.wide)
	for at := int64(0); ; at += int64(j.wide) {
		if _, err := io.ReadFull(in, unit); err != nil {
			if printing {
				j.out.WriteString(j.end)
			}
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return nil
			}
			return err
		}
		b, text := j.character(unit)
		switch {
		case !text && printing:
			j.out.WriteString(j.end)
			printing = false
			run = run[:0]
		case !text:
			run = run[:0]
		case printing:
			j.out.WriteByte(b)
		default:
			if run = append(run, b); len(run) == j.minimum {
				j.out.WriteString(j.label + j.offset(at-int64((j.minimum-1)*j.wide)))
				j.out.Write(run)
				printing = true
			}
		}
	}
}

func (j *stringsJob) character(unit []byte) (byte, bool) {
	b := unit[len(unit)-1]
	rest := unit[:len(unit)-1]
	if j.little {
		b, rest = unit[0], unit[1:]
	}
	for _, high := range rest {
		if high != 0 {
			return 0, false
		}
	}
	return b, b >= ' ' && b < 127 || b == '\t' || j.spaces && strings.IndexByte("\n\r\v\f", b) >= 0
}

func (j *stringsJob) offset(at int64) string {
	base := map[byte]int{'o': 8, 'd': 10, 'x': 16}[j.radix]
	if base == 0 {
		return ""
	}
	text := strconv.FormatInt(at, base)
	return strings.Repeat(" ", max(0, 7-len(text))) + text + " "
}
