package network

import (
	"testing"

	"capbox/toolbox/web"
	"capbox/toolbox/web/loopback"
)

// bounded is a host that takes no more requests.
type bounded struct{ loopback.Host }

func (*bounded) Request(head, body []byte) (uint32, []byte, error) {
	return 0, []byte(`{"error":{"code":"limit","message":"more requests than a call may make: 100 (--limit requests=)","missing":null}}`), nil
}

func TestABoundThatWasMetIsToldAlsoToWhoWantsSilence(t *testing.T) {
	w := newWorld(t)
	defer web.Use(&bounded{})()
	for line, want := range map[string]string{
		"curl -s SERVER/plain": "curl: (7) SERVER/plain: more requests than a call may make: 100 (--limit requests=)\n",
		"wget -q SERVER/plain": "wget: SERVER/plain: more requests than a call may make: 100 (--limit requests=)\n",
	} {
		if status, _, errors := w.run(line, ""); status == 0 || errors != want {
			t.Errorf("%s: %d %q", line, status, errors)
		}
	}
}
