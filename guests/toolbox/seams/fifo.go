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
	isSink bool
}

var (
	fifosMu sync.Mutex
	fifos   = map[string]*fifo{}
	sinks   []chan struct{} // of the commands that read from >(command)
)

// sinkPatience is how long the end of a script waits for the commands that read from >(command).
const sinkPatience = 2 * time.Second

// Mkfifo makes a named pipe that only this process sees.
func Mkfifo(path string, _ uint32) error {
	fifosMu.Lock()
	defer fifosMu.Unlock()
	if fifos[path] != nil {
		return fs.ErrExist
	}
	reader, writer := Pipe()
	fifos[path] = &fifo{reader, writer, make(chan struct{}), make(chan struct{}), make(chan struct{}), false}
	return nil
}

// IsFifo says whether the path names a pipe made by Mkfifo.
func IsFifo(path string) bool {
	fifosMu.Lock()
	defer fifosMu.Unlock()
	return fifos[path] != nil
}

// OpenFifo opens one end, and waits for the other end as a named pipe does.
func OpenFifo(path string, flag int) (io.ReadWriteCloser, error) {
	fifosMu.Lock()
	found := fifos[path]
	fifosMu.Unlock()
	if found == nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	if flag&(os.O_WRONLY|os.O_RDWR) != 0 {
		open(found.write)
		<-found.read
		fifosMu.Lock()
		if found.isSink {
			sinks = append(sinks, found.sink)
		}
		fifosMu.Unlock()
		return writeEnd{found.writer}, nil
	}
	open(found.read)
	<-found.write
	return readEnd{found.reader}, nil
}

// OpenSink opens the read end for the command of >(command).
func OpenSink(path string) (io.ReadWriteCloser, error) {
	fifosMu.Lock()
	if found := fifos[path]; found != nil {
		found.isSink = true
	}
	fifosMu.Unlock()
	return OpenFifo(path, os.O_RDONLY)
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
