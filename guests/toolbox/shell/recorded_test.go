package shell

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

// recorded plays each case of a file below testdata, which was recorded from the real tools, as a test of its own.
func recorded[Case any](t *testing.T, file string, play func(t *testing.T, one Case)) {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []Case
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no case was read from " + file)
	}
	for i, one := range cases {
		t.Run(fmt.Sprint(i), func(t *testing.T) { play(t, one) })
	}
}
