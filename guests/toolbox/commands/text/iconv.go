package text

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"capbox/toolbox/commands/kit"
)

// charset is one encoding: how it reads and writes one character.
type charset struct {
	read  func(in *bufio.Reader) (rune, error)
	write func(r rune) ([]byte, bool)
	mark  []byte // what a text in it begins with
}

var errEncoding = errors.New("cannot convert")

// charmaps are the encodings of one byte a character that x/text knows, by their names without punctuation.
var charmaps = map[string]*charmap.Charmap{
	"ISO88591": charmap.ISO8859_1, "LATIN1": charmap.ISO8859_1, "L1": charmap.ISO8859_1, "ISO88592": charmap.ISO8859_2,
	"LATIN2": charmap.ISO8859_2, "ISO88595": charmap.ISO8859_5, "ISO88597": charmap.ISO8859_7, "ISO88599": charmap.ISO8859_9,
	"LATIN5": charmap.ISO8859_9, "ISO885915": charmap.ISO8859_15, "LATIN9": charmap.ISO8859_15,
	"CP437": charmap.CodePage437, "IBM437": charmap.CodePage437, "CP850": charmap.CodePage850, "IBM850": charmap.CodePage850,
	"CP866": charmap.CodePage866, "CP1250": charmap.Windows1250, "WINDOWS1250": charmap.Windows1250,
	"CP1251": charmap.Windows1251, "WINDOWS1251": charmap.Windows1251, "CP1252": charmap.Windows1252,
	"WINDOWS1252": charmap.Windows1252, "CP1253": charmap.Windows1253, "CP1254": charmap.Windows1254,
	"KOI8R": charmap.KOI8R, "KOI8U": charmap.KOI8U, "MACINTOSH": charmap.Macintosh, "MAC": charmap.Macintosh,
}

// charsetNames are what -l prints.
var charsetNames = []string{
	"ASCII", "CP437", "CP850", "CP866", "CP1250", "CP1251", "CP1252", "CP1253", "CP1254", "ISO-8859-1", "ISO-8859-2", "ISO-8859-5",
	"ISO-8859-7", "ISO-8859-9", "ISO-8859-15", "KOI8-R", "KOI8-U", "LATIN1", "LATIN2", "LATIN5", "LATIN9", "MACINTOSH", "UTF-8",
	"UTF-16", "UTF-16BE", "UTF-16LE", "UTF-32", "UTF-32BE", "UTF-32LE",
}

func findCharset(name string) (charset, bool) {
	bare := strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToUpper(name))
	if table := charmaps[bare]; table != nil {
		return tableCharset(table), true
	}
	switch bare {
	case "", "UTF8":
		return charset{read: readUTF8, write: func(r rune) ([]byte, bool) { return utf8.AppendRune(nil, r), true }}, true
	case "ASCII", "USASCII", "ANSIX3.41968", "646":
		return charset{
			read: func(in *bufio.Reader) (rune, error) {
				b, err := in.ReadByte()
				if err == nil && b > 127 {
					err = errEncoding
				}
				return rune(b), err
			},
			write: func(r rune) ([]byte, bool) { return []byte{byte(r)}, r < 128 },
		}, true
	}
	for _, width := range []int{2, 4} {
		base := map[int]string{2: "UTF16", 4: "UTF32"}[width]
		switch bare {
		case base:
			wide := wideCharset(width, true)
			wide.mark, _ = wide.write(byteOrderMark)
			wide.read = markedReader(width)
			return wide, true
		case base + "LE":
			return wideCharset(width, true), true
		case base + "BE":
			return wideCharset(width, false), true
		}
	}
	return charset{}, false
}

func tableCharset(table *charmap.Charmap) charset {
	return charset{
		read: func(in *bufio.Reader) (rune, error) {
			b, err := in.ReadByte()
			r := table.DecodeByte(b)
			if err == nil && r == utf8.RuneError {
				err = errEncoding
			}
			return r, err
		},
		write: func(r rune) ([]byte, bool) {
			b, ok := table.EncodeRune(r)
			return []byte{b}, ok
		},
	}
}

const byteOrderMark = '\ufeff'

func readUTF8(in *bufio.Reader) (rune, error) {
	r, size, err := in.ReadRune()
	if err == nil && r == utf8.RuneError && size == 1 {
		err = errEncoding
	}
	return r, err
}

