package interp

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"capbox/toolbox/seams"
)

// held is an open file that several descriptors and shells may share; the last Close closes it.
type held struct {
	io.ReadWriteCloser
	refs atomic.Int32
}

func hold(file io.ReadWriteCloser) *held {
	h := &held{ReadWriteCloser: file}
	h.refs.Store(1)
	return h
}

func (h *held) retain() *held {
	h.refs.Add(1)
	return h
}

// Close gives one reference back.
func (h *held) Close() error {
	if h.refs.Add(-1) != 0 {
		return nil
	}
	return h.ReadWriteCloser.Close()
}

// SetReadDeadline does nothing: no read of a file here can be interrupted.
func (*held) SetReadDeadline(time.Time) error { return nil }

// Broken says whether this is a pipe that nobody reads any more.
func (h *held) Broken() bool {
	pipe, ok := h.ReadWriteCloser.(interface{ Broken() bool })
	return ok && pipe.Broken()
}

// closedFile stands for a descriptor that was closed, or that is open for the other direction only.
type closedFile struct{}

var errBadDescriptor = &fs.PathError{Op: "bash:", Path: "descriptor", Err: errors.New("Bad file descriptor")}

func (closedFile) Read([]byte) (int, error)  { return 0, errBadDescriptor }
func (closedFile) Write([]byte) (int, error) { return 0, errBadDescriptor }
func (closedFile) Close() error              { return nil }

func (closedFile) SetReadDeadline(time.Time) error { return nil }

// text is a here-document.
type text struct{ *strings.Reader }

func (text) Write([]byte) (int, error) { return 0, errBadDescriptor }
func (text) Close() error              { return nil }

func (text) SetReadDeadline(time.Time) error { return nil }

// descriptorMax is bash's own bound with the usual limit of 1024 open files.
const descriptorMax = 1023

// descriptor is what is open under a number; nil if nothing is.
func (r *Runner) descriptor(n int) any {
	switch n {
	case 0:
		if r.stdin == nil {
			return nil
		}
		return r.stdin
	case 1:
		return open(r.stdout)
	case 2:
		return open(r.stderr)
	}
	return r.fds[n]
}

func open(w io.Writer) any {
	if _, closed := w.(closedFile); closed || w == nil {
		return nil
	}
	return w
}

// setDescriptor opens or closes a number. The table of those above 2 is shared with subshells, so it is copied.
func (r *Runner) setDescriptor(n int, file any) {
	switch n {
	case 0:
		r.stdin = asInput(file)
	case 1:
		r.stdout = asOutput(file)
	case 2:
		r.stderr = asOutput(file)
	default:
		r.fds = maps.Clone(r.fds)
		if r.fds == nil {
			r.fds = map[int]any{}
		}
		if file == nil {
			delete(r.fds, n)
		} else {
			r.fds[n] = file
		}
	}
}

func asInput(file any) stdinFile {
	switch file := file.(type) {
	case nil:
		return nil
	case stdinFile:
		return file
	case io.Reader:
		return plainReader{file}
	}
	return closedFile{}
}

func asOutput(file any) io.Writer {
	if writer, ok := file.(io.Writer); ok {
		return writer
	}
	return closedFile{}
}

// freeDescriptor is the lowest unused number from 10 on, as for {name}>file.
func (r *Runner) freeDescriptor() (int, bool) {
	for n := 10; n <= descriptorMax; n++ {
		if r.fds[n] == nil {
			return n, true
		}
	}
	return 0, false
}

// change is one redirection that is in force; Close takes it back.
type change struct {
	r      *Runner
	n      int
	old    any
	now    any
	opened *held // that this redirection opened, or nil
}

func (c *change) Close() error {
	c.r.setDescriptor(c.n, c.old)
	if c.opened != nil {
		return c.opened.Close()
	}
	return nil
}

// keep makes the redirection one of the shell itself (`exec 3>file`).
func (c *change) keep() {
	r := c.r
	if before := r.owned[c.n]; before != nil {
		defer before.Close()
	}
	if r.owned == nil {
		r.owned = map[int]*held{}
	}
	delete(r.owned, c.n)
	if file, ok := c.now.(*held); ok {
		if c.opened == nil {
			file.retain()
		}
		r.owned[c.n] = file
	}
}

// keepAll keeps the redirections of an `exec` without a command.
func keepAll(closers []io.Closer) {
	for _, one := range closers {
		if c, ok := one.(*change); ok {
			c.keep()
		}
	}
}

// closeOwned ends what `exec` left open, so that the commands that read from it see the end.
func (r *Runner) closeOwned() {
	for n, file := range r.owned {
		delete(r.owned, n)
		file.Close()
	}
}

// shareFiles keeps every open file open until a shell that runs beside this one ended.
func (r *Runner) shareFiles() (release func()) {
	var files []*held
	for _, file := range []any{r.stdin, r.stdout, r.stderr} {
		if h, ok := file.(*held); ok {
			files = append(files, h.retain())
		}
	}
	for _, file := range r.fds {
		if h, ok := file.(*held); ok {
			files = append(files, h.retain())
		}
	}
	return func() {
		for _, h := range files {
			h.Close()
		}
	}
}

// descriptorPath is the number in /dev/fd/N.
func descriptorPath(path string) (int, bool) {
	number, ok := strings.CutPrefix(path, "/dev/fd/")
	n, err := strconv.Atoi(number)
	return n, ok && err == nil && n > 2
}

// openDescriptor opens /dev/fd/N.
func (r *Runner) openDescriptor(n int) (io.ReadWriteCloser, error) {
	switch file := r.fds[n].(type) {
	case *held:
		return file.retain(), nil
	case io.Writer:
		return seams.WriteOnly(file), nil
	case io.Reader:
		return seams.ReadOnly(file), nil
	}
	return nil, &fs.PathError{Op: "bash:", Path: "/dev/fd/" + strconv.Itoa(n), Err: syscall.ENOENT}
}
