package commands

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// joinName joins as GNU tools print it: "./a" for ".", "dir/a" for "dir/".
func joinName(dir, base string) string {
	if strings.HasSuffix(dir, "/") {
		return dir + base
	}
	return dir + "/" + base
}

// baseOf is what follows the last slash.
func baseOf(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// cutLast is strings.Cut at the last separator.
func cutLast(text, separator string) (before, after string, ok bool) {
	at := strings.LastIndex(text, separator)
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+len(separator):], true
}

// mkdirParents makes a directory and those above it, asking only about what is missing.
func (c *Call) mkdirParents(path string) error {
	path = filepath.Clean(path)
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			return nil
		}
		return fs.ErrExist
	}
	err := os.Mkdir(path, 0o777)
	if err == nil || reason(err) != "No such file or directory" {
		return err
	}
	parent := filepath.Dir(path)
	if parent == path {
		return err
	}
	if err := c.mkdirParents(parent); err != nil {
		return err
	}
	return os.Mkdir(path, 0o777)
}
