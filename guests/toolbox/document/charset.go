package document

import (
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"
)

// Decoded is a text in UTF-8, and the name of the encoding it came in: what a byte order mark, the header or the page
// itself says, in this order, else UTF-8 if it is that and windows-1252 otherwise (WHATWG Encoding).
func Decoded(raw []byte, contentType string) (text, name string) {
	const lookedAt = 1024 // of the page, for <meta charset> (HTML, 13.2.3.2)
	encoding, name, certain := charset.DetermineEncoding(raw[:min(len(raw), lookedAt)], contentType)
	if !certain && utf8.Valid(raw) {
		name = "utf-8"
	}
	if name == "utf-8" {
		return strings.ToValidUTF8(strings.TrimPrefix(string(raw), "\ufeff"), "\ufffd"), name
	}
	decoder := encoding.NewDecoder()
	if strings.HasPrefix(name, "utf-16") {
		decoder.Transformer = unicode.BOMOverride(decoder.Transformer)
	}
	decoded, err := decoder.Bytes(raw)
	if err != nil {
		return strings.ToValidUTF8(string(raw), "\ufffd"), "utf-8"
	}
	return string(decoded), name
}

// Kind is the media type of a Content-Type in lower case, without parameters; "" if it says none.
func Kind(contentType string) string {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind, _, _ = strings.Cut(contentType, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	return kind
}
