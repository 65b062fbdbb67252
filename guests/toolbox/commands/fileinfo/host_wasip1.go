package fileinfo

import (
	"encoding/binary"
	"runtime"
	"syscall"
	"unsafe"
)

// Preview 1 has no modes; the host adds these two calls.
//
//go:wasmimport capbox_fs stat
func fsStat(path unsafe.Pointer, pathBytes uint32, out unsafe.Pointer) uint32

//go:wasmimport capbox_fs chmod
func fsChmod(path unsafe.Pointer, pathBytes uint32, mode uint32) uint32

// Executable says whether the file's mode lets anyone execute it.
func Executable(path string) bool {
	mode, _, err := Mode(path)
	return err == nil && mode&0o111 != 0
}

// Mode is the file's type and permission bits as stat(2) gives them (followed links), and its count of links.
func Mode(path string) (mode, nlink uint32, err error) {
	var out [16]byte
	name := []byte(path)
	if len(name) == 0 {
		return 0, 0, syscall.ENOENT
	}
	errno := fsStat(unsafe.Pointer(&name[0]), uint32(len(name)), unsafe.Pointer(&out[0]))
	runtime.KeepAlive(name)
	if errno != 0 {
		return 0, 0, syscall.Errno(errno)
	}
	return binary.LittleEndian.Uint32(out[:]), binary.LittleEndian.Uint32(out[4:]), nil
}

// SetMode sets the permission bits of a file.
func SetMode(path string, mode uint32) error {
	name := []byte(path)
	if len(name) == 0 {
		return syscall.ENOENT
	}
	errno := fsChmod(unsafe.Pointer(&name[0]), uint32(len(name)), mode)
	runtime.KeepAlive(name)
	if errno != 0 {
		return syscall.Errno(errno)
	}
	return nil
}
