package files

import (
	"io/fs"
	"slices"
	"strings"
)

// entry is one name in a directory.
type entry struct {
	name string
	kind fs.FileMode
}

func (e *entry) Name() string      { return e.name }
func (e *entry) IsDir() bool       { return e.kind.IsDir() }
func (e *entry) Type() fs.FileMode { return e.kind }

// list gives a directory's entries in the order of names.
func list(directory string) ([]entry, error) {
	entries, err := readDirectory(directory)
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return entries, err
}
