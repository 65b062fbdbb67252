package abi

import (
	"bytes"
	"math"
	"strconv"
)

// integersMax is where a float begins to leave out integers: 2.0 below it means 2 and nothing else.
const integersMax = 1 << 53

// plainIntegers writes the numbers of valid JSON that are integers in another form (2.0, 1e3) as Go takes integers:
// JSON Schema, by which a tool says what it takes, tells them from others by their value alone.
func plainIntegers(raw []byte) []byte {
	var out []byte
	kept := 0 // up to here raw is in out
	for at := 0; at < len(raw); {
		switch b := raw[at]; {
		case b == '"':
			at = stringEnd(raw, at)
			continue
		case b != '-' && (b < '0' || b > '9'):
			at++
			continue
		}
		end := at + 1
		for end < len(raw) && bytes.IndexByte([]byte("0123456789.eE+-"), raw[end]) >= 0 {
			end++
		}
		number := raw[at:end]
		if bytes.ContainsAny(number, ".eE") {
			value, err := strconv.ParseFloat(string(number), 64)
			if err == nil && value == math.Trunc(value) && math.Abs(value) < integersMax {
				out = strconv.AppendInt(append(out, raw[kept:at]...), int64(value), 10)
				kept = end
			}
		}
		at = end
	}
	if kept == 0 {
		return raw
	}
	return append(out, raw[kept:]...)
}

// stringEnd is where the string that begins at a place ends.
func stringEnd(raw []byte, at int) int {
	for at++; at < len(raw) && raw[at] != '"'; at++ {
		if raw[at] == '\\' {
			at++
		}
	}
	return min(at+1, len(raw))
}
