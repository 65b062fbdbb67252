package expand

import "unicode/utf8"

// SplitRead splits a line as the builtin read does, into at most most fields (-1: any number); the last one takes the
// rest of the line. Bytes that are marked as escaped separate nothing.
func SplitRead(cfg *Config, line []byte, escaped []bool, most int) []string {
	cfg = prepareConfig(cfg)
	var fields []string
	at := cfg.skipSpace(line, escaped, 0)
	for at < len(line) && most != 0 {
		if most > 0 && len(fields) == most-1 {
			return append(fields, cfg.lastField(line, escaped, at))
		}
		end := at
		for end < len(line) && !cfg.separates(line, escaped, end) {
			end += runeSize(line, end)
		}
		fields = append(fields, string(line[at:end]))
		at = cfg.skipSeparator(line, escaped, end)
	}
	return fields
}

func runeSize(line []byte, at int) int {
	_, size := utf8.DecodeRune(line[at:])
	return size
}

func (cfg *Config) separates(line []byte, escaped []bool, at int) bool {
	r, _ := utf8.DecodeRune(line[at:])
	return !escaped[at] && cfg.ifsRune(r)
}

// skipSpace skips the white space of IFS.
func (cfg *Config) skipSpace(line []byte, escaped []bool, at int) int {
	for at < len(line) && !escaped[at] && cfg.ifsWhitespace(rune(line[at])) {
		at++
	}
	return at
}

// skipSeparator skips one separator with the white space around it.
func (cfg *Config) skipSeparator(line []byte, escaped []bool, at int) int {
	at = cfg.skipSpace(line, escaped, at)
	if at < len(line) && cfg.separates(line, escaped, at) {
		at = cfg.skipSpace(line, escaped, at+runeSize(line, at))
	}
	return at
}

// lastField is the rest of the line without white space at its end; a single separator at its end goes too.
func (cfg *Config) lastField(line []byte, escaped []bool, at int) string {
	end := at
	for end < len(line) && !cfg.separates(line, escaped, end) {
		end += runeSize(line, end)
	}
	if cfg.skipSeparator(line, escaped, end) == len(line) {
		return string(line[at:end])
	}
	end = len(line)
	for end > at && !escaped[end-1] && cfg.ifsWhitespace(rune(line[end-1])) {
		end--
	}
	return string(line[at:end])
}
