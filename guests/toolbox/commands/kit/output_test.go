package kit

import (
	"context"
	"strings"
	"testing"
)

func TestAPanicFailsItsCommandAlone(t *testing.T) {
	var out, err strings.Builder
	c := New(context.Background(), []string{"odd", "x"}, Streams{Out: &out, Err: &err})
	status := Invoke(func(c *Call) int {
		c.Out.Line("before")
		return len(c.Args[len(c.Args)])
	}, c)
	want := "odd: internal error: runtime error: index out of range [1] with length 1\n"
	if status != statusInternal || out.String() != "before\n" || err.String() != want {
		t.Errorf("%d, %q, %q", status, out.String(), err.String())
	}
}
