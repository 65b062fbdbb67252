package network

import (
	"regexp"
	"strings"
	"testing"
)

func TestHelpListsWhatIsServedApartFromWhatIsNot(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"curl", "wget"} {
		_, out, _ := w.run(name+" --help", "")
		served, refused, ok := strings.Cut(out, "Not supported:")
		for _, option := range strings.Fields(refused) {
			if regexp.MustCompile(`(?m)^ +` + option + `\b`).MatchString(served) {
				t.Errorf("%s lists %s", name, option)
			}
			line := name + " " + option + " x SERVER/plain"
			if status, _, errors := w.run(line, ""); status != 2 || !strings.Contains(errors, "not supported: ") {
				t.Errorf("%s: %d %q", line, status, errors)
			}
		}
		if !ok || !strings.Contains(served, "-O") {
			t.Error(out)
		}
	}
}
