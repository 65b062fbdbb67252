package files

import (
	"encoding/binary"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"
)

// Read directly, a listing costs an open, a read and a close: os.ReadDir asks for the descriptor's kind twice, reads 8 KiB at a time, reads once
// more to see the end, and makes three objects a name.
//
//go:wasmimport wasi_snapshot_preview1 fd_readdir
//go:noescape
func fdReaddir(fd int32, buffer unsafe.Pointer, length uint32, cookie uint64, used unsafe.Pointer) uint32

// direntBytes is the head of a WASI dirent: the next cookie, the inode, the name's length and the type.
const direntBytes = 24

// listing is the buffer of the one directory that is being read; a name longer than it cannot exist.
var listing = make([]byte, 64<<10)

var kinds = map[byte]fs.FileMode{
	1: fs.ModeDevice, 2: fs.ModeDevice | fs.ModeCharDevice, 3: fs.ModeDir, 4: 0, 5: fs.ModeSocket, 6: fs.ModeSocket, 7: fs.ModeSymlink,
}

func readDirectory(directory string) ([]entry, error) {
	fd, err := syscall.Open(directory, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: directory, Err: err}
	}
	defer syscall.Close(fd)
	var entries []entry
	cookie := uint64(0)
	for {
		var used uint32
		errno := fdReaddir(int32(fd), unsafe.Pointer(&listing[0]), uint32(len(listing)), cookie, unsafe.Pointer(&used))
		runtime.KeepAlive(&used)
		if errno != 0 {
			return entries, &fs.PathError{Op: "readdir", Path: directory, Err: syscall.Errno(errno)}
		}
		full := int(used) >= len(listing)
		var next uint64
		entries, next = parsed(entries, directory, string(listing[:min(int(used), len(listing))]))
		if !full || next == 0 {
			return entries, nil
		}
		cookie = next
	}
}

// parsed adds the entries of a piece of a listing, whose last one may be cut, and gives the cookie behind them. The
// names are parts of the one string.
func parsed(entries []entry, directory, piece string) ([]entry, uint64) {
	next := uint64(0)
	head := []byte(nil)
	for len(piece) >= direntBytes {
		head = append(head[:0], piece[:direntBytes]...)
		length := int(binary.LittleEndian.Uint32(head[16:]))
		if length > len(piece)-direntBytes {
			break
		}
		name := piece[direntBytes : direntBytes+length]
		next = binary.LittleEndian.Uint64(head)
		piece = piece[direntBytes+length:]
		if name == "." || name == ".." {
			continue
		}
		kind, known := kinds[head[20]]
		if !known { // a mount, or a file system that does not tell
			info, err := os.Lstat(strings.TrimSuffix(directory, "/") + "/" + name)
			if err != nil {
				continue
			}
			kind = info.Mode().Type()
		}
		entries = append(entries, entry{name, kind})
	}
	return entries, next
}
