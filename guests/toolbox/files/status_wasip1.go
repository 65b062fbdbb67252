package files

import (
	"io/fs"
	"syscall"
)

// isRegular asks WASI's own file type: Go takes the unknown one, which hosts give for pipes, for a regular file.
func isRegular(info fs.FileInfo) bool {
	status, ok := info.Sys().(*syscall.Stat_t)
	return ok && status.Filetype == syscall.FILETYPE_REGULAR_FILE
}
