// Package sed is the command sed: a script is read into commands, then run once a line.
package sed

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/pattern"
)

// sedRun is one run of sed over its inputs.
type sedRun struct {
	c        *kit.Call
	script   []*sedCommand
	quiet    bool
	separate bool
	end      byte

	inputs    *sedInput
	out       *kit.Output
	pattern   []byte
	hold      []byte
	replaced  []byte // what s wrote last, to be written over
	number    int
	appends   []func()
	quit      bool
	status    int
	lastRegex *pattern.Pattern
	changed   bool // whether s made a replacement since the last line was read or t branched
	files     map[string]io.WriteCloser
	outputs   map[string]*kit.Output
	queues    map[string]*sedQueue // of R
	wrap      int                  // of l
}

// Command is the command sed.
func Command(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "nEre:f:i::szul:b", Usage: "[OPTION]... {script-only-if-no-other-script} [input-file]...",
		Long: "quiet=n silent=n regexp-extended=E expression=e file=f in-place=i separate=s null-data=z unbuffered=u " +
			"line-length=l posix debug sandbox follow-symlinks",
	})
	if done {
		return status
	}
	var err error
	texts, names, status := sedTexts(c, opts)
	if status != 0 {
		return status
	}
	text := strings.Join(texts, "\n")
	p := &sedParser{text: text, extended: opts.Has("E", "r"), sandbox: opts.Has("sandbox")}
	script, problem := p.parse()
	if problem != "" {
		return c.Fail("-e expression #1, char %d: %s", p.at, problem)
	}
	if p.missing != "" {
		c.Fail("can't find label for jump to `%s'", p.missing)
		return 4
	}
	wrap := 70
	if text, ok := opts.Value("l"); ok {
		if wrap, err = strconv.Atoi(text); err != nil || wrap < 0 {
			return c.Usage(1, "invalid line length: %s", text)
		}
	}
	if status, done := c.Refuse(opts, "debug"); done {
		return status
	}
	r := &sedRun{
		c: c, script: script, quiet: opts.Has("n") || strings.HasPrefix(text, "#n\n") || text == "#n", separate: opts.Has("s", "i"),
		wrap: wrap, queues: map[string]*sedQueue{}, end: '\n', files: map[string]io.WriteCloser{}, outputs: map[string]*kit.Output{}, out: c.Out,
	}
	if opts.Has("z") {
		r.end = 0
	}
	defer r.closeFiles()
	if len(names) == 0 {
		names = []string{"-"}
	}
	if suffix, ok := opts.Value("i"); ok {
		return r.inPlace(names, suffix)
	}
	if r.separate {
		for _, name := range names {
			r.over([]string{name})
		}
		return r.status
	}
	r.over(names)
	return r.status
}

// sedTexts gives the scripts of -e and -f, or the first operand, and the files.
func sedTexts(c *kit.Call, opts *kit.Options) (texts, names []string, status int) {
	names = opts.Operands
	for _, one := range opts.List {
		switch one.Key {
		case "e":
			texts = append(texts, one.Value)
		case "f":
			file, err := c.Open(one.Value)
			if err != nil {
				return nil, nil, c.Fail("couldn't open file %s: %s", one.Value, kit.Reason(err))
			}
			text, err := io.ReadAll(file)
			file.Close()
			if err != nil {
				return nil, nil, c.FailPath(one.Value, err)
			}
			texts = append(texts, strings.TrimSuffix(string(text), "\n"))
		}
	}
	if len(texts) == 0 {
		if len(names) == 0 {
			return nil, nil, c.Usage(1, "no script specified")
		}
		texts, names = names[:1], names[1:]
	}
	return texts, names, 0
}

// over runs the script over a list of files as one stream.
func (r *sedRun) over(names []string) {
	r.inputs = &sedInput{run: r, names: names}
	defer r.inputs.close()
	for !r.quit && r.nextLine() {
		r.cycle()
	}
}

// nextLine reads a line into the pattern space.
func (r *sedRun) nextLine() bool {
	line, ok := r.inputs.next()
	if !ok {
		return false
	}
	r.pattern = append(r.pattern[:0], line...)
	r.number++
	r.changed = false
	return true
}

// inPlace edits each file: the result goes to a temporary sibling that then replaces it.
func (r *sedRun) inPlace(names []string, suffix string) int {
	for _, name := range names {
		path := r.c.Path(name)
		info, err := os.Stat(path)
		if err == nil && !info.Mode().IsRegular() {
			r.status = r.c.Fail("couldn't edit %s: not a regular file", name)
			continue
		}
		if err != nil {
			r.c.Fail("can't read %s: %s", name, kit.Reason(err))
			r.status = 2
			continue
		}
		var text bytes.Buffer
		r.out = kit.NewOutput(&text)
		r.number, r.quit = 0, false
		r.over([]string{name})
		r.out.Flush()
		if suffix != "" {
			backup := path + suffix
			if strings.Contains(suffix, "*") {
				backup = filepath.Join(filepath.Dir(path), strings.ReplaceAll(suffix, "*", filepath.Base(path)))
			}
			if old, err := os.ReadFile(path); err == nil {
				err = os.WriteFile(backup, old, 0o644)
				if err != nil {
					return r.c.Fail("cannot rename %s: %s", name, kit.Reason(err))
				}
			}
		}
		if err := replaceFile(path, text.Bytes()); err != nil {
			r.c.Fail("couldn't edit %s: %s", name, kit.Reason(err))
			r.status = 4
		}
	}
	return r.status
}

// replaceFile puts new content in place of a file by rename, so that it is whole at every moment. The host copies
// mode and attributes. Where no sibling can be made the file is written in place.
func replaceFile(path string, content []byte) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	beside := filepath.Join(filepath.Dir(path), ".capbox-"+kit.RandomText(6)+"-"+filepath.Base(path)+".tmp")
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return os.WriteFile(path, content, 0o644)
	}
	_, err = file.Write(content)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		_ = os.Remove(beside)
	}
	return err
}

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
				s.run.status = 2
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
			s.run.status = 2
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

func (r *sedRun) closeFiles() {
	for _, queue := range r.queues {
		if queue.file != nil {
			queue.file.Close()
		}
	}
	for name, out := range r.outputs {
		out.Flush()
		r.files[name].Close()
	}
}

// outputFor is the file of w or s///w, made empty when the script starts to use it.
func (r *sedRun) outputFor(name string) *kit.Output {
	switch name {
	case "/dev/stdout":
		return r.out
	case "/dev/stderr":
		return kit.NewOutput(r.c.Err())
	}
	if out := r.outputs[name]; out != nil {
		return out
	}
	file, err := r.c.Create(name)
	if err != nil {
		r.c.Fail("couldn't open file %s: %s", name, kit.Reason(err))
		r.status, r.quit = 4, true
		return kit.NewOutput(io.Discard)
	}
	r.files[name], r.outputs[name] = file, kit.NewOutput(file)
	return r.outputs[name]
}
