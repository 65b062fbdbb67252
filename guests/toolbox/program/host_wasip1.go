package program

import (
	"runtime"
	"syscall"
	"unsafe"
)

// Preview 1 knows no functions of a host; these three calls are ours.
//
//go:wasmimport capbox_invoke call
func invokeCall(name unsafe.Pointer, nameBytes uint32, body unsafe.Pointer, bodyBytes uint32, out unsafe.Pointer) uint32

//go:wasmimport capbox_invoke list
func invokeList(out unsafe.Pointer) uint32

//go:wasmimport capbox_invoke answer
func invokeAnswer(into unsafe.Pointer, bytes uint32) uint32

var caller Host = imported{}

// imported is the host of the sandbox.
type imported struct{}

// answerBytesMax bounds what is allocated for an answer on the host's word: a result of 1 MiB, all of it escaped.
const answerBytesMax = 16 << 20

// Call implements Host.
func (imported) Call(name string, arguments []byte) ([]byte, error) {
	var size uint32
	errno := invokeCall(unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)),
		unsafe.Pointer(unsafe.SliceData(arguments)), uint32(len(arguments)), unsafe.Pointer(&size))
	runtime.KeepAlive(name)
	runtime.KeepAlive(arguments)
	return taken(errno, size)
}

// List implements Host.
func (imported) List() ([]byte, error) {
	var size uint32
	errno := invokeList(unsafe.Pointer(&size))
	return taken(errno, size)
}

// taken copies the answer, of so many bytes.
func taken(errno, bytes uint32) ([]byte, error) {
	if errno != 0 {
		return nil, syscall.Errno(errno)
	}
	if bytes == 0 || bytes > answerBytesMax {
		return nil, syscall.E2BIG
	}
	answer := make([]byte, bytes)
	errno = invokeAnswer(unsafe.Pointer(&answer[0]), bytes)
	runtime.KeepAlive(answer)
	if errno != 0 {
		return nil, syscall.Errno(errno)
	}
	return answer, nil
}
