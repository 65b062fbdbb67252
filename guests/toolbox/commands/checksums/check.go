package checksums

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"

	"capbox/toolbox/commands/kit"
)

// sumCount is what one list of sums came to.
type sumCount struct{ lines, malformed, bad, missing int }

// check compares the sums of lists with the files they name.
func (s *summing) check() int {
	failed := false
	status := s.c.Each(s.opts.Operands, func(list string, in io.Reader) error {
		var n sumCount
		number := 0
		err := kit.EachLine(in, func(line []byte) error {
			number++
			text := strings.TrimSuffix(string(line), "\r")
			if text == "" || text[0] == '#' {
				return nil
			}
			if !s.checkLine(text, &n) {
				n.malformed++
				if s.opts.Has("w") {
					s.c.Fail("%s: %d: improperly formatted %s checksum line", list, number, s.name())
				}
			}
			return nil
		})
		if list == "-" {
			list = "'standard input'"
		}
		if s.report(list, n) {
			failed = true
		}
		return err
	})
	if failed {
		return 1
	}
	return status
}

func (s *summing) name() string {
	if one, ok := algorithms[s.kind]; ok {
		return one.tag
	}
	return "CRC"
}

// checkLine verifies one line; false if it is none.
func (s *summing) checkLine(text string, n *sumCount) bool {
	kind, bits, name, want, ok := s.sumLine(text)
	if !ok {
		return false
	}
	n.lines++
	file, err := s.c.Open(name)
	if err != nil {
		if s.opts.Has("ignore-missing") && kit.Reason(err) == "No such file or directory" {
			n.lines--
			return true
		}
		n.missing++
		s.c.FailPath(name, err)
		if !s.opts.Has("status") {
			s.c.Out.Line(name + ": FAILED open or read")
		}
		return true
	}
	raw, err := s.digest(kind, bits, file)
	file.Close()
	good := err == nil && (strings.EqualFold(hex.EncodeToString(raw), want) || base64.StdEncoding.EncodeToString(raw) == want)
	if !good {
		n.bad++
	}
	if !s.opts.Has("status") && !(good && s.opts.Has("quiet")) {
		s.c.Out.Line(name + ": " + map[bool]string{true: "OK", false: "FAILED"}[good])
	}
	return true
}

// report tells what was wrong with a list; true if it was.
func (s *summing) report(list string, n sumCount) bool {
	if n.lines == 0 {
		if n.malformed == 0 && s.opts.Has("ignore-missing") {
			s.c.Fail("%s: no file was verified", list)
		} else {
			s.c.Fail("%s: no properly formatted checksum lines found", list)
		}
		return true
	}
	warn := func(count int, one, many string) {
		if count > 0 && !s.opts.Has("status") {
			s.c.Fail("WARNING: %d %s", count, map[bool]string{true: one, false: many}[count == 1])
		}
	}
	warn(n.malformed, "line is improperly formatted", "lines are improperly formatted")
	warn(n.missing, "listed file could not be read", "listed files could not be read")
	warn(n.bad, "computed checksum did NOT match", "computed checksums did NOT match")
	return n.bad+n.missing > 0 || n.malformed > 0 && s.opts.Has("strict")
}
