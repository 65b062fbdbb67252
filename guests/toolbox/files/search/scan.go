package search

import (
	"bytes"
	"errors"
	"io"
)

const (
	windowFirst = 256 << 10
	windowUsual = 4 << 20
	// windowMax bounds memory: a line longer than this is searched in pieces.
	windowMax  = 32 << 20
	binarySpan = 8 << 10
)

// ErrTooLarge is a text that a multiline search, which needs it whole, does not hold.
var ErrTooLarge = errors.New("too large for a multiline search (32 MiB)")

// ErrBinary is a text that is no text.
var ErrBinary = errors.New("binary file")

// Line is one line of an answer. Its text is valid only until the emit function returns.
type Line struct {
	Number int
	Text   []byte
	Match  bool
	Gap    bool // lines were left out between this line and the one before
}

// Searcher runs one expression over any number of texts, reusing its buffers.
type Searcher struct {
	expression *Expression
	ahead      int // lines of context before a match
	behind     int // and after it
	window     []byte
	emit       func(Line) bool

	filled   int
	atEnd    bool
	position int // start of the first line not yet judged
	shown    int // end of the last line emitted, newline included
	after    int // context lines still owed
	number   int // number of the line at `counted`
	counted  int
	began    bool
	sniffed  bool
	lost     bool // lines behind `shown` left the window unseen
}

// NewSearcher prepares a search with so many lines of context before and after a match.
func NewSearcher(expression *Expression, before, after int) *Searcher {
	return &Searcher{expression: expression, ahead: before, behind: after, window: make([]byte, windowFirst)}
}

// Search reads the text to its end, or until emit says false, and emits lines in order.
func (s *Searcher) Search(text io.Reader, emit func(Line) bool) error {
	s.emit = emit
	s.filled, s.position, s.shown, s.after, s.counted = 0, 0, 0, 0, 0
	s.number, s.atEnd, s.began, s.lost, s.sniffed = 1, false, false, false, false
	for {
		if err := s.fill(text); err != nil {
			return err
		}
		limit, err := s.limit()
		if err != nil {
			return err
		}
		if limit > s.position && !s.judge(s.window[:limit]) || s.atEnd {
			return nil
		}
		s.slide()
	}
}

// fill reads until the window is full or the text ends.
func (s *Searcher) fill(text io.Reader) error {
	for !s.atEnd {
		if s.filled == len(s.window) {
			if !s.mayGrow() {
				return nil
			}
			grown := make([]byte, min(4*len(s.window), windowMax))
			copy(grown, s.window)
			s.window = grown
		}
		n, err := text.Read(s.window[s.filled:])
		s.filled += n
		if !s.sniffed && s.filled > 0 {
			s.sniffed = true
			if bytes.IndexByte(s.window[:min(s.filled, binarySpan)], 0) >= 0 {
				return ErrBinary
			}
		}
		if err == io.EOF {
			s.atEnd = true
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (s *Searcher) mayGrow() bool {
	size := len(s.window)
	if size >= windowMax {
		return false
	}
	return size < windowUsual || s.expression.multiline || bytes.IndexByte(s.window[s.position:], '\n') < 0
}

// limit is the end of the last line that is complete.
func (s *Searcher) limit() (int, error) {
	if s.atEnd {
		return s.filled, nil
	}
	if s.expression.multiline {
		return 0, ErrTooLarge
	}
	if end := bytes.LastIndexByte(s.window[s.position:s.filled], '\n'); end >= 0 {
		return s.position + end + 1, nil
	}
	return s.filled, nil
}

// judge emits the matching lines of the text and their context; false when the reader has had enough.
func (s *Searcher) judge(text []byte) bool {
	s.expression.begin()
	for s.position < len(text) {
		start, end := s.expression.next(text, s.position)
		if start < 0 {
			s.position = len(text)
			return s.owed(text, len(text))
		}
		if !s.owed(text, start) || !s.before(text, start) {
			return false
		}
		for start <= end && start < len(text) {
			stop := lineEnd(text[:end], start)
			if !s.show(text, start, stop, true) {
				return false
			}
			start = stop + 1
		}
		s.position = min(end+1, len(text))
		s.after = s.behind
	}
	return s.owed(text, len(text))
}

// owed emits context behind the last match, up to a limit that is the start of a line.
func (s *Searcher) owed(text []byte, limit int) bool {
	for s.after > 0 && s.shown < limit {
		s.after--
		if !s.show(text, s.shown, lineEnd(text, s.shown), false) {
			return false
		}
	}
	return true
}

// before emits context ahead of a match.
func (s *Searcher) before(text []byte, start int) bool {
	from := s.back(text, start, s.shown)
	for from < start {
		end := lineEnd(text, from)
		if !s.show(text, from, end, false) {
			return false
		}
		from = end + 1
	}
	return true
}

// back is the start of the line that lies `ahead` lines ahead of a line's start, not before the floor.
func (s *Searcher) back(text []byte, start, floor int) int {
	for i := 0; i < s.ahead && start > floor; i++ {
		start = floor + bytes.LastIndexByte(text[floor:start-1], '\n') + 1
	}
	return start
}

func (s *Searcher) show(text []byte, start, end int, match bool) bool {
	s.number += CountNewlines(text[s.counted:start])
	s.counted = start
	line := Line{Number: s.number, Text: bytes.TrimSuffix(text[start:end], []byte{'\r'}), Match: match}
	line.Gap = s.began && (start != s.shown || s.lost)
	s.began, s.lost = true, false
	s.shown = min(end+1, len(text))
	return s.emit(line)
}

// slide drops what has been judged, but for the lines that may yet be context.
func (s *Searcher) slide() {
	keep := s.back(s.window[:s.filled], s.position, min(s.shown, s.position))
	if s.position-keep > len(s.window)/2 {
		keep = s.position
	}
	s.number += CountNewlines(s.window[min(s.counted, keep):keep])
	s.counted = max(s.counted, keep) - keep
	s.lost = s.lost || s.shown < keep
	s.shown = max(s.shown, keep) - keep
	copy(s.window, s.window[keep:s.filled])
	s.filled -= keep
	s.position -= keep
}
