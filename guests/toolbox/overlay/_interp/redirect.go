package interp

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// errReported is a failure that was already told.
var errReported = errors.New("reported")

// redirect puts one redirection in force; closing the result takes it back.
func (r *Runner) redirect(ctx context.Context, rd *syntax.Redirect) (io.Closer, error) {
	n, err := r.redirected(rd)
	if err != nil {
		return nil, err
	}
	switch rd.Op {
	case syntax.Hdoc, syntax.DashHdoc:
		return r.install(n, hold(text{strings.NewReader(r.hdocString(rd))})), nil
	case syntax.WordHdoc:
		return r.install(n, hold(text{strings.NewReader(r.literal(rd.Word) + "\n")})), nil
	}
	words := r.fields(rd.Word)
	if !r.exit.ok() {
		return nil, errReported
	}
	if len(words) != 1 {
		r.complain("%s: ambiguous redirect", sourceOf(rd.Word))
		return nil, errReported
	}
	switch rd.Op {
	case syntax.DplIn, syntax.DplOut:
		return r.duplicate(ctx, rd, n, words[0])
	case syntax.RdrAll, syntax.AppAll:
		return r.redirectBoth(ctx, rd.Op == syntax.AppAll, words[0])
	}
	return r.redirectFile(ctx, rd.Op, n, words[0])
}

// redirected is the descriptor a redirection is for. {name}> takes a free one, tells it in the variable and stays.
func (r *Runner) redirected(rd *syntax.Redirect) (int, error) {
	if rd.N == nil {
		switch rd.Op {
		case syntax.RdrIn, syntax.RdrInOut, syntax.DplIn, syntax.Hdoc, syntax.DashHdoc, syntax.WordHdoc:
			return 0, nil
		}
		return 1, nil
	}
	if name, ok := strings.CutPrefix(rd.N.Value, "{"); ok {
		name = strings.TrimSuffix(name, "}")
		r.lasting = true
		if (rd.Op == syntax.DplIn || rd.Op == syntax.DplOut) && rd.Word.Lit() == "-" {
			n, err := strconv.Atoi(r.envGet(name))
			if err != nil || n < 0 || n > descriptorMax {
				r.complain("%s: ambiguous redirect", name)
				return 0, errReported
			}
			return n, nil
		}
		n, ok := r.freeDescriptor()
		if !ok {
			r.complain("%s: Too many open files", name)
			return 0, errReported
		}
		r.setVar(name, expand.Variable{Set: true, Kind: expand.String, Str: strconv.Itoa(n)})
		return n, nil
	}
	n, err := strconv.Atoi(rd.N.Value)
	if err != nil || n > descriptorMax {
		r.complain("%s: Bad file descriptor", rd.N.Value)
		return 0, errReported
	}
	return n, nil
}

// install opens file under n.
func (r *Runner) install(n int, file *held) io.Closer {
	c := &change{r: r, n: n, old: r.descriptor(n), now: file, opened: file}
	r.setDescriptor(n, file)
	return r.lastingOr(c)
}

// lastingOr keeps the change now if it is one of {name}>.
func (r *Runner) lastingOr(c *change) io.Closer {
	if r.lasting {
		r.lasting = false
		c.keep()
		return nil
	}
	return c
}

// duplicate serves n>&m, n<&m, n>&- and n>&m-; `>&file` is both outputs to a file.
func (r *Runner) duplicate(ctx context.Context, rd *syntax.Redirect, n int, word string) (io.Closer, error) {
	if word == "-" {
		c := &change{r: r, n: n, old: r.descriptor(n)}
		r.setDescriptor(n, nil)
		return r.lastingOr(c), nil
	}
	number, move := strings.CutSuffix(word, "-")
	m, err := strconv.Atoi(number)
	if err != nil || m < 0 {
		if rd.Op == syntax.DplOut && rd.N == nil && !move {
			return r.redirectBoth(ctx, false, word)
		}
		r.complain("%s: ambiguous redirect", sourceOf(rd.Word))
		return nil, errReported
	}
	file := r.descriptor(m)
	if file == nil {
		r.complain("%s: Bad file descriptor", number)
		return nil, errReported
	}
	c := &change{r: r, n: n, old: r.descriptor(n), now: file}
	r.setDescriptor(n, file)
	if move && m != n {
		source := &change{r: r, n: m, old: file}
		r.setDescriptor(m, nil)
		return &both{c, source}, nil
	}
	return r.lastingOr(c), nil
}

// both are two changes of one redirection.
type both struct{ first, second *change }

func (b *both) Close() error {
	return errors.Join(b.second.Close(), b.first.Close())
}

func (r *Runner) redirectBoth(ctx context.Context, appending bool, path string) (io.Closer, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if appending {
		flags = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	file, err := r.openHeld(ctx, path, flags)
	if err != nil {
		return nil, err
	}
	first := &change{r: r, n: 1, old: r.descriptor(1), now: file, opened: file}
	second := &change{r: r, n: 2, old: r.descriptor(2), now: file}
	r.stdout, r.stderr = file, file
	return &both{first, second}, nil
}

func (r *Runner) redirectFile(ctx context.Context, op syntax.RedirOperator, n int, path string) (io.Closer, error) {
	flags := os.O_RDONLY
	switch op {
	case syntax.RdrInOut:
		flags = os.O_RDWR | os.O_CREATE
	case syntax.AppOut:
		flags = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	case syntax.RdrOut, syntax.RdrClob:
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
		if op == syntax.RdrOut && r.opts[optNoClobber] {
			if info, err := r.stat(ctx, path); err == nil && info.Mode().IsRegular() {
				r.complain("%s: cannot overwrite existing file", path)
				return nil, errReported
			}
		}
	case syntax.RdrIn:
	default:
		return nil, errors.New("bash: " + op.String() + ": not supported here")
	}
	file, err := r.openHeld(ctx, path, flags)
	if err != nil {
		return nil, err
	}
	return r.install(n, file), nil
}

func (r *Runner) openHeld(ctx context.Context, path string, flags int) (*held, error) {
	if n, ok := descriptorPath(path); ok {
		file, err := r.openDescriptor(n)
		if err != nil {
			r.complain("%s: No such file or directory", path)
			return nil, errReported
		}
		return hold(file), nil
	}
	file, err := r.open(ctx, path, flags, 0o644, false)
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) && !r.exit.fatalExit {
			r.complain("%s: %v", path.Path, path.Err)
			return nil, errReported
		}
		return nil, err
	}
	return hold(file), nil
}

// sourceOf prints a word as it stands in the script.
func sourceOf(word *syntax.Word) string {
	var out strings.Builder
	if syntax.NewPrinter().Print(&out, word) != nil {
		return ""
	}
	return out.String()
}
