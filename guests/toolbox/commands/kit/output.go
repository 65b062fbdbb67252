package kit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"syscall"

	"capbox/toolbox/abi"
)

// SignalPipe is the status of a command whose reader went away, as a shell shows SIGPIPE.
const SignalPipe = 141

// writeFailed unwinds a command that cannot write its output; invoke turns it into a message and a status.
type writeFailed struct{ err error }

// Output is a command's buffered standard output. A failed write ends the command, so no command loops for nobody.
type Output struct {
	out    *bufio.Writer
	failed bool
}

// NewOutput buffers the writer; nil is a closed output.
func NewOutput(out io.Writer) *Output {
	if out == nil {
		out = io.Discard
	}
	return &Output{out: bufio.NewWriterSize(out, 16<<10)}
}

// Write implements io.Writer.
func (o *Output) Write(text []byte) (int, error) {
	n, err := o.out.Write(text)
	o.check(err)
	return n, err
}

// WriteString implements io.StringWriter.
func (o *Output) WriteString(text string) (int, error) {
	n, err := o.out.WriteString(text)
	o.check(err)
	return n, err
}

// WriteByte implements io.ByteWriter.
func (o *Output) WriteByte(b byte) error {
	err := o.out.WriteByte(b)
	o.check(err)
	return err
}

// Line writes the text and a newline.
func (o *Output) Line(text string) {
	o.WriteString(text)
	o.WriteByte('\n')
}

// Printf writes formatted text.
func (o *Output) Printf(format string, args ...any) { fmt.Fprintf(o, format, args...) }

// Visible writes a byte as cat -v shows it, tabs and line ends too.
func (o *Output) Visible(b byte) {
	if b >= 0x80 {
		o.WriteString("M-")
		b -= 0x80
	}
	switch {
	case b < 0x20:
		o.WriteString("^" + string(rune(b+'@')))
	case b == 0x7f:
		o.WriteString("^?")
	default:
		o.WriteByte(b)
	}
}

// Flush passes on what is buffered.
func (o *Output) Flush() { o.check(o.out.Flush()) }

// TryFlush is Flush for goroutines that nobody recovers: what fails is returned and ends nothing.
func (o *Output) TryFlush() error { return o.out.Flush() }

func (o *Output) check(err error) {
	if err != nil && !o.failed {
		o.failed = true
		panic(writeFailed{err})
	}
}

// statusInternal is the status of a command that failed by a bug of its own: EX_SOFTWARE of sysexits.h.
const statusInternal = 70

// Invoke runs a command to its end, flushes its output and gives its status. A panic ends this command alone: most run
// in goroutines of a pipeline, where it would take the whole module with it, and the script's result.
func Invoke(command Command, c *Call) (status int) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case writeFailed:
			status = c.Unwritten(cause.err)
		default:
			_ = c.Out.out.Flush()
			fmt.Fprintf(c.err, "%s: internal error: %v\n", c.Name, cause)
			status = statusInternal
		}
	}()
	status = command(c)
	c.Out.Flush()
	return status
}

// Unwritten says why the output could not be written, unless it was only that nobody reads any more, and gives the
// status of a command that ends because of it.
func (c *Call) Unwritten(failure error) int {
	if errors.Is(failure, io.ErrClosedPipe) || errors.Is(failure, syscall.EPIPE) {
		return SignalPipe
	}
	fmt.Fprintf(c.err, "%s: write error: %s\n", c.Name, abi.Reason(failure))
	return 1
}
