//go:build wasip1 && reactor

package main

import (
	"io/fs"
	"runtime"
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
	call()
}

// Preinit runs once, at build time, before the snapshot is taken: the warm-up fills the caches, tables and heap that
// every call needs. It touches no file that exists.
//
//go:wasmexport preinit
func Preinit() {
	real := seams.StatDir
	seams.StatDir = func(string) (fs.FileInfo, error) { return nowhere{}, nil }
	for range 1 {
		for _, one := range warmups {
			_ = answer(&abi.Request{
				Tool: one.tool, Arguments: []byte(one.arguments), Cwd: "/", Call: abi.Call{OutputBytesMax: abi.OutputBytesDefault},
			})
		}
	}
	tune()
	runtime.GC()
	seams.StatDir = real
	snapshotting = false
}

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
