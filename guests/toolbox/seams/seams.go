// Package seams holds the functions that the patched copies of mvdan.cc/sh and goawk call instead of the operating
// system. The patches (overlay/patches.toml) import it; without them nothing reads these variables.
//
// It guarantees nothing itself: package shell sets the variables once, before anything runs.
package seams

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"capbox/toolbox/abi"
)

// Stat answers for a path the shell looks up in $PATH.
var Stat func(path string) (fs.FileInfo, error) = os.Stat

// StatDir answers for the directory a shell starts in.
var StatDir func(path string) (fs.FileInfo, error) = os.Stat

// started is the directory that Started told of, until StartDir asks for it.
var started struct {
	path string
	info fs.FileInfo
}

// Started tells what StatDir just said of the directory that the next shell starts in.
func Started(path string, info fs.FileInfo) { started.path, started.info = path, info }

// StartDir is StatDir, but does not ask a second time for what Started told of.
func StartDir(path string) (fs.FileInfo, error) {
	if info := started.info; info != nil && started.path == path {
		started.info = nil
		return info, nil
	}
	return StatDir(path)
}

// TooDeep ends the guest because its calls stand too deep in each other; a host takes these words for its bound.
var TooDeep = func(most int) {
	fmt.Fprintf(os.Stderr, "stack overflow: calls stand in each other more than %d deep\n", most)
	os.Exit(2)
}

// DirReason says why a directory cannot be entered; nil is for something that is no directory.
func DirReason(err error) string {
	if err == nil {
		return "Not a directory"
	}
	return abi.Reason(err)
}

// Broken says whether the reader of a pipe went away and a write to it failed since: the writer's SIGPIPE.
func Broken(out io.Writer) bool {
	pipe, ok := out.(interface{ Broken() bool })
	return ok && pipe.Broken()
}

// Random is a number from 0 to below-1 from the host's randomness.
func Random(below int) int {
	var raw [4]byte
	_, _ = rand.Read(raw[:])
	return int(binary.LittleEndian.Uint32(raw[:]) % uint32(below))
}

// FormatDate formats a time as date +FORMAT does.
var FormatDate = func(format string, when time.Time) string { return when.Format(time.RFC3339) }
