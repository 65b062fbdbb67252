package reading

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"capbox/toolbox/commands/kit"
)

func TestWcReadsNoMoreThanItMust(t *testing.T) {
	name := filepath.Join(t.TempDir(), "large")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	file.WriteString("a b\nc\n")
	// A terabyte of nothing: who read it would not end.
	if err := file.Truncate(1 << 40); err != nil {
		t.Skip(err)
	}
	file.Close()
	for _, one := range []struct{ args, in, want string }{
		{"-c " + name, "", "1099511627776 " + name + "\n"},
		{"-c", "a b\nc\n", "6\n"},
		{"-l", "a b\nc\n", "2\n"},
		{"-cl -", "a b\nc", "      1       5 -\n"},
		{"-w", "a b\nc\n", "3\n"},
		{"", "a é\n", "      1       2       5\n"},
	} {
		var out, err strings.Builder
		args := append([]string{"wc"}, strings.Fields(one.args)...)
		c := kit.New(context.Background(), args, kit.Streams{In: strings.NewReader(one.in), Out: &out, Err: &err})
		if status := kit.Invoke(Wc, c); status != 0 || out.String() != one.want {
			t.Errorf("%v: %d, %q, %q", args, status, out.String(), err.String())
		}
	}
}
