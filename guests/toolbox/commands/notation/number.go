// Package notation reads what commands take and compare as words: numbers with units, ranges of positions, versions.
//
// It reports what is wrong with a word and prints nothing.
package notation

// LeadingNumber is the decimal number a text begins with, 0 without one.
func LeadingNumber(text string) float64 {
	n, _ := NumberPrefix(text)
	return n
}

// NumberPrefix is the decimal number a text begins with, and what follows it.
func NumberPrefix(text string) (float64, string) {
	at, negative := 0, false
	if at < len(text) && text[at] == '-' {
		negative = true
		at++
	}
	value, scale, digits := 0.0, 1.0, false
	for ; at < len(text) && text[at] >= '0' && text[at] <= '9'; at++ {
		value = value*10 + float64(text[at]-'0')
		digits = true
	}
	if at < len(text) && text[at] == '.' {
		for at++; at < len(text) && text[at] >= '0' && text[at] <= '9'; at++ {
			scale /= 10
			value += float64(text[at]-'0') * scale
			digits = true
		}
	}
	if !digits {
		return 0, text
	}
	if negative {
		value = -value
	}
	return value, text[at:]
}

// LeadingDigits counts the digits a text begins with.
func LeadingDigits(text string) int {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n
}

// IsAlnum says whether a character is a letter or digit of ASCII.
func IsAlnum(r rune) bool { return r|32 >= 'a' && r|32 <= 'z' || r >= '0' && r <= '9' }
