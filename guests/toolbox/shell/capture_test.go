package shell

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestLongOutputKeepsItsBeginningAndItsEnd(t *testing.T) {
	c := NewCapture(2000)
	c.flood = func() { t.Error("a flood") }
	s := &stream{capture: c}
	for range 700 {
		_, _ = s.Write([]byte("0123456789\n"))
	}
	text, cut := c.Text(1000)
	raw, _ := json.Marshal(text)
	if !cut || len(raw) > 1002 || !strings.HasPrefix(text, "0123456789\n") || !strings.HasSuffix(text, "0123456789\n") ||
		!strings.Contains(text, " bytes left out ...]") {
		t.Errorf("got %d bytes: %q", len(raw), text)
	}
}

func TestTextThatFitsIsWhole(t *testing.T) {
	c := NewCapture(2000)
	s := &stream{capture: c}
	_, _ = s.Write([]byte(strings.Repeat("x", 1500)))
	if text, cut := c.Text(1800); cut || len(text) != 1500 {
		t.Errorf("got %d bytes, cut %v", len(text), cut)
	}
}

func TestBytesThatGrowInJSONStayWithinTheBound(t *testing.T) {
	for _, unit := range []string{"\x01", "\xff", "\"", "é", "\u2028", "\n", "a"} {
		c := NewCapture(4000)
		s := &stream{capture: c}
		_, _ = s.Write([]byte(strings.Repeat(unit, 3900/len(unit))))
		text, _ := c.Text(3000)
		var out strings.Builder
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(text); err != nil || out.Len() > 3003 {
			t.Errorf("%q: %d bytes, %v", unit, out.Len(), err)
		}
	}
}

func TestMoreThanFourTimesTheBoundIsAFlood(t *testing.T) {
	c := NewCapture(1000)
	floods := 0
	c.flood = func() { floods++ }
	s := &stream{capture: c}
	_, _ = s.Write(make([]byte, 4000))
	if floods != 0 {
		t.Error("a flood at the limit")
	}
	_, _ = s.Write(make([]byte, 1))
	if floods != 1 {
		t.Error("no flood above the limit")
	}
}
