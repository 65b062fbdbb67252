// Package sorting holds the commands that put lines into an order, or need one: sort, uniq, shuf and tsort.
package sorting

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
)

// sortOrder is how sort compares: keys first, then the whole line unless stable.
type sortOrder struct {
	global  sortKind
	keys    []sortKey
	field   string // separator, "" for blanks
	stable  bool
	unique  bool
	reverse bool // the last resort, for the whole line
	salt    []byte
}

// sortKind is the ordering of one key.
type sortKind struct {
	letter                                 byte // n g h V R M or 0
	reverse, fold, blanks, dictionary, any bool
}

// sortKey is -k: from field.char to field.char, counted from 1; a zero end is the line's end.
type sortKey struct {
	startField, startChar, endField, endChar int
	kind                                     sortKind
}

// Sort is the command sort.
func Sort(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "bdfghimMnRrVcCk:mo:sS:t:T:uz", Usage: "[OPTION]... [FILE]...", Status: 2,
		Long: "ignore-leading-blanks=b dictionary-order=d ignore-case=f general-numeric-sort=g human-numeric-sort=h " +
			"month-sort=M numeric-sort=n random-sort=R reverse=r version-sort=V check=c key=k merge=m output=o " +
			"stable=s field-separator=t unique=u zero-terminated=z buffer-size=S temporary-directory=T parallel:",
	})
	if done {
		return status
	}
	if opts.Has("c", "C") && len(opts.Operands) > 1 {
		return c.Usage(2, "extra operand '%s' not allowed with -%s", opts.Operands[1], opts.Last("c", "C"))
	}
	order, problem := newSortOrder(opts)
	if problem != "" {
		c.Fail("%s", problem)
		return 2
	}
	end := byte('\n')
	if opts.Has("z") {
		end = 0
	}
	var lines []string
	status = c.EachSaying(opts.Operands, "cannot read: %s: %s", func(_ string, in io.Reader) error {
		more, err := sortInput(in, end)
		lines = append(lines, more...)
		return err
	})
	if status != 0 {
		return 2
	}
	if opts.Has("c", "C") {
		return sortCheck(c, order, lines, opts)
	}
	lines = order.sorted(lines)
	return writeSorted(c, lines, end, opts)
}

const (
	sortBlockBytes  = 64 << 10
	sortBlocksBytes = 1 << 20
)

// sortInput holds the lines of a stream as parts of large strings: a string for each would be garbage to collect.
func sortInput(in io.Reader, end byte) ([]string, error) {
	var lines []string
	block := make([]byte, sortBlockBytes)
	held := 0
	for {
		n, err := io.ReadFull(in, block[held:])
		held += n
		rest := held
		if err == nil {
			rest = bytes.LastIndexByte(block[:held], end) + 1
		}
		text := string(block[:rest])
		for text != "" {
			line, after, _ := strings.Cut(text, string(end))
			lines = append(lines, line)
			text = after
		}
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return lines, nil
		case err != nil:
			return lines, err
		}
		held = copy(block, block[rest:held])
		if held > len(block)/2 || len(block) < sortBlocksBytes {
			block = append(block, make([]byte, len(block))...)
		}
	}
}

func writeSorted(c *kit.Call, lines []string, end byte, opts *kit.Options) int {
	put := func(out io.Writer) {
		block := make([]byte, 0, sortBlockBytes)
		for _, line := range lines {
			if len(block)+len(line) >= sortBlockBytes {
				_, _ = out.Write(block)
				block = block[:0]
			}
			block = append(append(block, line...), end)
		}
		_, _ = out.Write(block)
	}
	name, toFile := opts.Value("o")
	if !toFile {
		put(c.Out)
		return 0
	}
	file, err := c.Create(name)
	if err != nil {
		c.Fail("open failed: %s: %s", name, kit.Reason(err))
		return 2
	}
	checked := kit.NewOutput(file)
	put(checked)
	checked.Flush()
	if err := file.Close(); err != nil {
		c.FailPath(name, err)
		return 2
	}
	return 0
}

func sortCheck(c *kit.Call, order *sortOrder, lines []string, opts *kit.Options) int {
	for i := 1; i < len(lines); i++ {
		if d := order.compare(lines[i-1], lines[i]); d > 0 || d == 0 && order.unique {
			if !opts.Has("C") {
				name := "-"
				if len(opts.Operands) > 0 {
					name = opts.Operands[0]
				}
				c.Fail("%s:%d: disorder: %s", name, i+1, lines[i])
			}
			return 1
		}
	}
	return 0
}

