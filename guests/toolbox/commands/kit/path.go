package kit

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// JoinName joins as GNU tools print it: "./a" for ".", "dir/a" for "dir/".
func JoinName(dir, base string) string {
	if strings.HasSuffix(dir, "/") {
		return dir + base
	}
	return dir + "/" + base
}

// BaseOf is what follows the last slash.
func BaseOf(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// CutLast is strings.Cut at the last separator.
func CutLast(text, separator string) (before, after string, ok bool) {
	at := strings.LastIndex(text, separator)
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+len(separator):], true
}

// MakeParents makes a directory and those above it, asking only about what is missing.
func (c *Call) MakeParents(path string) error {
	path = filepath.Clean(path)
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			return nil
		}
		return fs.ErrExist
	}
	err := os.Mkdir(path, 0o777)
	if err == nil || Reason(err) != "No such file or directory" {
		return err
	}
	parent := filepath.Dir(path)
	if parent == path {
		return err
	}
	if err := c.MakeParents(parent); err != nil {
		return err
	}
	return os.Mkdir(path, 0o777)
}
