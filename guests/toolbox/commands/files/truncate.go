package files

import (
	"os"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
)

// Truncate is the command truncate.
func Truncate(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "cos:r:", Long: "no-create=c io-blocks=o size=s reference=r", Usage: "OPTION... FILE...",
	})
	if done {
		return status
	}
	text, sized := opts.Value("s")
	reference, referred := opts.Value("r")
	switch {
	case !sized && !referred:
		return c.Usage(1, "you must specify either '--size' or '--reference'")
	case opts.Has("o") && !sized:
		return c.Usage(1, "'--io-blocks' was specified but '--size' was not")
	case len(opts.Operands) == 0:
		return c.Usage(1, "missing file operand")
	}
	t := resizer{unit: 1, base: -1}
	if opts.Has("o") {
		t.unit = 4096
	}
	if sized && !t.parse(text) {
		return c.Fail("Invalid number: '%s'", text)
	}
	if t.amount == 0 && (t.relation == '/' || t.relation == '%') {
		return c.Fail("division by zero")
	}
	if referred {
		if sized && t.relation == 0 {
			return c.Usage(1, "you must specify a relative '--size' with '--reference'")
		}
		info, err := c.Stat(reference)
		if err != nil {
			return c.Fail("cannot stat '%s': %s", reference, kit.Reason(err))
		}
		if t.base = info.Size(); !sized {
			t.relation = '+'
		}
	}
	for _, name := range opts.Operands {
		if isDevice(c, name) {
			status = c.Fail("failed to truncate '%s': Invalid argument", name)
			continue
		}
		flags := os.O_WRONLY | os.O_CREATE
		if opts.Has("c") {
			flags = os.O_WRONLY
		}
		status |= t.resize(c, name, flags, opts.Has("c"))
	}
	return status
}

// isDevice says whether the name is a pseudo-file.
func isDevice(c *kit.Call, name string) bool {
	_, ok := kit.DeviceInfo(c.Path(name))
	return ok
}

// resizer is what --size asks for: an amount, absolute or in relation to what the file has.
type resizer struct {
	relation     byte // one of + - < > / %, or 0
	amount, unit int64
	base         int64 // the size to relate to; -1 is the file's own
}

func (t *resizer) parse(text string) bool {
	text = strings.TrimLeft(text, " ")
	if text != "" && strings.IndexByte("+-<>/%", text[0]) >= 0 {
		t.relation, text = text[0], strings.TrimLeft(text[1:], " ")
	}
	if text == "" || text[0] < '0' || text[0] > '9' {
		return false
	}
	n, ok := notation.Quantity(text)
	t.amount = n
	return ok
}

func (t *resizer) resize(c *kit.Call, name string, flags int, optional bool) int {
	file, err := os.OpenFile(c.Path(name), flags, 0o644)
	if os.IsNotExist(err) && optional {
		return 0
	}
	if err != nil {
		return c.Fail("cannot open '%s' for writing: %s", name, kit.Reason(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return c.Fail("cannot fstat '%s': %s", name, kit.Reason(err))
	}
	base := t.base
	if base < 0 {
		base = info.Size()
	}
	size, ok := t.size(base)
	if !ok {
		return c.Fail("overflow extending size of file '%s'", name)
	}
	if err := file.Truncate(size); err != nil {
		return c.Fail("failed to truncate '%s' at %d bytes: %s", name, size, kit.Reason(err))
	}
	return 0
}

// size is the new size; false if it does not fit in 63 bits.
func (t *resizer) size(base int64) (int64, bool) {
	if t.amount > (1<<62)/t.unit {
		return 0, false
	}
	amount := t.amount * t.unit
	switch t.relation {
	case '+':
		return base + amount, base <= 1<<62
	case '-':
		return max(base-amount, 0), true
	case '<':
		return min(base, amount), true
	case '>':
		return max(base, amount), true
	case '/':
		return base - base%amount, true
	case '%':
		return (base + amount - 1) / amount * amount, base <= 1<<62
	}
	return amount, true
}
