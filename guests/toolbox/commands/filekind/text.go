package filekind

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// textEncoding is how a text is encoded: in file's words, and as a charset.
type textEncoding struct{ text, charset string }

// encodingOf tells how the bytes are encoded; false if they are no text.
func encodingOf(head []byte) (textEncoding, bool) {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00")):
		return textEncoding{"Unicode text, UTF-32, little-endian", "utf-32le"}, true
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return textEncoding{"Unicode text, UTF-16, little-endian", "utf-16le"}, true
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return textEncoding{"Unicode text, UTF-16, big-endian", "utf-16be"}, true
	}
	ascii, latin := true, true
	for _, b := range head {
		if b < ' ' && !strings.ContainsRune("\a\b\t\n\v\f\r\x1b", rune(b)) || b == 127 {
			return textEncoding{}, false
		}
		ascii = ascii && b < 128
		latin = latin && (b < 128 || b >= 160 || b == 0x85)
	}
	whole := head
	for cut := 0; cut < utf8.UTFMax && len(head) == kindBytesMax && !utf8.Valid(whole); cut++ {
		whole = head[:len(head)-cut] // a character may be cut at the end of what is looked at
	}
	switch {
	case ascii:
		return textEncoding{"ASCII text", "us-ascii"}, true
	case utf8.Valid(whole) && bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return textEncoding{"Unicode text, UTF-8 (with BOM) text", "utf-8"}, true
	case utf8.Valid(whole):
		return textEncoding{"Unicode text, UTF-8 text", "utf-8"}, true
	case latin:
		return textEncoding{"ISO-8859 text", "iso-8859-1"}, true
	}
	return textEncoding{"Non-ISO extended-ASCII text", "unknown-8bit"}, true
}

// language is a kind of text by how it looks.
type language struct {
	look *regexp.Regexp
	// text ends in " executable" after the encoding if it is a script; a text that ends in "!" stands alone.
	text, mime string
	script     bool
}

func interpreted(program, name, mime string) language {
	return language{regexp.MustCompile(`\A#! ?(?:/usr(?:/local)?/bin/env (?:-S )?|/(?:usr/)?(?:local/)?bin/)` + program + `\b`), name, mime, true}
}

// languages are compiled when first used: the snapshot holds what exists before.
var languages = sync.OnceValue(func() []language {
	return []language{
		interpreted("bash", "Bourne-Again shell script", "text/x-shellscript"),
		interpreted("(?:sh|dash|ash)", "POSIX shell script", "text/x-shellscript"),
		interpreted("zsh", "Paul Falstad's zsh script", "text/x-shellscript"),
		interpreted("ksh", "Korn shell script", "text/x-shellscript"),
		interpreted("python[0-9.]*", "Python script", "text/x-script.python"),
		interpreted("perl", "Perl script", "text/x-perl"), interpreted("ruby", "Ruby script", "text/x-ruby"),
		interpreted("node", "Node.js script", "application/javascript"), interpreted("[gmn]?awk", "awk script", "text/x-awk"),
		interpreted("php", "PHP script", "text/x-php"), interpreted("lua", "Lua script", "text/x-lua"),
		{regexp.MustCompile(`\A<\?php`), "PHP script", "text/x-php", false},
		{regexp.MustCompile(`\A(?:\s*<\?xml[^>]*>)?\s*(?:<!DOCTYPE svg[^>]*>\s*|<!--(?s:.*?)-->\s*)*<svg\b`), "SVG Scalable Vector Graphics image!", "image/svg+xml", false},
		{regexp.MustCompile(`\A(?:\xef\xbb\xbf)?<\?xml version=["']1\.1`), "XML 1.1 document", "text/xml", false},
		{regexp.MustCompile(`\A(?:\xef\xbb\xbf)?<\?xml version=["']1\.0`), "XML 1.0 document", "text/xml", false},
		{regexp.MustCompile(`(?i)\A\s*(?:<!--(?s:.*?)-->\s*)*<(?:!doctype html|html|head|body|title|h1)\b`), "HTML document", "text/html", false},
		{regexp.MustCompile(`\A-----BEGIN CERTIFICATE-----`), "PEM certificate!", "application/x-x509-ca-cert", false},
		{regexp.MustCompile(`\A-----BEGIN CERTIFICATE REQUEST-----`), "PEM certificate request!", "application/octet-stream", false},
		{regexp.MustCompile(`\A-----BEGIN RSA PRIVATE KEY-----`), "PEM RSA private key!", "text/plain", false},
		{regexp.MustCompile(`\A-----BEGIN EC PRIVATE KEY-----`), "PEM EC private key!", "text/plain", false},
		{regexp.MustCompile(`\A-----BEGIN OPENSSH PRIVATE KEY-----`), "OpenSSH private key!", "text/plain", false},
		{regexp.MustCompile(`\Assh-rsa `), "OpenSSH RSA public key!", "text/plain", false},
		{regexp.MustCompile(`\Assh-ed25519 `), "OpenSSH ED25519 public key!", "text/plain", false},
		{regexp.MustCompile(`\A-----BEGIN PGP PUBLIC KEY BLOCK-`), "PGP public key block!", "application/pgp-keys", false},
		{regexp.MustCompile(`\A-----BEGIN PGP MESSAGE-`), "PGP message!", "application/pgp", false},
		{regexp.MustCompile(`\A(?:diff |Index: |Only in |\*\*\* .*\n--- |--- .*\n\+\+\+ )(?s:.*)\n@@ |\A--- .*\n\+\+\+ `), "unified diff output", "text/x-diff", false},
		{regexp.MustCompile(`\Adiff `), "diff output", "text/x-diff", false},
		{regexp.MustCompile(`\A\{\\rtf1`), "Rich Text Format data, version 1!", "text/rtf", false},
		{regexp.MustCompile(`\A%!PS`), "PostScript document text!", "application/postscript", false},
		{regexp.MustCompile(`(?m)^\s*#\s*include\s*[<"][^>"\n]+[>"]`), "C source", "text/x-c", false},
		{regexp.MustCompile(`(?m)^(?:from [\w.]+ import \w|def \w+\([^)\n]*\)(?: ->[^:\n]+)?:\s*$|class \w+(?:\(\w*\))?:\s*$)`), "Python script", "text/x-script.python", true},
		{regexp.MustCompile(`(?m)^\\documentclass\b`), "LaTeX 2e document", "text/x-tex", false},
		{regexp.MustCompile(`(?m)\A(?:From |Return-Path:|Received:|Message-ID:)`), "RFC 822 mail", "message/rfc822", false},
	}
})