// wideCharset is UTF-16 or UTF-32 in one order of bytes.
func wideCharset(width int, little bool) charset {
	unit := func(in *bufio.Reader) (rune, error) {
		raw := make([]byte, width)
		if _, err := io.ReadFull(in, raw); err != nil {
			return 0, err
		}
		if little {
			slices.Reverse(raw)
		}
		n := uint32(0)
		for _, b := range raw {
			n = n<<8 | uint32(b)
		}
		if n > utf8.MaxRune {
			return 0, errEncoding
		}
		return rune(n), nil
	}
	put := func(n rune) []byte {
		raw := []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}[4-width:]
		if little {
			slices.Reverse(raw)
		}
		return raw
	}
	return charset{
		read: func(in *bufio.Reader) (rune, error) {
			first, err := unit(in)
			if err != nil || !utf16.IsSurrogate(first) {
				return first, err
			}
			if width == 4 {
				return 0, errEncoding
			}
			second, err := unit(in)
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			r := utf16.DecodeRune(first, second)
			if err == nil && r == utf8.RuneError {
				err = errEncoding
			}
			return r, err
		},
		write: func(r rune) ([]byte, bool) {
			if width == 2 && r > 0xffff {
				high, low := utf16.EncodeRune(r)
				return append(put(high), put(low)...), true
			}
			return put(r), true
		},
	}
}

// markedReader takes the order of bytes from the mark at the start, little endian without one.
func markedReader(width int) func(in *bufio.Reader) (rune, error) {
	var chosen *charset
	return func(in *bufio.Reader) (rune, error) {
		if chosen == nil {
			big, little := wideCharset(width, false), wideCharset(width, true)
			chosen = &little
			if head, err := in.Peek(width); err == nil {
				bigMark, _ := big.write(byteOrderMark)
				littleMark, _ := little.write(byteOrderMark)
				if slices.Equal(head, bigMark) {
					chosen = &big
				}
				if slices.Equal(head, bigMark) || slices.Equal(head, littleMark) {
					in.Discard(width)
				}
			}
		}
		return chosen.read(in)
	}
}

// Iconv is the command iconv.
func Iconv(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "cf:lo:st:", Long: "from-code=f list=l output=o silent=s to-code=t", Usage: "[OPTION]... [-f ENCODING] [-t ENCODING] [FILE]...",
	})
	if done {
		return status
	}
	if opts.Has("l") {
		for _, name := range charsetNames {
			c.Out.Line(name + "//")
		}
		return 0
	}
	fromName, _ := opts.Value("f")
	toName, _ := opts.Value("t")
	toName, flags, _ := strings.Cut(toName, "//")
	fromName, _, _ = strings.Cut(fromName, "//")
	skip := opts.Has("c") || strings.Contains(strings.ToUpper(flags), "IGNORE")
	if strings.Contains(strings.ToUpper(flags), "TRANSLIT") {
		return c.Unsupported("//TRANSLIT: a character that does not exist in " + toName + " is an error, or dropped with -c")
	}
	from, ok := findCharset(fromName)
	if !ok {
		return c.Usage(1, "conversion from `%s' is not supported", fromName)
	}
	to, ok := findCharset(toName)
	if !ok {
		return c.Usage(1, "conversion to `%s' is not supported", toName)
	}
	out := io.Writer(c.Out)
	if name, ok := opts.Value("o"); ok {
		file, err := c.Create(name)
		if err != nil {
			return c.Fail("unable to open output file: %s", kit.Reason(err))
		}
		defer file.Close()
		buffered := bufio.NewWriter(file)
		defer buffered.Flush()
		out = buffered
	}
	if len(to.mark) > 0 {
		out.Write(to.mark)
	}
	bad := false
	status = c.Each(opts.Operands, func(_ string, in io.Reader) error {
		status, err := converted(c, out, bufio.NewReaderSize(in, 64<<10), from, to, skip)
		bad = bad || status
		return err
	})
	if bad {
		return 1
	}
	return status
}

// converted reads to the end, or to the first character that cannot be converted; bad tells of either kind of loss.
func converted(c *kit.Call, out io.Writer, in *bufio.Reader, from, to charset, skip bool) (bad bool, err error) {
	for at := int64(0); ; at++ {
		r, err := from.read(in)
		switch {
		case errors.Is(err, io.EOF):
			return bad, nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			c.Fail("incomplete character or shift sequence at end of buffer")
			return true, kit.ErrStop
		case err != nil && !errors.Is(err, errEncoding):
			return bad, err
		}
		var raw []byte
		ok := false
		if err == nil {
			raw, ok = to.write(r)
		}
		switch {
		case ok:
			if _, err := out.Write(raw); err != nil {
				return bad, err
			}
		case skip:
		default:
			c.Fail("illegal input sequence at position %d", at)
			return true, kit.ErrStop
		}
	}
}
