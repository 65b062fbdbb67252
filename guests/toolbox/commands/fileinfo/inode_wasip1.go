package fileinfo

import (
	"io/fs"
	"syscall"
)

// Inode is a file's number, 0 if unknown.
func Inode(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Ino
	}
	return 0
}
