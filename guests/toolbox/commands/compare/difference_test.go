package compare

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// applied rebuilds the second text from the first and the edits.
func applied(a, b []string, edits []edit) []string {
	var out []string
	at := 0
	for _, e := range edits {
		out = append(out, a[at:e.fromA]...)
		out = append(out, b[e.fromB:e.toB]...)
		at = e.toA
	}
	return append(out, a[at:]...)
}

func TestTheEditsTurnTheFirstTextIntoTheSecond(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 400 {
		text := func() []string {
			lines := make([]string, random.IntN(60))
			for i := range lines {
				lines[i] = fmt.Sprint(random.IntN(2 + round/20))
			}
			return lines
		}
		a, b := text(), text()
		edits := compareLines(a, b)
		if got := applied(a, b, edits); !slices.Equal(got, b) {
			t.Fatalf("%v to %v: %v gave %v", a, b, edits, got)
		}
	}
}

func TestLargeTextsWithNothingInCommonAreQuick(t *testing.T) {
	var a, b []string
	for i := range 200_000 {
		a, b = append(a, fmt.Sprint(i*7919%100_003)), append(b, fmt.Sprint(i*104_729%100_019))
	}
	if got := applied(a, b, compareLines(a, b)); !slices.Equal(got, b) {
		t.Fatal("the edits do not fit")
	}
}
