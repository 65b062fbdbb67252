package sed

import (
	"bytes"
	"io"

	"capbox/toolbox/commands/kit"
)

// sedQueue is a file that R reads line by line; one that cannot be read is empty.
type sedQueue struct {
	file  io.Closer
	lines *kit.Lines
}

// queued is the next line of the file of an R command.
func (r *sedRun) queued(name string) (string, bool) {
	queue := r.queues[name]
	if queue == nil {
		queue = &sedQueue{}
		if file, err := r.c.Open(name); err == nil {
			queue.file, queue.lines = file, kit.NewLines(file, r.end)
		}
		r.queues[name] = queue
	}
	if queue.lines == nil {
		return "", false
	}
	return kit.NextString(queue.lines)
}

// runCommand serves e and s///e: a command in the same sandbox, whose output comes before the line; without one the
// pattern space is the command, and its output takes the place of it.
func (r *sedRun) runCommand(text string) {
	if text != "" {
		r.out.Flush()
		r.c.Run([]string{"sh", "-c", text}, kit.Change{Streams: kit.Streams{Out: r.fresh()}})
		return
	}
	var result bytes.Buffer
	r.c.Run([]string{"sh", "-c", string(r.pattern)}, kit.Change{Streams: kit.Streams{Out: &result}})
	r.pattern = append(r.pattern[:0], bytes.TrimSuffix(result.Bytes(), []byte("\n"))...)
}
