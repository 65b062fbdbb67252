// Package kit is what every command is made with: its call, options, output, files and lines.
//
// It guarantees that a command reaches files only through the system calls the host judges, and never starts a
// process. It knows no command and no format.
package kit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"capbox/toolbox/abi"
)

// Command runs once and returns the exit status.
type Command func(*Call) int

// Streams are a command's standard input and outputs. In may be nil: a closed input.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// Variables is the environment: name to value.
type Variables map[string]string

// Call is one run of one command.
type Call struct {
	Context context.Context
	Name    string
	Args    []string // without the name
	In      io.Reader
	Out     *Output
	Dir     string // absolute
	Env     func() Variables
	// Which is the path a command name stands for, "" if there is none.
	Which func(name string) string
	// About is what a command does, in a few words; nil knows none.
	About func(name string) string
	// Run runs another command with the same directory and environment unless they are given.
	Run func(args []string, change Change) int

	err   io.Writer
	input *bufio.Reader
}

// Change is what differs for a command that another one runs; zero fields mean "as the caller".
type Change struct {
	Context context.Context
	Streams Streams
	Dir     string
	Env     Variables
}

// New prepares a call; Invoke runs it.
func New(ctx context.Context, args []string, streams Streams) *Call {
	in := streams.In
	if in == nil {
		in = strings.NewReader("")
	}
	return &Call{Context: ctx, Name: args[0], Args: args[1:], In: in, Out: NewOutput(streams.Out), err: streams.Err}
}

// Err is the standard error. What was written to Out before comes first, as on a terminal.
func (c *Call) Err() io.Writer {
	c.Out.Flush()
	return c.err
}

// Fail prints "name: message" and returns status 1.
func (c *Call) Fail(format string, args ...any) int {
	fmt.Fprintf(c.Err(), "%s: %s\n", c.Name, fmt.Sprintf(format, args...))
	return 1
}

// Usage prints "name: message" and returns status 2... or what the tool returns for wrong usage.
func (c *Call) Usage(status int, format string, args ...any) int {
	c.Fail(format, args...)
	fmt.Fprintf(c.Err(), "Try '%s --help' for more information.\n", c.Name)
	return status
}

// FailPath prints "name: path: reason" and returns status 1.
func (c *Call) FailPath(path string, err error) int {
	return c.Fail("%s: %s", path, abi.Reason(err))
}

// Path is the absolute form of a name given to the command.
func (c *Call) Path(name string) string { return Absolute(c.Dir, name) }

// Absolute joins a relative name to a directory. The empty name stays empty: it exists nowhere.
func Absolute(dir, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	if strings.HasSuffix(name, "/") {
		return filepath.Join(dir, name) + "/"
	}
	return filepath.Join(dir, name)
}

// Open opens a file for reading; "-" is the standard input. A directory is an error here, as read(2) would say later.
func (c *Call) Open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(c.Input()), nil
	}
	file, err := OpenFile(c.Dir, name, os.O_RDONLY, 0, Streams{In: c.Input()})
	if err != nil {
		return nil, err
	}
	if real, ok := file.(*os.File); ok {
		if info, err := real.Stat(); err == nil && info.IsDir() {
			real.Close()
			return nil, ErrDirectory
		}
	}
	return file, nil
}

// Create opens a file for writing from its start.
func (c *Call) Create(name string) (io.WriteCloser, error) {
	return OpenFile(c.Dir, name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644, Streams{Out: c.Out, Err: c.err})
}

// Append opens a file for writing at its end.
func (c *Call) Append(name string) (io.WriteCloser, error) {
	return OpenFile(c.Dir, name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644, Streams{Out: c.Out, Err: c.err})
}

// Streams are the call's streams for who runs in goroutines of its own: a failed write is an error there, and what was
// written to Out does not come first.
func (c *Call) Streams() Streams { return Streams{In: c.In, Out: c.Out.out, Err: c.err} }

// Input is the standard input, buffered once for all readers of this call.
func (c *Call) Input() *bufio.Reader {
	if c.input == nil {
		c.input = bufio.NewReaderSize(c.In, 32<<10)
	}
	return c.input
}

// Each opens the named files in turn (the standard input if there are none) and gives each to visit; a file that
// cannot be opened is reported and makes the status 1.
func (c *Call) Each(names []string, visit func(name string, in io.Reader) error) int {
	return c.EachSaying(names, "%s: %s", visit)
}

// EachRead is Each for the commands that say "cannot open 'name' for reading".
func (c *Call) EachRead(names []string, visit func(name string, in io.Reader) error) int {
	if c.Name == "tac" {
		return c.EachSaying(names, "failed to open '%s' for reading: %s", visit)
	}
	return c.EachSaying(names, "cannot open '%s' for reading: %s", visit)
}

// EachSaying is Each with a message of its own for a file that cannot be opened.
func (c *Call) EachSaying(names []string, message string, visit func(name string, in io.Reader) error) int {
	if len(names) == 0 {
		names = []string{"-"}
	}
	status := 0
	for _, name := range names {
		file, err := c.Open(name)
		switch {
		case errors.Is(err, ErrDirectory) && message != "%s: %s":
			status = c.Fail("error reading '%s': %s", name, Reason(err))
			continue
		case err != nil:
			status = c.Fail(message, name, Reason(err))
			continue
		}
		err = visit(name, file)
		file.Close()
		if errors.Is(err, ErrStop) {
			break
		}
		if err != nil {
			status = c.FailPath(name, err)
		}
	}
	return status
}

// ErrStop ends Each early without being an error.
var ErrStop = errors.New("stop")

// Reason is an error in GNU's words.
func Reason(err error) string { return abi.Reason(err) }

// Stat describes a file (following links) or a pseudo-file.
func (c *Call) Stat(name string) (fs.FileInfo, error) {
	if info, ok := DeviceInfo(c.Path(name)); ok {
		return info, nil
	}
	if name == "" {
		return nil, fs.ErrNotExist
	}
	return os.Stat(c.Path(name))
}

// IsDir says whether an operand names a directory. The standard input, "-", is none, and is not looked for: to look at a file of
// that name, which nobody named, would be refused and told as a refusal.
func (c *Call) IsDir(name string) bool {
	if name == "-" {
		return false
	}
	info, err := c.Stat(name)
	return err == nil && info.IsDir()
}

// BatchBytesMax is where -exec ... {} + starts another command, and xargs too.
const BatchBytesMax = 128 << 10

// Slurp is all of a file, or of the standard input.
func (c *Call) Slurp(name string) ([]byte, error) {
	file, err := c.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}