// textKind says what sort of text it is and how its lines end.
func textKind(head []byte, encoding textEncoding) fileKind {
	kind := fileKind{text: encoding.text, mime: "text/plain", charset: encoding.charset}
	if strings.HasPrefix(encoding.charset, "utf-16") || strings.HasPrefix(encoding.charset, "utf-32") {
		return fileKind{encoding.text + " text" + utf16Ends(head), "text/plain", encoding.charset}
	}
	if isJSON(head) {
		return fileKind{"JSON text data", "application/json", encoding.charset}
	}
	ends := lineEndText(head)
	const window = 8 << 10 // where a text says what it is
	for _, one := range languages() {
		if !one.look.Match(head[:min(len(head), window)]) {
			continue
		}
		kind.mime = one.mime
		if alone, ok := strings.CutSuffix(one.text, "!"); ok {
			kind.text = alone
			return kind
		}
		kind.text = one.text + ", " + encoding.text
		if one.script {
			kind.text += " executable"
		}
		kind.text += ends
		return kind
	}
	if isCSV(head) {
		kind.mime, kind.text = "text/csv", "CSV text"
	}
	kind.text += ends
	return kind
}

// utf16Ends is what file adds for wide texts.
func utf16Ends(head []byte) string {
	if bytes.Contains(head, []byte("\r\x00\n")) || bytes.Contains(head, []byte("\x00\r\x00\n")) {
		return ", with CRLF line terminators"
	}
	if !bytes.Contains(head, []byte("\n")) {
		return ", with no line terminators"
	}
	return ""
}

// lineEndText is what stands behind the encoding: long lines, and ends of lines other than LF.
func lineEndText(head []byte) string {
	text := ""
	longest := 0
	for _, line := range bytes.FieldsFunc(head, func(r rune) bool { return r == '\n' || r == '\r' }) {
		longest = max(longest, len(line))
	}
	if longest > 300 {
		text = ", with very long lines (" + strconv.Itoa(longest) + ")"
	}
	crlf := bytes.Count(head, []byte("\r\n"))
	cr, lf := bytes.Count(head, []byte("\r"))-crlf, bytes.Count(head, []byte("\n"))-crlf
	var ends []string
	for _, one := range []struct {
		name  string
		count int
	}{{"CRLF", crlf}, {"CR", cr}, {"LF", lf}} {
		if one.count > 0 {
			ends = append(ends, one.name)
		}
	}
	switch {
	case len(ends) == 0:
		text += ", with no line terminators"
	case len(ends) > 1 || ends[0] != "LF":
		text += ", with " + strings.Join(ends, ", ") + " line terminators"
	}
	if bytes.IndexByte(head, 0x1b) >= 0 {
		text += ", with escape sequences"
	}
	if bytes.IndexByte(head, '\b') >= 0 {
		text += ", with overstriking"
	}
	return text
}

// isJSON says whether the text is one JSON array or object, or the start of a long one.
func isJSON(head []byte) bool {
	trimmed := bytes.TrimSpace(head)
	if len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' {
		return false
	}
	if len(head) < kindBytesMax {
		return json.Valid(trimmed)
	}
	decoder := json.NewDecoder(bytes.NewReader(trimmed))
	for {
		if _, err := decoder.Token(); err != nil {
			return err == io.EOF || err == io.ErrUnexpectedEOF || strings.Contains(err.Error(), "unexpected end")
		}
	}
}

// isCSV says whether some lines have the same number of commas, more than one.
func isCSV(head []byte) bool {
	lines := bytes.Split(bytes.TrimRight(head, "\n"), []byte("\n"))
	if len(lines) < 2 {
		return false
	}
	commas := bytes.Count(lines[0], []byte(","))
	for _, line := range lines[:min(len(lines), 10)] {
		if bytes.Count(line, []byte(",")) != commas {
			return false
		}
	}
	return commas > 0
}
