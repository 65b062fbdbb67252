package jq

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"capbox/toolbox/commands/kit"
)

// jqInputs gives jq's inputs one by one, over all files; it also serves `input` and `inputs`.
type jqInputs struct {
	run     *jqRun
	names   []string
	name    string
	file    io.ReadCloser
	decoder *json.Decoder
	lines   *kit.Lines
	events  *jqEvents // of --stream
	failed  bool
	slurped bool
}

// Next is the next input, or an error as the value.
func (j *jqInputs) Next() (any, bool) {
	if j.run.opts.Has("s") {
		if j.slurped {
			return nil, false
		}
		j.slurped = true
		return j.slurpAll(), true
	}
	return j.next()
}

// slurpAll is all inputs as one array, or one text with -R.
func (j *jqInputs) slurpAll() any {
	if j.run.opts.Has("R") {
		text := ""
		for j.open() {
			raw, err := io.ReadAll(j.file)
			if err != nil {
				return err
			}
			text += string(raw)
			j.close()
		}
		return text
	}
	all := []any{}
	for {
		value, ok := j.next()
		if !ok {
			return all
		}
		if err, bad := value.(error); bad {
			return err
		}
		all = append(all, value)
	}
}

func (j *jqInputs) next() (any, bool) {
	for j.open() {
		if j.run.opts.Has("R") {
			if line, ok := j.lines.Next(); ok {
				return string(line), true
			}
			j.close()
			continue
		}
		value, err := j.decode()
		if err == nil {
			return value, true
		}
		name := j.name
		j.close()
		if !errors.Is(err, io.EOF) {
			j.names = nil
			j.failed = true
			return fmt.Errorf("invalid JSON in %s: %w", name, err), true
		}
	}
	return nil, false
}

// decode is the next value, or with --stream the next event.
func (j *jqInputs) decode() (any, error) {
	if j.run.opts.Has("stream") {
		return j.events.next()
	}
	var value any
	err := j.decoder.Decode(&value)
	return plainNumbers(value), err
}

// open makes sure a file is open; false when there are no more.
func (j *jqInputs) open() bool {
	for j.file == nil {
		if len(j.names) == 0 {
			return false
		}
		j.name, j.names = j.names[0], j.names[1:]
		file, err := j.run.c.Open(j.name)
		if err != nil {
			j.run.c.Fail("error: Could not open %s: %s", j.name, kit.Reason(err))
			j.failed = true
			continue
		}
		j.file = file
		in := io.Reader(file)
		if j.run.opts.Has("seq") {
			in = withoutSeparators{file}
		}
		j.decoder = json.NewDecoder(in)
		j.decoder.UseNumber()
		j.events = &jqEvents{decoder: j.decoder}
		j.lines = kit.NewLines(file, '\n')
	}
	return true
}

func (j *jqInputs) close() {
	j.file.Close()
	j.file = nil
}

// place names where the current input came from.
func (j *jqInputs) place() string {
	if j.name == "-" || j.name == "" {
		return "<stdin>"
	}
	return j.name
}
