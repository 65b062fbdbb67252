package network

import (
	"errors"
	"io"
	"mime"
	"os"
	"path"
	"time"

	"capbox/toolbox/web"
)

// deliver writes the head, if it is asked for, and the body to where they go.
func (t *transfer) deliver() *problem {
	if length := t.response.Length; t.maxBytes > 0 && length != nil && *length > t.maxBytes {
		return failing(63, "Maximum file size exceeded")
	}
	out, problem := t.destination()
	if problem != nil {
		return problem
	}
	if t.opts.Has("i", "I") {
		if _, err := io.WriteString(out, t.heads.String()); err != nil {
			_ = out.Close()
			return failing(23, "Failure writing output to %s: %s", t.file, reason(err))
		}
	}
	if !t.opts.Has("I") {
		problem = t.copyBody(out)
	}
	if err := out.Close(); err != nil && problem == nil {
		problem = failing(23, "Failure writing output to %s: %s", t.file, reason(err))
	}
	if problem != nil && t.file != "" && t.opts.Has("remove-on-error") {
		_ = os.Remove(t.c.Path(t.file))
	}
	return problem
}

// open is the standard output or a file; closing the former does nothing.
type open struct {
	io.Writer
	close func() error
}

func (o open) Close() error { return o.close() }

// destination opens what -o, -O and -J name for this URL.
func (t *transfer) destination() (open, *problem) {
	stdout := open{t.c.Out, func() error { return nil }}
	name, chosen := "", t.number < len(t.outputs)
	if chosen {
		name = t.outputs[t.number]
	}
	remote := chosen && name == "" || !chosen && t.opts.Has("remote-name-all")
	switch {
	case name == "-" || !chosen && !remote:
		return stdout, nil
	case remote:
		if name = t.remoteName(); name == "" {
			return open{}, failing(23, "Remote file name has no length!")
		}
	}
	if dir, given := t.opts.Value("output-dir"); given {
		name = path.Join(dir, name)
	}
	if t.opts.Has("create-dirs") {
		if err := t.c.MakeParents(path.Dir(t.c.Path(name))); err != nil {
			return open{}, failing(23, "Failed to create the directories of %s: %s", name, reason(err))
		}
	}
	if remote && t.opts.Has("J") {
		if _, err := t.c.Stat(name); err == nil {
			return open{}, failing(23, "Refusing to overwrite %s: File exists", name)
		}
	}
	file, err := t.c.Create(name)
	if err != nil {
		return open{}, failing(23, "Failed to open the file %s: %s", name, reason(err))
	}
	t.file = name
	return open{file, file.Close}, nil
}

// remoteName is the file's name as the server says it (-J), or as the URL does.
func (t *transfer) remoteName() string {
	if t.opts.Has("J") {
		if _, words, err := mime.ParseMediaType(t.response.Header("Content-Disposition")); err == nil && words["filename"] != "" {
			return safeName(words["filename"])
		}
	}
	return fileName(t.url)
}

// copyBody writes the body as it comes.
func (t *transfer) copyBody(out io.Writer) *problem {
	head := time.Now()
	buffer := make([]byte, copyBytes)
	for {
		n, err := t.response.Body.Read(buffer)
		t.received += int64(n)
		switch {
		case t.maxBytes > 0 && t.received > t.maxBytes:
			return failing(63, "Maximum file size exceeded")
		case t.maxTime > 0 && time.Since(head) > t.left, web.Over(t.c.Context):
			return failing(28, "Operation timed out after %d milliseconds with %d bytes received", time.Since(t.began).Milliseconds(), t.received)
		}
		if _, writing := out.Write(buffer[:n]); writing != nil {
			return failing(23, "Failure writing output to %s: %s", t.file, reason(writing))
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case web.Code(err) == web.Protocol:
			return failing(18, "transfer closed with outstanding read data remaining (%s)", err)
		case err != nil:
			return failure(err, t.effective)
		}
	}
}
