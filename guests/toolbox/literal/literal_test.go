package literal

import (
	"bytes"
	"math/rand"
	"strings"
	"testing"
)

func TestTheFinderAgreesWithBytesIndex(t *testing.T) {
	random := rand.New(rand.NewSource(2))
	for range 20_000 {
		text := make([]byte, random.Intn(20))
		for i := range text {
			text[i] = "abq"[random.Intn(3)]
		}
		wanted := make([]byte, 1+random.Intn(4))
		for i := range wanted {
			wanted[i] = "abq"[random.Intn(3)]
		}
		f := New(wanted)
		if got, want := f.Index(text), bytes.Index(text, wanted); got != want {
			t.Fatalf("%q in %q: %d, want %d", wanted, text, got, want)
		}
	}
}

func TestATextIsFoundWhereItFirstIs(t *testing.T) {
	for _, text := range []string{"a", "zq", "ez", "ze", "aab", "é", "needle found"} {
		n := New([]byte(text))
		for _, hay := range []string{"", text, "x" + text, text[1:] + text, strings.Repeat("z", 9) + text + text, text[:len(text)-1], "zzzzee"} {
			if got, want := n.Index([]byte(hay)), strings.Index(hay, text); got != want {
				t.Errorf("%q in %q: got %d, want %d", text, hay, got, want)
			}
		}
	}
}