func newSortOrder(opts *kit.Options) (*sortOrder, string) {
	order := &sortOrder{stable: opts.Has("s"), unique: opts.Has("u")}
	for _, one := range opts.List {
		if strings.Contains("bdfghimMnRrV", one.Key) && one.Key != "m" {
			order.global.set(one.Key[0])
		}
	}
	letters := ""
	for _, one := range []string{"g", "h", "M", "n", "R", "V"} {
		if opts.Has(one) {
			letters += one
		}
	}
	if len(letters) > 1 && letters != "RV" {
		return nil, "options '-" + letters + "' are incompatible"
	}
	order.reverse = order.global.reverse
	if text, ok := opts.Value("t"); ok {
		if text == `\t` {
			text = "\t"
		}
		if text == `\0` {
			text = "\x00"
		}
		order.field = text
		if text == "" {
			return nil, "empty tab"
		}
		if len([]rune(text)) != 1 {
			return nil, "multi-character tab '" + text + "'"
		}
	}
	for _, one := range opts.List {
		if one.Key != "k" {
			continue
		}
		key, problem := parseSortKey(one.Value)
		if problem != "" {
			return nil, problem
		}
		if !key.kind.any {
			key.kind = order.global
		}
		order.keys = append(order.keys, key)
	}
	return order, ""
}

func (k *sortKind) set(letter byte) {
	k.any = true
	switch letter {
	case 'r':
		k.reverse = true
	case 'f':
		k.fold = true
	case 'b':
		k.blanks = true
	case 'd', 'i':
		k.dictionary = true
	default:
		k.letter = letter
	}
}

func parseSortKey(text string) (sortKey, string) {
	var key sortKey
	from, to, hasEnd := strings.Cut(text, ",")
	var ok bool
	key.startField, key.startChar, ok = key.position(from)
	switch {
	case ok && key.startField == 0:
		return key, "-: invalid field specification '" + text + "': field number is zero"
	case !ok:
		return key, "invalid key specification '" + text + "'"
	}
	if hasEnd {
		if key.endField, key.endChar, ok = key.position(to); !ok {
			return key, "invalid key specification '" + text + "'"
		}
	}
	return key, ""
}

// position reads F[.C][letters].
func (k *sortKey) position(text string) (field, char int, ok bool) {
	rest := strings.TrimRight(text, "bdfghiMnRrV")
	for _, letter := range []byte(text[len(rest):]) {
		k.kind.set(letter)
	}
	fieldText, charText, hasChar := strings.Cut(rest, ".")
	n, ok := notation.Quantity(fieldText)
	if !ok {
		return 0, 0, false
	}
	if hasChar {
		m, ok := notation.Quantity(charText)
		return int(n), int(m), ok
	}
	return int(n), 0, true
}

// part is the key number i of a line, or the whole line if there are no keys.
func (o *sortOrder) part(i int, line string) string {
	if len(o.keys) == 0 {
		return line
	}
	return o.keys[i].of(line, o.field)
}

func (o *sortOrder) compare(a, b string) int { return o.compareFrom(0, a, b) }

func (o *sortOrder) compareFrom(i int, a, b string) int {
	if i == 0 && len(o.keys) == 0 {
		if d := comparePrepared(o.global, o.prepare(o.global, a), o.prepare(o.global, b)); d != 0 {
			return d
		}
	}
	for ; i < len(o.keys); i++ {
		kind := o.keys[i].kind
		if d := comparePrepared(kind, o.prepare(kind, o.part(i, a)), o.prepare(kind, o.part(i, b))); d != 0 {
			return d
		}
	}
	if o.stable {
		return 0
	}
	if o.reverse {
		return strings.Compare(b, a)
	}
	return strings.Compare(a, b)
}

func (o *sortOrder) prepare(kind sortKind, text string) prepared {
	if kind.letter == 'R' {
		if o.salt == nil {
			o.salt = []byte(kit.RandomText(16))
		}
		sum := sha256.Sum256(append(bytes.Clone(o.salt), text...))
		return prepared{text: string(sum[:])}
	}
	return prepare(kind, text)
}
