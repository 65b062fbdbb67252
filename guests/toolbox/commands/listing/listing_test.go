package listing

import (
	"testing"
	"time"

	"capbox/toolbox/commands/kit"
)

// A file that was made in the same call may be younger than the call's own clock says.
func TestAFileOfThisMomentHasATime(t *testing.T) {
	l := &lister{opts: &kit.Options{}}
	for ago, timed := range map[time.Duration]bool{
		0: true, -2 * time.Minute: true, -time.Hour: false, 24 * time.Hour: true, 300 * 24 * time.Hour: false,
	} {
		at := time.Now().Add(-ago)
		want := at.Format("Jan _2  2006")
		if timed {
			want = at.Format("Jan _2 15:04")
		}
		if got := l.when(at); got != want {
			t.Errorf("%s ago: %q, want %q", ago, got, want)
		}
	}
}
