// Package fileinfo tells of files what Go's fs.FileInfo does not: permission bits and links as the host keeps them,
// inodes, and all of it in the words of ls, stat and chmod.
//
// It guarantees that names and kinds known from a directory's list cost no further call of the host (Lazy).
package fileinfo

import (
	"io/fs"
)

// KindName is a kind of file in the words of stat.
func KindName(info fs.FileInfo) string {
	switch {
	case info.IsDir():
		return "directory"
	case info.Mode()&fs.ModeSymlink != 0:
		return "symbolic link"
	case info.Mode().IsRegular() && info.Size() == 0:
		return "regular empty file"
	case info.Mode().IsRegular():
		return "regular file"
	}
	return "character special file"
}

// TypeLetter is a kind of file in the letter of find -type; what is nothing else is a character device.
func TypeLetter(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "d"
	case mode&fs.ModeSymlink != 0:
		return "l"
	case mode.IsRegular():
		return "f"
	case mode&fs.ModeNamedPipe != 0:
		return "p"
	}
	return "c"
}
