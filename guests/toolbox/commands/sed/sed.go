// Package sed is the command sed: a script is read into commands, then run once a line.
package sed

import (
	"io"
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
	broken    bool // reading or writing failed: what -i has so far must not replace the file
	missing   bool // the line written last lacks its newline, as the input's did
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
			if r.anew(); !r.quit {
				r.over([]string{name})
			}
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

// anew forgets what belongs to the file before, for one that is a stream of its own: its line numbers, open ranges
// and the hold space.
func (r *sedRun) anew() {
	r.number, r.hold = 0, r.hold[:0]
	for _, one := range r.script {
		one.active = false
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
		if r.out == r.c.Out {
			return r.fresh()
		}
		return r.c.Out // with -i too, where r.out is the file
	case "/dev/stderr":
		return kit.NewOutput(r.c.Err())
	}
	if out := r.outputs[name]; out != nil {
		return out
	}
	file, err := r.c.Create(name)
	if err != nil {
		r.c.Fail("couldn't open file %s: %s", name, kit.Reason(err))
		r.status, r.quit, r.broken = 4, true, true
		return kit.NewOutput(io.Discard)
	}
	r.files[name], r.outputs[name] = file, kit.NewOutput(file)
	return r.outputs[name]
}
