package files

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// held is every file below a directory with its content.
func held(t *testing.T, root string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	_ = filepath.WalkDir(root, func(full string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			text, _ := os.ReadFile(full)
			name, _ := filepath.Rel(root, full)
			out[name] = string(text)
		}
		return err
	})
	return out
}

func equalMaps(a, b map[string]string) bool { return maps.Equal(a, b) }

// randomVersions are a few files before and after some changes: lines changed, files made, removed and renamed.
func randomVersions(seed int) (before, after map[string]string) {
	random := rand.New(rand.NewPCG(uint64(seed), 7))
	lines := func(n int) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = fmt.Sprintf("%s line %d", strings.Repeat(" ", random.IntN(3)), random.IntN(30))
		}
		return out
	}
	joined := func(lines []string, ended bool) string {
		text := strings.Join(lines, "\n")
		if ended && text != "" {
			text += "\n"
		}
		return text
	}
	before, after = make(map[string]string), make(map[string]string)
	for i := range 5 {
		name := fmt.Sprintf("f%d", i)
		if i%2 == 1 {
			name = fmt.Sprintf("sub dir/f%d", i)
		}
		text := lines(1 + random.IntN(60))
		ended := random.IntN(4) > 0
		switch random.IntN(8) {
		case 0:
			after[name] = joined(text, ended)
			continue
		case 1:
			before[name] = joined(text, ended)
			continue
		}
		before[name] = joined(text, ended)
		for range random.IntN(5) {
			at := random.IntN(len(text))
			switch random.IntN(3) {
			case 0:
				text[at] = fmt.Sprintf("changed %d", random.IntN(99))
			case 1:
				text = append(text[:at:at], append(lines(1+random.IntN(4)), text[at:]...)...)
			default:
				if len(text) > 1 {
					text = append(text[:at:at], text[at+1:]...)
				}
			}
		}
		if random.IntN(6) == 0 {
			name += " renamed"
		}
		after[name] = joined(text, random.IntN(4) > 0)
	}
	return before, after
}
