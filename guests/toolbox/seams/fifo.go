package seams

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// fifo is a named pipe inside this process: what <(command) and >(command) stand for.
type fifo struct {
	reader *PipeReader
	writer *PipeWriter
	read   chan struct{} // closed when the read end is open
	write  chan struct{} // closed when the write end is open
	sink   chan struct{} // closed when the command of >(command) ended
	isSink bool          // of >(command): the command reads
}

var (
	fifosMu sync.Mutex
	fifos   = map[string]*fifo{}
	sinks   []chan struct{} // of the commands that read from >(command)
)

// sinkPatience is how long the end of a script waits for the commands that read from >(command).
const sinkPatience = 2 * time.Second

// Mkfifo makes a named pipe that only this process sees.
func Mkfifo(path string, sink bool) error {
	fifosMu.Lock()
	defer fifosMu.Unlock()
	if fifos[path] != nil {
		return fs.ErrExist
	}
	reader, writer := Pipe()
	fifos[path] = &fifo{reader, writer, make(chan struct{}), make(chan struct{}), make(chan struct{}), sink}
	return nil
}

// IsFifo says whether the path names a pipe made by Mkfifo.
func IsFifo(path string) bool {
	fifosMu.Lock()
	defer fifosMu.Unlock()
	return fifos[path] != nil
}

// OpenFifo opens the end that the substituted command has not, and waits for that command as a named pipe does. The
// command's own end would wait for ever for another one.
func OpenFifo(path string, flag int) (io.ReadWriteCloser, error) {
	found, err := findFifo(path)
	if err != nil {
		return nil, err
	}
	write := flag&(os.O_WRONLY|os.O_RDWR) != 0
	if write != found.isSink {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
	}
	return found.open(write), nil
}

func findFifo(path string) (*fifo, error) {
	fifosMu.Lock()
	defer fifosMu.Unlock()
	if found := fifos[path]; found != nil {
		return found, nil
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}

// OpenSubstituted opens the end of the command of <(command) or >(command).
func OpenSubstituted(path string) (io.ReadWriteCloser, error) {
	found, err := findFifo(path)
	if err != nil {
		return nil, err
	}
	return found.open(!found.isSink), nil
}

func (found *fifo) open(write bool) io.ReadWriteCloser {
	if write {
		open(found.write)
		<-found.read
		fifosMu.Lock()
		if found.isSink {
			sinks = append(sinks, found.sink)
		}
		fifosMu.Unlock()
		return writeEnd{found.writer}
	}
	open(found.read)
	<-found.write
	return readEnd{found.reader}
}

func open(end chan struct{}) {
	fifosMu.Lock()
	defer fifosMu.Unlock()
	select {
	case <-end:
	default:
		close(end)
	}
}

// RemoveFifo forgets the name when the substituted command ended; open ends stay.
func RemoveFifo(path string) {
	fifosMu.Lock()
	defer fifosMu.Unlock()
	if found := fifos[path]; found != nil {
		close(found.sink)
		delete(fifos, path)
	}
}

// WaitForSinks lets the commands of >(command) that were used end before the script's output is taken.
func WaitForSinks() {
	patience := time.NewTimer(sinkPatience)
	defer patience.Stop()
	fifosMu.Lock()
	waiting := sinks
	sinks = nil
	fifosMu.Unlock()
	for _, sink := range waiting {
		select {
		case <-sink:
		case <-patience.C:
			return
		}
	}
}

var errEnd = errors.New("wrong end of a pipe")

type writeEnd struct{ *PipeWriter }

func (writeEnd) Read([]byte) (int, error) { return 0, fmt.Errorf("read: %w", errEnd) }

type readEnd struct{ *PipeReader }

func (readEnd) Write([]byte) (int, error) { return 0, fmt.Errorf("write: %w", errEnd) }
