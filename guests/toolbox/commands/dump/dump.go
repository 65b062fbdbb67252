// Package dump holds the commands that show bytes: od, hexdump, xxd and strings.
//
// It guarantees that od and xxd hold at most dumpBytesMax of what they show.
package dump

import (
	"errors"
	"io"
	"strconv"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
)

// dumpBytesMax bounds what one dump holds.
const dumpBytesMax = 64 << 20

// dumpNumber is the number given for a key, as C writes it or with a unit; usual if there is none.
func dumpNumber(o *kit.Options, key string, usual int64) (n int64, text string, ok bool) {
	text, given := o.Value(key)
	if !given {
		return usual, "", true
	}
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		return n, text, true
	}
	n, ok = notation.Quantity(text)
	return n, text, ok
}

// dumped is all operands of a dump as one stream: at most so many bytes of it, and the offset of the first. A negative
// offset counts from the end.
func dumped(c *kit.Call, names []string, from, length int64) ([]byte, int64, int) {
	length = min(length, dumpBytesMax)
	skip, keep := max(from, 0), length
	if from < 0 {
		keep = dumpBytesMax
	}
	var all []byte
	status := c.Each(names, func(_ string, in io.Reader) error {
		n, err := io.CopyN(io.Discard, in, skip)
		skip -= n
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			var raw []byte
			raw, err = io.ReadAll(io.LimitReader(in, keep-int64(len(all))))
			all = append(all, raw...)
		}
		return err
	})
	if from >= 0 || status != 0 {
		return all, max(from, 0), status
	}
	size := int64(len(all))
	start := size + from
	if start < 0 || size == dumpBytesMax { // beyond the bound the end is not known
		c.Fail("Sorry, cannot seek.")
		return nil, 0, 4
	}
	return all[start:min(start+length, size)], start, 0
}
