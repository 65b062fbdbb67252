package commands

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"io"
	"slices"
	"strings"
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

func sortLines(c *Call) int {
	opts, status, done := c.Parse(Spec{
		Short: "bdfghimMnRrVcCk:mo:sS:t:T:uz", Usage: "[OPTION]... [FILE]...", Status: 2,
		Long: "ignore-leading-blanks=b dictionary-order=d ignore-case=f general-numeric-sort=g human-numeric-sort=h " +
			"month-sort=M numeric-sort=n random-sort=R reverse=r version-sort=V check=c key=k merge=m output=o " +
			"stable=s field-separator=t unique=u zero-terminated=z buffer-size=S temporary-directory=T parallel:",
	})
	if done {
		return status
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
	status = c.Each(opts.Operands, func(_ string, in io.Reader) error {
		more, err := allLines(in, end)
		lines = append(lines, more...)
		return err
	})
	if status != 0 {
		return 2
	}
	if opts.Has("c", "C") {
		return c.sortCheck(order, lines, opts)
	}
	lines = order.sorted(lines)
	return c.writeSorted(lines, end, opts)
}

func (c *Call) writeSorted(lines []string, end byte, opts *Options) int {
	put := func(out io.Writer) {
		buffered := bufio.NewWriterSize(out, 64<<10)
		for _, line := range lines {
			buffered.WriteString(line)
			buffered.WriteByte(end)
		}
		buffered.Flush()
	}
	name, toFile := opts.Value("o")
	if !toFile {
		put(c.Out)
		return 0
	}
	file, err := c.Create(name)
	if err != nil {
		c.Fail("open failed: %s: %s", name, reason(err))
		return 2
	}
	checked := NewOutput(file)
	put(checked)
	checked.Flush()
	if err := file.Close(); err != nil {
		c.FailPath(name, err)
		return 2
	}
	return 0
}

func (c *Call) sortCheck(order *sortOrder, lines []string, opts *Options) int {
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

func newSortOrder(opts *Options) (*sortOrder, string) {
	order := &sortOrder{stable: opts.Has("s"), unique: opts.Has("u")}
	for _, one := range opts.List {
		if strings.Contains("bdfghimMnRrV", one.Key) && one.Key != "m" {
			order.global.set(one.Key[0])
		}
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
	if key.startField, key.startChar, ok = key.position(from); !ok || key.startField == 0 {
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
	n, ok := quantity(fieldText)
	if !ok {
		return 0, 0, false
	}
	if hasChar {
		m, ok := quantity(charText)
		return int(n), int(m), ok
	}
	return int(n), 0, true
}

// sorted sorts, and drops equal lines if unique is asked for. Keys are taken out of each line once.
func (o *sortOrder) sorted(lines []string) []string {
	if o.unique {
		o.stable = true
	}
	if len(o.keys) == 0 && o.global == (sortKind{}) {
		slices.Sort(lines)
	} else {
		o.sortKeyed(lines)
	}
	if o.unique {
		lines = slices.CompactFunc(lines, func(a, b string) bool { return o.compare(a, b) == 0 })
	}
	return lines
}

// keyed is a line with its first key prepared.
type keyed struct {
	line  string
	first prepared
}

func (o *sortOrder) sortKeyed(lines []string) {
	kind := o.global
	if len(o.keys) > 0 {
		kind = o.keys[0].kind
	}
	all := make([]keyed, len(lines))
	for i, line := range lines {
		all[i] = keyed{line, o.prepare(kind, o.part(0, line))}
	}
	slices.SortStableFunc(all, func(a, b keyed) int {
		if d := comparePrepared(kind, a.first, b.first); d != 0 {
			return d
		}
		return o.compareFrom(1, a.line, b.line)
	})
	for i := range all {
		lines[i] = all[i].line
	}
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
			o.salt = []byte(randomText(16))
		}
		sum := sha256.Sum256(append(bytes.Clone(o.salt), text...))
		return prepared{text: string(sum[:])}
	}
	return prepare(kind, text)
}
