//go:build !wasip1

package files

import "os"

func readDirectory(directory string) ([]entry, error) {
	found, err := os.ReadDir(directory)
	entries := make([]entry, 0, len(found))
	for _, one := range found {
		entries = append(entries, entry{one.Name(), one.Type()})
	}
	return entries, err
}
