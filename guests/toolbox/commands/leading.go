package commands

// leadingNumber is the decimal number a text begins with, 0 without one.
func leadingNumber(text string) float64 {
	n, _ := numberPrefix(text)
	return n
}

// numberPrefix is the decimal number a text begins with, and what follows it.
func numberPrefix(text string) (float64, string) {
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

// leadingDigits counts the digits a text begins with.
func leadingDigits(text string) int {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n
}

// isAlnum says whether a character is a letter or digit of ASCII.
func isAlnum(r rune) bool { return r|32 >= 'a' && r|32 <= 'z' || r >= '0' && r <= '9' }
