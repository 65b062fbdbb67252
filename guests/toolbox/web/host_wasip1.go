package web

import (
	"encoding/binary"
	"runtime"
	"syscall"
	"unsafe"
)

// Preview 1 has no requests; the host adds these four calls, if the run was granted any.
//
//go:wasmimport capbox_http request
func httpRequest(head unsafe.Pointer, headBytes uint32, body unsafe.Pointer, bodyBytes uint32, out unsafe.Pointer) uint32

//go:wasmimport capbox_http answer
func httpAnswer(into unsafe.Pointer, bytes uint32) uint32

//go:wasmimport capbox_http read
func httpRead(handle uint32, into unsafe.Pointer, bytes uint32, out unsafe.Pointer) uint32

//go:wasmimport capbox_http close
func httpClose(handle uint32) uint32

var sender Host = imported{}

// imported is the host of the sandbox.
type imported struct{}

// answerBytesMax bounds what is allocated for an answer on the host's word.
const answerBytesMax = 16 << 20

// Request implements Host.
func (imported) Request(head, body []byte) (uint32, []byte, error) {
	var out [8]byte
	errno := httpRequest(unsafe.Pointer(unsafe.SliceData(head)), uint32(len(head)),
		unsafe.Pointer(unsafe.SliceData(body)), uint32(len(body)), unsafe.Pointer(&out[0]))
	runtime.KeepAlive(head)
	runtime.KeepAlive(body)
	if errno != 0 {
		return 0, nil, syscall.Errno(errno)
	}
	answer, err := taken(binary.LittleEndian.Uint32(out[4:]))
	return binary.LittleEndian.Uint32(out[:]), answer, err
}

// Read implements Host.
func (imported) Read(handle uint32, into []byte) (int, []byte, error) {
	var out [8]byte
	errno := httpRead(handle, unsafe.Pointer(unsafe.SliceData(into)), uint32(len(into)), unsafe.Pointer(&out[0]))
	runtime.KeepAlive(into)
	if errno != 0 {
		return 0, nil, syscall.Errno(errno)
	}
	answer, err := taken(binary.LittleEndian.Uint32(out[4:]))
	return min(int(binary.LittleEndian.Uint32(out[:])), len(into)), answer, err
}

// Close implements Host.
func (imported) Close(handle uint32) error {
	if errno := httpClose(handle); errno != 0 {
		return syscall.Errno(errno)
	}
	return nil
}

// taken copies an answer of so many bytes; 0 is none.
func taken(bytes uint32) ([]byte, error) {
	if bytes == 0 {
		return nil, nil
	}
	if bytes > answerBytesMax {
		return nil, syscall.E2BIG
	}
	answer := make([]byte, bytes)
	errno := httpAnswer(unsafe.Pointer(&answer[0]), bytes)
	runtime.KeepAlive(answer)
	if errno != 0 {
		return nil, syscall.Errno(errno)
	}
	return answer, nil
}
