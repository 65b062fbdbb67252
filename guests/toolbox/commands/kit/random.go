package kit

import (
	"crypto/rand"
	"encoding/binary"
)

// RandomText is n letters and digits. Only crypto/rand is fresh in each call: the snapshot froze the other sources.
func RandomText(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	raw := make([]byte, n)
	_, _ = rand.Read(raw)
	for i, b := range raw {
		raw[i] = letters[int(b)%len(letters)]
	}
	return string(raw)
}

// RandomBelow is a number from 0 to n-1.
func RandomBelow(n int) int {
	var raw [8]byte
	_, _ = rand.Read(raw[:])
	return int(binary.LittleEndian.Uint64(raw[:]) % uint64(n))
}
