// Package fields holds the commands that see lines as records of fields: cut, paste, comm, join and column.
package fields

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"capbox/toolbox/commands/kit"
	"capbox/toolbox/commands/notation"
)

// Cut is the command cut.
func Cut(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{
		Short: "b:c:d:f:nsz", Usage: "OPTION... [FILE]...",
		Long: "bytes=b characters=c delimiter=d fields=f only-delimited=s complement output-delimiter: zero-terminated=z",
	})
	if done {
		return status
	}
	kind := opts.Last("b", "c", "f")
	if kind == "" {
		return c.Usage(1, "you must specify a list of bytes, characters, or fields")
	}
	if problem := cutClash(opts); problem != "" {
		return c.Usage(1, "%s", problem)
	}
	list, _ := opts.Value(kind)
	spans, problem := notation.ParseSpans(kind, list)
	if problem != "" {
		return c.Usage(1, "%s", problem)
	}
	job := cutter{spans: spans, kind: kind, delimiter: "\t", complement: opts.Has("complement"), only: opts.Has("s"), end: '\n'}
	if text, ok := opts.Value("d"); ok {
		if utf8.RuneCountInString(text) > 1 {
			return c.Usage(1, "the delimiter must be a single character")
		}
		job.delimiter = text
		if text == "" {
			job.delimiter = "\x00"
		}
	}
	job.joiner = job.delimiter
	if kind != "f" {
		job.joiner = ""
	}
	if text, ok := opts.Value("output-delimiter"); ok {
		job.joiner = text
	}
	if opts.Has("z") {
		job.end = 0
	}
	return c.Each(opts.Operands, func(_ string, in io.Reader) error { return job.copy(c.Out, in) })
}

// cutClash says which options do not go together.
func cutClash(opts *kit.Options) string {
	lists := 0
	for _, one := range opts.List {
		if one.Key == "b" || one.Key == "c" || one.Key == "f" {
			lists++
		}
	}
	switch {
	case lists > 1:
		return "only one list may be specified"
	case opts.Has("d") && !opts.Has("f"):
		return "an input delimiter may be specified only when operating on fields"
	case opts.Has("s") && !opts.Has("f"):
		return "suppressing non-delimited lines makes sense\n\tonly when operating on fields"
	}
	return ""
}

type cutter struct {
	spans             []notation.Span
	kind              string
	delimiter, joiner string
	complement, only  bool
	end               byte
}

func (j *cutter) copy(out *kit.Output, in io.Reader) error {
	lines := kit.NewLines(in, j.end)
	for {
		line, ok := lines.Next()
		if !ok {
			return lines.Failed
		}
		if j.kind == "f" {
			if !bytes.Contains(line, []byte(j.delimiter)) {
				if !j.only {
					out.Write(line)
					out.WriteByte(j.end)
				}
				continue
			}
			j.fields(out, string(line))
		} else {
			j.positions(out, line)
		}
		out.WriteByte(j.end)
	}
}

func (j *cutter) fields(out *kit.Output, line string) {
	first := true
	for n := 1; ; n++ {
		field, rest, more := strings.Cut(line, j.delimiter)
		if notation.InSpans(j.spans, n) != j.complement {
			if !first {
				out.WriteString(j.joiner)
			}
			out.WriteString(field)
			first = false
		}
		if !more {
			return
		}
		line = rest
	}
}

func (j *cutter) positions(out *kit.Output, line []byte) {
	last := -1
	for n := 1; len(line) > 0; n++ {
		size := 1
		if j.kind == "c" {
			_, size = utf8.DecodeRune(line)
		}
		if notation.InSpans(j.spans, n) != j.complement {
			if last >= 0 && last != n-1 {
				out.WriteString(j.joiner)
			}
			out.Write(line[:size])
			last = n
		}
		line = line[size:]
	}
}
