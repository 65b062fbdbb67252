package kit

import (
	"crypto/rand"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"capbox/toolbox/seams"
)

// ErrDirectory is what reading a directory as a file gives.
var ErrDirectory = syscall.EISDIR

// device is an open pseudo-file: there is no /dev behind the host, so these names are served here.
type device struct {
	io.Reader
	io.Writer
}

func (device) Close() error { return nil }

// Zeros reads as NUL bytes without end.
type Zeros struct{}

// Read never ends.
func (Zeros) Read(into []byte) (int, error) {
	clear(into)
	return len(into), nil
}

type empty struct{}

func (empty) Read([]byte) (int, error) { return 0, io.EOF }

type refusing struct{}

func (refusing) Read([]byte) (int, error)  { return 0, syscall.EBADF }
func (refusing) Write([]byte) (int, error) { return 0, syscall.EBADF }

// openDevice serves the pseudo-files of /dev; the second result is false for any other path.
func openDevice(path string, streams Streams) (io.ReadWriteCloser, bool) {
	dev := device{Reader: refusing{}, Writer: refusing{}}
	switch path {
	case "/dev/null":
		dev = device{Reader: empty{}, Writer: io.Discard}
	case "/dev/zero":
		dev = device{Reader: Zeros{}, Writer: io.Discard}
	case "/dev/random", "/dev/urandom":
		dev = device{Reader: rand.Reader, Writer: io.Discard}
	case "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0":
		if streams.In != nil {
			dev.Reader = streams.In
		}
	case "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1":
		if streams.Out != nil {
			dev.Writer = streams.Out
		}
	case "/dev/stderr", "/dev/fd/2", "/proc/self/fd/2":
		if streams.Err != nil {
			dev.Writer = streams.Err
		}
	default:
		return nil, false
	}
	return dev, true
}

// OpenFile opens a path that is relative to dir: a pseudo-file, a process substitution, or a real file.
func OpenFile(dir, name string, flag int, perm fs.FileMode, streams Streams) (io.ReadWriteCloser, error) {
	path := Absolute(dir, name)
	if path == "" {
		return nil, syscall.ENOENT
	}
	if dev, ok := openDevice(path, streams); ok {
		return dev, nil
	}
	if seams.IsFifo(path) {
		return seams.OpenFifo(path, flag)
	}
	return os.OpenFile(path, flag, perm)
}

// deviceInfo describes a pseudo-file.
type deviceInfo struct{ name string }

func (d deviceInfo) Name() string     { return d.name }
func (deviceInfo) Size() int64        { return 0 }
func (deviceInfo) Mode() fs.FileMode  { return fs.ModeDevice | fs.ModeCharDevice | 0o666 }
func (deviceInfo) ModTime() time.Time { return time.Time{} }
func (deviceInfo) IsDir() bool        { return false }
func (deviceInfo) Sys() any           { return nil }

// DeviceInfo describes the pseudo-file at an absolute path, if there is one.
func DeviceInfo(path string) (fs.FileInfo, bool) {
	if seams.IsFifo(path) {
		return deviceInfo{path}, true
	}
	if !strings.HasPrefix(path, "/dev/") {
		return nil, false
	}
	if _, ok := openDevice(path, Streams{}); !ok {
		return nil, false
	}
	return deviceInfo{path[len("/dev/"):]}, true
}
