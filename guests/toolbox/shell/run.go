package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"

	"capbox/toolbox/abi"
	"capbox/toolbox/seams"
)

// reserveBytes of the output bound are for the result's frame: its keys, counts and the exit line.
const reserveBytes = 512

// session is one script with its streams.
type session struct {
	stdout *stream
	stderr *stream
}

func run(req *abi.Request, script, stdin string) abi.Result {
	capture := NewCapture(req.Call.OutputBytesMax)
	s := &session{stdout: &stream{capture: capture}, stderr: &stream{capture: capture}}
	saved := restore(req)
	code, runner := s.script(saved, script, strings.NewReader(stdin))

	outcome := &Outcome{ExitCode: code, StdoutBytes: s.stdout.written, StderrBytes: s.stderr.written}
	res := abi.Result{OK: true, Data: outcome}
	room := req.Call.OutputBytesMax - reserveBytes
	if runner != nil {
		next := saved.after(runner)
		res.State = next
		room -= next.bytes()
	} else if len(req.State) > 0 {
		res.State = req.State
		room -= len(req.State)
	}
	text, truncated := capture.Text(max(room, 1024))
	if code != 0 {
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		text += fmt.Sprintf("exit code %d\n", code)
	}
	res.Content, res.Truncated, outcome.Truncated = text, truncated, truncated
	return res
}

// script runs the text. The runner is nil if the text could not be parsed.
func (s *session) script(saved *state, text string, stdin io.Reader) (int, *interp.Runner) {
	file, fault := interp.Parsed(text, "bash")
	if fault != nil && len(file.Stmts) == 0 {
		fmt.Fprintf(s.stderr, "%s\n", interp.SyntaxError("bash", fault))
		return 2, nil
	}
	saved.cwd = s.startDir(saved)
	runner, err := s.runner(saved, saved.cwd, stdin, s.stdout, s.stderr)
	if err != nil {
		fmt.Fprintf(s.stderr, "bash: %s\n", err)
		return 1, nil
	}
	ctx := context.Background()
	saved.defineFunctions(ctx, runner)
	code := exitCode(runner.Run(ctx, file), s.stderr)
	if fault != nil && !runner.Exited() {
		fmt.Fprintf(s.stderr, "%s\n", interp.SyntaxError("bash", fault))
		code = 2
	}
	seams.WaitForSinks()
	return code, runner
}

// runner is an interpreter with the session's commands and the given streams.
func (s *session) runner(env expand.Environ, dir string, stdin io.Reader, out, err io.Writer) (*interp.Runner, error) {
	return interp.New(
		interp.Env(env),
		interp.Dir(dir),
		interp.StdIO(stdin, out, err),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return s.exec }),
		interp.CallHandler(adjust),
		interp.OpenHandler(open),
		interp.ReadDirHandler2(readDir),
		interp.StatHandler(stat),
		interp.AccessHandler(access),
	)
}

// startDir is where the last script of the run ended, if that still is a directory.
func (s *session) startDir(saved *state) string {
	for _, dir := range []string{saved.cwd, saved.requestCwd} {
		if info, err := seams.StatDir(dir); err == nil && info.IsDir() {
			seams.Started(dir, info)
			return dir
		}
		fmt.Fprintf(s.stderr, "bash: the working directory %s cannot be entered\n", dir)
	}
	return "/"
}

// exitCode is the status of a finished script; an error that is no status is told on stderr.
func exitCode(err error, stderr io.Writer) int {
	var status interp.ExitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	fmt.Fprintf(stderr, "bash: %s\n", err)
	return 1
}
