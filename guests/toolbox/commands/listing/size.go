package listing

import (
	"fmt"
	"strconv"
)

// humanSize is 1.5K as GNU rounds it: up, one digit below 10.
func humanSize(n, base int64) string {
	if n < base {
		return strconv.FormatInt(n, 10)
	}
	size := float64(n)
	letter := -1
	for size >= float64(base) && letter < 7 {
		size /= float64(base)
		letter++
	}
	if size < 10 {
		up := float64(int64(size*10)) / 10
		if up < size {
			up += 0.1
		}
		if up < 9.95 {
			return fmt.Sprintf("%.1f%c", up, "KMGTPEZY"[letter])
		}
	}
	whole := int64(size)
	if float64(whole) < size {
		whole++
	}
	return fmt.Sprintf("%d%c", whole, "KMGTPEZY"[letter])
}
