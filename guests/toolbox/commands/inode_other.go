//go:build !wasip1

package commands

import (
	"io/fs"
	"syscall"
)

// inode is a file's number, 0 if unknown.
func inode(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Ino
	}
	return 0
}
