package notation

import (
	"strconv"
	"strings"
)

// units are the multipliers GNU tools take after a number.
var units = map[string]int64{
	"": 1, "b": 512, "c": 1, "w": 2, "kB": 1000, "k": 1 << 10, "K": 1 << 10, "KB": 1000, "KiB": 1 << 10, "M": 1 << 20,
	"MB": 1e6, "MiB": 1 << 20, "G": 1 << 30, "GB": 1e9, "GiB": 1 << 30, "T": 1 << 40,
}

// Quantity reads a whole number with an optional multiplier.
func Quantity(text string) (int64, bool) {
	digits := strings.TrimLeft(text, "+-0123456789")
	n, err := strconv.ParseInt(text[:len(text)-len(digits)], 10, 64)
	unit, ok := units[digits]
	if err != nil || !ok || n > (1<<62)/unit || n < -(1<<62)/unit {
		return 0, false
	}
	return n * unit, true
}
