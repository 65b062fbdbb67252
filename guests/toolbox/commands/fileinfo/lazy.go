package fileinfo

import (
	"io/fs"
	"time"
)

// Lazy asks for a file's size and time only when a test needs them: names and types come with the directory.
type Lazy struct{ fs.DirEntry }

// Mode is the type alone.
func (l Lazy) Mode() fs.FileMode { return l.Type() }

// ModTime asks the host.
func (l Lazy) ModTime() time.Time {
	if info, err := l.Info(); err == nil {
		return info.ModTime()
	}
	return time.Time{}
}

// Sys is nothing: identity is not known from a listing.
func (Lazy) Sys() any { return nil }

// Size asks the host.
func (l Lazy) Size() int64 {
	if info, err := l.Info(); err == nil {
		return info.Size()
	}
	return 0
}
