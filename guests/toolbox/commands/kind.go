package commands

import (
	"io/fs"
)

// kindName is a kind of file in the words of stat.
func kindName(info fs.FileInfo) string {
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

// typeLetter is a kind of file in the letter of find -type; what is nothing else is a character device.
func typeLetter(mode fs.FileMode) string {
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
