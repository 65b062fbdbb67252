package abi

import (
	"bytes"
	"testing"
)

func TestTheEscapedSizeIsWhatWriteTakes(t *testing.T) {
	frame := len(`{"ok":false,"content":""}` + "\n")
	for r := range rune(0x3000) {
		for _, text := range []string{string(r), string(r) + "\xff", "a" + string([]byte{byte(r)}) + "b"} {
			var out bytes.Buffer
			if err := Write(&out, Result{Content: text}); err != nil {
				t.Fatal(err)
			}
			if got := EscapedSize([]byte(text)); got != out.Len()-frame {
				t.Errorf("%q: %d bytes, written in %d", text, got, out.Len()-frame)
			}
		}
	}
}

func TestNumbersHaveThousandsSeparators(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", 10005: "10,005", -123: "-123", -1234: "-1,234",
	} {
		if got := Grouped(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
