//go:build !wasip1

package fileinfo

import "os"

// Executable says whether the file's mode lets anyone execute it.
func Executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o111 != 0
}

// Mode is the file's type and permission bits as stat(2) gives them (followed links).
func Mode(path string) (mode, nlink uint32, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, 0, err
	}
	return uint32(info.Mode().Perm()), 1, nil
}

// SetMode sets the permission bits of a file.
func SetMode(path string, mode uint32) error { return os.Chmod(path, os.FileMode(mode)) }
