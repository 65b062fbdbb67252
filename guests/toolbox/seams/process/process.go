// Package process has the part of os/exec that goawk uses, for commands that run inside this module.
//
// It guarantees that nothing outside is started: a "shell" is a function that was registered before. It does not
// know signals or environments.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"sync"

	"capbox/toolbox/seams"
)

// ExitError is os/exec's; no command here returns it.
type ExitError = exec.ExitError

// Host runs a shell command and opens files for one awk.
type Host struct {
	Run  func(code string, stdin io.Reader, stdout, stderr io.Writer) int
	Open func(name string, flag int, perm fs.FileMode) (io.ReadWriteCloser, error)
}

var (
	mu    sync.Mutex
	hosts = map[string]Host{}
	next  int
)

// Register gives the "shell command" that stands for a host; release forgets it.
func Register(host Host) (shell []string, release func()) {
	mu.Lock()
	defer mu.Unlock()
	next++
	key := strconv.Itoa(next)
	hosts[key] = host
	return []string{"capbox", key}, func() {
		mu.Lock()
		defer mu.Unlock()
		delete(hosts, key)
	}
}

func find(shell []string) (Host, error) {
	mu.Lock()
	defer mu.Unlock()
	if len(shell) < 2 || shell[0] != "capbox" {
		return Host{}, errors.New("no commands can be run here")
	}
	return hosts[shell[1]], nil
}

// OpenFile opens a file for the awk with this shell command. Errors are *os.PathError, as goawk expects.
func OpenFile(shell []string, name string, flag int, perm fs.FileMode) (io.ReadWriteCloser, error) {
	host, err := find(shell)
	if err == nil {
		var file io.ReadWriteCloser
		if file, err = host.Open(name, flag, perm); err == nil {
			return file, nil
		}
	}
	return nil, &os.PathError{Op: "open", Path: name, Err: err}
}

// Cmd is a command to run.
type Cmd struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer

	shell []string
	code  string
	ends  []io.Closer
	done  chan struct{}
	exit  int
}

// Command prepares `shell key code`.
func Command(name string, args ...string) *Cmd {
	return &Cmd{shell: append([]string{name}, args[:len(args)-1]...), code: args[len(args)-1], done: make(chan struct{})}
}

// CommandContext is Command: the host stops everything when a call ends.
func CommandContext(_ context.Context, name string, args ...string) *Cmd {
	return Command(name, args...)
}

// StdinPipe gives the write end of the command's input.
func (c *Cmd) StdinPipe() (io.WriteCloser, error) {
	reader, writer := seams.Pipe()
	c.Stdin = reader
	c.ends = append(c.ends, reader)
	return writer, nil
}

// StdoutPipe gives the read end of the command's output.
func (c *Cmd) StdoutPipe() (io.ReadCloser, error) {
	reader, writer := seams.Pipe()
	c.Stdout = writer
	c.ends = append(c.ends, writer)
	return reader, nil
}

// Start runs the command beside the caller.
func (c *Cmd) Start() error {
	host, err := find(c.shell)
	if err != nil {
		return fmt.Errorf("cannot run: %w", err)
	}
	go func() {
		defer close(c.done)
		c.exit = host.Run(c.code, c.Stdin, c.Stdout, c.Stderr)
		for _, end := range c.ends {
			end.Close()
		}
	}()
	return nil
}

// Wait waits for the end of the command.
func (c *Cmd) Wait() error {
	<-c.done
	return nil
}

// ExitCode waits for the end of the command and gives its status.
func (c *Cmd) ExitCode() int {
	<-c.done
	return c.exit
}
