package files

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"capbox/toolbox/abi"
)

// nameBytesMax is the length of a file name that every common file system takes.
const nameBytesMax = 255

type writeArguments struct {
	Path    string  `json:"path"`
	Content *string `json:"content"`
}

type writeData struct {
	Path    string `json:"path"`
	Created bool   `json:"created"`
	Bytes   int    `json:"bytes"`
	Lines   int    `json:"lines"`
}

// Write creates or replaces a file, whole or not at all.
func Write(req *abi.Request) abi.Result {
	var args writeArguments
	if bad, ok := abi.Arguments(req, &args); !ok {
		return bad
	}
	if args.Content == nil {
		return abi.Fail("invalid_arguments", "content is missing: an empty file takes \"\".")
	}
	p, bad, ok := locate(req, args.Path)
	if !ok {
		return bad
	}
	if p.directory {
		return abi.Fail("is_directory", "%s/ names a directory: add a file name (parents are created).", p.shown)
	}
	content := []byte(*args.Content)
	target, before, bad, ok := destination(p)
	if !ok {
		return bad
	}
	if err := replace(target, content); err != nil {
		return failed(p, "write", err)
	}
	data := &writeData{Path: p.shown, Created: before == nil, Bytes: len(content), Lines: lineCount(content)}
	verb := "replaced"
	if before == nil {
		verb = "created"
	}
	return abi.OK(fmt.Sprintf("%s %s%s: %s, %s", verb, p.shown, linked(req, p, target, before),
		counted(data.Lines, "line", "lines"), counted(data.Bytes, "byte", "bytes")), data)
}

func lineCount(content []byte) int {
	lines := bytes.Count(content, []byte{'\n'})
	if len(content) > 0 && content[len(content)-1] != '\n' {
		lines++
	}
	return lines
}

// linked says what a reader may not expect of a file with several names.
func linked(req *abi.Request, p place, target string, before os.FileInfo) string {
	note := ""
	if target != p.path {
		note = " (through the link, at " + shorten(req.Cwd, target) + ")"
	}
	if before != nil && hasOtherNames(before) {
		note += " (its other hard links keep the old text)"
	}
	return note
}

// destination is the file that a write replaces, and what is there now: nil when nothing is. A link is written
// through, so that it stays a link: renaming over it would silently cut it off from the file it names. The host
// refuses a target outside the grant.
func destination(p place) (target string, before os.FileInfo, bad abi.Result, ok bool) {
	target = p.path
	before, err := os.Lstat(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return target, nil, bad, true
	}
	if err == nil && before.Mode()&fs.ModeSymlink != 0 {
		if before, err = os.Stat(p.path); err == nil { // its errors say more than EvalSymlinks' do
			target, err = filepath.EvalSymlinks(p.path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			link, _ := os.Readlink(p.path)
			return "", nil, abi.Fail("not_found", "%s is a symbolic link to %s, which does not exist: write to that path itself.",
				p.shown, link), false
		}
	}
	switch {
	case err != nil:
		return "", nil, failed(p, "write", err), false
	case before.IsDir():
		return "", nil, isDirectory(p), false
	case !isRegular(before):
		return "", nil, abi.Fail("not_a_file", "%s is a device, pipe or socket: only regular files are written.", p.shown), false
	}
	return target, before, bad, true
}

// replace writes a temporary file beside the target and renames it over it, so that nobody ever sees half a file.
// The host keeps the replaced file's mode and extended attributes.
func replace(target string, content []byte) error {
	temporary, err := stage(target, content)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(path.Dir(target), 0o777); err == nil {
			temporary, err = stage(target, content)
		}
	}
	if err != nil {
		return err
	}
	return commit(temporary, target)
}

// stage writes the content to a temporary file beside the target.
func stage(target string, content []byte) (temporary string, err error) {
	temporary, file, err := createBeside(target)
	if err != nil {
		return "", err
	}
	_, err = file.Write(content)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		_ = os.Remove(temporary)
	}
	return temporary, err
}

// commit renames a staged file over its target; a failure leaves nothing behind.
func commit(temporary, target string) error {
	err := os.Rename(temporary, target)
	if err != nil {
		_ = os.Remove(temporary)
	}
	return err
}

// createBeside opens a new temporary file. Its name, `.capbox-RANDOM-NAME.tmp`, is agreed with the host: where only
// the one file NAME is granted, nothing else may be created beside it.
func createBeside(target string) (string, *os.File, error) {
	suffix := "-" + path.Base(target) + ".tmp"
	if len(suffix) > nameBytesMax-len(".capbox-0123456789abcdef") {
		suffix = ".tmp"
	}
	for attempt := 0; ; attempt++ {
		var id [8]byte
		_, _ = rand.Read(id[:]) // never fails (crypto/rand)
		name := path.Join(path.Dir(target), ".capbox-"+hex.EncodeToString(id[:])+suffix)
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) || attempt == 8 {
			return name, file, err
		}
	}
}

// hasOtherNames says whether the file has more than one hard link.
func hasOtherNames(info fs.FileInfo) bool {
	status, ok := info.Sys().(*syscall.Stat_t)
	return ok && status.Nlink > 1
}
