package abi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"syscall"
)

func bytesReader(raw json.RawMessage) io.Reader {
	if len(raw) == 0 {
		return bytes.NewReader([]byte("{}"))
	}
	return bytes.NewReader(raw)
}

// reasons are GNU's words; Go's are lower case and differ between systems.
var reasons = map[syscall.Errno]string{
	syscall.EACCES:       "Permission denied",
	syscall.EPERM:        "Operation not permitted",
	syscall.ENOENT:       "No such file or directory",
	syscall.EEXIST:       "File exists",
	syscall.ENOTDIR:      "Not a directory",
	syscall.EISDIR:       "Is a directory",
	syscall.ENOTEMPTY:    "Directory not empty",
	syscall.EXDEV:        "Invalid cross-device link",
	syscall.EINVAL:       "Invalid argument",
	syscall.ELOOP:        "Too many levels of symbolic links",
	syscall.ENAMETOOLONG: "File name too long",
	syscall.EROFS:        "Read-only file system",
	syscall.ENOSPC:       "No space left on device",
	syscall.EMFILE:       "Too many open files",
	syscall.EBADF:        "Bad file descriptor",
	syscall.ENOSYS:       "Function not implemented",
	syscall.EIO:          "Input/output error",
}

// Refused says whether the host refused the access (as opposed to the file being absent or broken).
func Refused(err error) bool {
	var errno syscall.Errno
	if errors.As(err, &errno) && errno == notCapable {
		return true
	}
	return errors.Is(err, fs.ErrPermission)
}

// Reason is the error without Go's "open x:" prefix, in the words GNU tools use.
func Reason(err error) string {
	if Refused(err) && !errors.Is(err, syscall.EPERM) {
		return "Permission denied"
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		if text, ok := reasons[errno]; ok {
			return text
		}
		return errno.Error()
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return reasons[syscall.ENOENT]
	case errors.Is(err, fs.ErrExist):
		return reasons[syscall.EEXIST]
	}
	return err.Error()
}
