package gitignore

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pieces are what random lines are made of; together they reach every rule of gitignore(5).
var pieces = []string{
	"a", "b", "ab", "c.o", "*", "**", "?", "*.o", "a*", "*b*", "[ab]", "[!a]", "[^b]", "[a-c]*", "[]a]", "[[:alpha:]]", "[[:nope:]]", "[", "[a",
	`\*`, `\a`, `\`, `\ `, " ", "é", "?é", "??", "[é]", "{a,b}", "a**", "**b", "a**b", ".", "#", "!", "a ", `a\ `, "\t", "-", "[a-]", `[\]]`, "***",
}

var parts = []string{"a", "b", "ab", "c.o", "x.o", "é", "abb", "*", "[a", "{a,b}", "a ", " ", "#a", "!b", ".a", "aé", "bab"}

func randomLine(random *rand.Rand) string {
	line := ""
	if random.IntN(5) == 0 {
		line = "!"
	}
	for i := range 1 + random.IntN(3) {
		if i > 0 || random.IntN(5) == 0 {
			line += "/"
		}
		line += pieces[random.IntN(len(pieces))]
		if random.IntN(8) == 0 {
			line += pieces[random.IntN(len(pieces))]
		}
	}
	switch random.IntN(12) {
	case 0, 1:
		line += "/"
	case 2:
		line += " "
	case 3:
		line += "\r"
	case 4:
		line += "//"
	}
	return line
}

func randomTree(random *rand.Rand, root string) (rules string) {
	for range 40 {
		var names []string
		for range 1 + random.IntN(3) {
			names = append(names, parts[random.IntN(len(parts))])
		}
		full := filepath.Join(root, filepath.Join(names...))
		_ = os.MkdirAll(filepath.Dir(full), 0o755)
		_ = os.WriteFile(full, nil, 0o644)
	}
	_ = filepath.Walk(root, func(full string, info os.FileInfo, _ error) error {
		if !info.IsDir() || full != root && random.IntN(4) > 0 {
			return nil
		}
		var lines []string
		for range 1 + random.IntN(5) {
			lines = append(lines, randomLine(random))
		}
		text := strings.Join(lines, "\n")
		rules += fmt.Sprintf("%s: %q\n", full[len(root):], text)
		return os.WriteFile(filepath.Join(full, ".gitignore"), []byte(text), 0o644)
	})
	return rules
}

func TestRandomIgnoreFilesHideWhatGitHides(t *testing.T) {
	seeds := 80
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		root := t.TempDir()
		rules := randomTree(rand.New(rand.NewPCG(uint64(seed), 1)), root)
		want, ok := keptByGit(t, root)
		if !ok {
			t.Skip("git is not installed")
		}
		want = slices.DeleteFunc(want, func(name string) bool { return name == "" })
		if got := kept(root, root, nil); !slices.Equal(got, want) {
			t.Errorf("seed %d:\n%skept %q\ngit  %q", seed, rules, missingFrom(got, want), missingFrom(want, got))
		}
	}
}

func missingFrom(all, others []string) (out []string) {
	for _, one := range all {
		if !slices.Contains(others, one) {
			out = append(out, one)
		}
	}
	return out
}
