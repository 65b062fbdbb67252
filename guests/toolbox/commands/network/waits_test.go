package network

import (
	"context"
	"strings"
	"testing"
	"time"
)

// The host of these tests waits without end: what ends the wait is what the command asked it for.
func TestAWaitEndsWhenTheCommandWantsIt(t *testing.T) {
	w := newWorld(t)
	w.host.Wait = 0
	for _, c := range []struct {
		line   string
		status int
		part   string
	}{
		{"curl -m 0.05 SILENT/", 28, "curl: (28) Operation timed out: no answer in time"},
		{"curl -s -m 0.05 SILENT/", 28, ""},
		{"curl -L -m 0.05 SERVER/away?to=SILENT/", 28, "curl: (28)"},
		{"curl -m 60 --connect-timeout 60 -o /dev/null SERVER/plain", 0, ""},
		{"curl -m nan SERVER/plain", 2, "nan"},
		{"wget -T 0.05 SILENT/", 4, "wget: SILENT/: Connection timed out: no answer in time"},
		{"wget --read-timeout 0.05 SILENT/", 4, "Connection timed out"},
		{"wget -q -T 60 -O /dev/null SERVER/plain", 0, ""},
		{"wget -T soon SERVER/plain", 2, "soon: Invalid time period"},
	} {
		if status, _, errors := w.run(c.line, ""); status != c.status || !strings.Contains(errors, c.part) || c.part == "" && errors != "" {
			t.Errorf("%s: %d %q, want %d %q", c.line, status, errors, c.status, c.part)
		}
	}
	// What ends the command, as timeout does, ends the wait, and says so itself.
	for line, want := range map[string]int{"curl SILENT/": 28, "wget -nv SILENT/": 4} {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		w.context = ctx
		if status, out, errors := w.run(line, ""); status != want || out != "" || errors != "" {
			t.Errorf("%s: %d %q %q", line, status, out, errors)
		}
		cancel()
	}
}
