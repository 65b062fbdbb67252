package sorting

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"capbox/toolbox/commands/kit"
)

// TestSortingByBytesGivesWhatComparingGives checks the order by bytes against the comparison that defines it.
func TestSortingByBytesGivesWhatComparingGives(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "B", "é", "\x00", " ", "\t", ":", "10", "9", "-1.5", "K", "jan", strings.Repeat("same", 5), strings.Repeat("long", 30)}
	for _, flags := range []string{
		"", "r", "u", "ru", "f", "fu", "n", "nr", "nu", "ns", "g", "gr", "h", "M", "V", "Vu", "b", "d", "k:2", "k:2,2 s", "k:2n",
		"k:1,1r k:2,2n", "k:2,2 u", "k:1.2,1.4 r",
	} {
		opts := &kit.Options{}
		for _, word := range strings.Fields(flags) {
			if key, value, ok := strings.Cut(word, ":"); ok {
				opts.List = append(opts.List, kit.Option{Key: key, Value: value})
				continue
			}
			for _, letter := range word {
				opts.List = append(opts.List, kit.Option{Key: string(letter)})
			}
		}
		order, problem := newSortOrder(opts)
		if problem != "" {
			t.Fatal(problem)
		}
		for range 20 {
			lines := make([]string, random.IntN(300))
			for i := range lines {
				for range random.IntN(4) {
					lines[i] += pieces[random.IntN(len(pieces))]
				}
			}
			want := slices.Clone(lines)
			got := order.sorted(lines)
			slices.SortStableFunc(want, order.compare)
			if order.unique {
				want = slices.CompactFunc(want, func(a, b string) bool { return order.compare(a, b) == 0 })
			}
			if !slices.Equal(got, want) {
				t.Fatalf("sort -%s: got %q, want %q", flags, got, want)
			}
		}
	}
}

func TestInputIsCutIntoLinesWhateverItsBlocks(t *testing.T) {
	for _, size := range []int{0, 1, sortBlockBytes - 1, sortBlockBytes, sortBlockBytes + 1, 3 * sortBlocksBytes} {
		for _, end := range []string{"", "\n", "\nx", "\n\n"} {
			text := strings.Repeat("y", size) + end
			got, err := sortInput(strings.NewReader(text+text), '\n')
			want := strings.Split(strings.TrimSuffix(text+text, "\n"), "\n")
			if text == "" {
				want = nil
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: got %d lines, want %d, %v", fmt.Sprint(size, end), len(got), len(want), err)
			}
		}
	}
}
