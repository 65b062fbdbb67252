//go:build wasip1 && reactor

package main

import (
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"time"
	_ "unsafe" // for go:linkname

	"capbox/toolbox/abi"
	"capbox/toolbox/seams"
)

// snapshotting is the patched runtime's: while it is true clock and seeds are constants (overlay/patches.toml).
//
//go:linkname snapshotting runtime.snapshotting
var snapshotting bool

// Call is the export that runs one call of a pre-initialised module.
//
//go:wasmexport capbox_call
func Call() {
	touch()
	call()
}

// Preinit runs once, at build time, before the snapshot is taken: the warm-up fills the caches, tables and heap that
// every call needs. It touches no file that exists.
//
//go:wasmexport preinit
func Preinit() {
	reserve()
	real := seams.StatDir
	seams.StatDir = func(string) (fs.FileInfo, error) { return nowhere{}, nil }
	for _, one := range warmups {
		// Through Read and Write: without them each call would build the JSON coder's tables anew.
		request, err := abi.Read(strings.NewReader(fmt.Sprintf(warmupRequest, one.tool, one.arguments)))
		if err == nil {
			_ = abi.Write(io.Discard, answer(request))
		}
	}
	tune()
	runtime.GC()
	seams.StatDir = real
	snapshotting = false
}

const warmupRequest = `{"tool":%q,"arguments":%s,"cwd":"/","env":{},"state":{},` +
	`"call":{"id":"warm-up","deadline_ms":1000,"output_bytes_max":100000}}`

// warmups are calls that succeed or fail without touching a file.
var warmups = []struct{ tool, arguments string }{
	{"bash", `{"script":"x=1; f() { local y=$1; echo \"$y\"; }; f hi | cat; for i in 1 2; do x=$((x + i)); done; ` +
		`[[ $x == 4 ]] && printf '%s\\n' \"${x}\" | sort | head -1; echo \"$(f a)\" 2>&1; cat <<< \"$x\""}`},
	{"bash", `{"script":"nosuchcommand; cat /nosuchfile"}`},
	{"bash", `{"script":"if"}`},
}

// nowhere is the directory of the warm-up: a real one would put its inode and times into the snapshot.
type nowhere struct{}

func (nowhere) Name() string       { return "/" }
func (nowhere) Size() int64        { return 0 }
func (nowhere) Mode() fs.FileMode  { return fs.ModeDir | 0o755 }
func (nowhere) ModTime() time.Time { return time.Time{} }
func (nowhere) IsDir() bool        { return true }
func (nowhere) Sys() any           { return nil }
