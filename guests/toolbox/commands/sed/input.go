package sed

import (
	"errors"
	"io"

	"capbox/toolbox/commands/kit"
)

// sedInput is the files as one stream that knows its last line.
type sedInput struct {
	run    *sedRun
	names  []string
	file   io.Closer
	lines  *kit.Lines
	given  []byte // the line given out last; the two take turns
	ahead  []byte
	has    bool
	ended  bool // whether the line ahead had its newline
	name   string
	atEnd  bool // whether the line given out last had its newline
	opened bool
}

func (s *sedInput) next() ([]byte, bool) {
	if !s.opened {
		s.opened = true
		s.advance()
	}
	if !s.has {
		return nil, false
	}
	s.given, s.ahead = s.ahead, s.given
	s.atEnd = s.ended
	s.advance()
	return s.given, true
}

// advance reads one line ahead, over the ends of files.
func (s *sedInput) advance() {
	for {
		if s.lines != nil {
			if line, ok := s.lines.Next(); ok {
				s.ahead, s.has, s.ended = append(s.ahead[:0], line...), true, s.lines.Ended
				return
			}
			if err := s.lines.Failed; err != nil {
				s.run.c.Fail("couldn't read %s: %s", s.name, kit.Reason(err))
				s.run.status, s.run.broken = 2, true
			}
			s.file.Close()
			s.lines = nil
		}
		if len(s.names) == 0 {
			s.has = false
			return
		}
		name := s.names[0]
		s.names = s.names[1:]
		file, err := s.run.c.Open(name)
		if err != nil {
			if errors.Is(err, kit.ErrDirectory) {
				s.run.c.Fail("couldn't edit %s: not a regular file", name)
			} else {
				s.run.c.Fail("can't read %s: %s", name, kit.Reason(err))
			}
			s.run.status, s.run.broken = 2, true
			continue
		}
		s.name, s.file, s.lines = name, file, kit.NewLines(file, s.run.end)
	}
}

func (s *sedInput) last() bool { return !s.has }

func (s *sedInput) close() {
	if s.lines != nil {
		s.file.Close()
	}
}
