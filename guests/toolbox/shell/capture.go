package shell

import (
	"os"
	"strings"
	"sync"

	"capbox/toolbox/abi"
)

// floodFactor times the output bound is where a script stops being long-winded and becomes a flood.
const floodFactor = 4

// Capture holds what a terminal would show, its beginning and its end, within a bound. Both streams write to it.
//
// A script that writes more than floodFactor times the bound is a flood: Capture then writes to the real stdout until
// the host's own output bound stops the call. Truncating for ever would let an endless producer use up the deadline.
type Capture struct {
	mu    sync.Mutex
	head  []byte
	tail  []byte
	half  int
	total int64
	flood func()
}

// NewCapture keeps at most bytesMax bytes.
func NewCapture(bytesMax int) *Capture {
	return &Capture{half: max(bytesMax/2, 256), flood: flood}
}

// stream is one of the two ends of a Capture, with its own count.
type stream struct {
	capture *Capture
	written int64
}

// Write appends to the shared text; it never fails.
func (s *stream) Write(text []byte) (int, error) {
	c := s.capture
	c.mu.Lock()
	defer c.mu.Unlock()
	s.written += int64(len(text))
	c.total += int64(len(text))
	rest := text
	if room := c.half - len(c.head); room > 0 {
		n := min(room, len(rest))
		c.head = append(c.head, rest[:n]...)
		rest = rest[n:]
	}
	c.keepTail(rest)
	if c.total > floodFactor*2*int64(c.half) {
		c.flood()
	}
	return len(text), nil
}

// keepTail lets the tail grow to twice its bound before it drops the older half, so that copying stays linear.
func (c *Capture) keepTail(rest []byte) {
	if len(rest) >= c.half {
		c.tail = append(c.tail[:0], rest[len(rest)-c.half:]...)
		return
	}
	c.tail = append(c.tail, rest...)
	if len(c.tail) > 2*c.half {
		c.tail = append(c.tail[:0], c.tail[len(c.tail)-c.half:]...)
	}
}

// Text is what was captured, at most jsonBytesMax bytes once it is encoded as JSON. The second result says whether
// anything was left out.
func (c *Capture) Text(jsonBytesMax int) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := append(append([]byte{}, c.head...), c.tail...)
	if int(c.total) == len(all) && abi.EscapedSize(all) <= jsonBytesMax {
		return string(all), false
	}
	head := fitting(all, jsonBytesMax/2, false)
	rest := all[len(head):]
	tail := fitting(rest, jsonBytesMax/2-64, true)
	cut := c.total - int64(len(head)) - int64(len(tail))
	return string(head) + "\n[... " + abi.Grouped(cut) + " bytes left out ...]\n" + string(tail), true
}

// fitting is the longest beginning (or end) of the text whose JSON form has at most bytesMax bytes, cut at a line if
// one ends within the last quarter.
func fitting(text []byte, bytesMax int, fromEnd bool) []byte {
	low, high := 0, len(text)
	part := func(n int) []byte {
		if fromEnd {
			return text[len(text)-n:]
		}
		return text[:n]
	}
	for low < high {
		middle := (low + high + 1) / 2
		if abi.EscapedSize(part(middle)) <= bytesMax {
			low = middle
		} else {
			high = middle - 1
		}
	}
	kept := part(low)
	if low == len(text) {
		return kept
	}
	if fromEnd {
		if at := strings.IndexByte(string(kept), '\n'); at >= 0 && at < len(kept)/4 {
			return kept[at+1:]
		}
	} else if at := strings.LastIndexByte(string(kept), '\n'); at >= len(kept)*3/4 {
		return kept[:at]
	}
	return kept
}

// flood writes to stdout until the host stops the call. It ends the module if no host bound is in force: there is no
// valid result any more once stray bytes went out.
func flood() {
	chunk := []byte(strings.Repeat("\x00", 64<<10))
	for range 1 << 14 {
		if _, err := os.Stdout.Write(chunk); err != nil {
			break
		}
	}
	os.Exit(1)
}
