package files

import (
	"bytes"
	"strings"
)

// magics are the first bytes of the formats a workspace commonly holds (file(1)'s and the formats' own documents).
var magics = []struct{ prefix, kind string }{
	{"\x89PNG\r\n\x1a\n", "PNG image"}, {"\xff\xd8\xff", "JPEG image"}, {"GIF87a", "GIF image"}, {"GIF89a", "GIF image"},
	{"BM", "BMP image"}, {"II*\x00", "TIFF image"}, {"MM\x00*", "TIFF image"}, {"\x00\x00\x01\x00", "icon"},
	{"%PDF-", "PDF document"}, {"PK\x03\x04", "ZIP archive"}, {"PK\x05\x06", "ZIP archive"}, {"\x1f\x8b", "gzip data"},
	{"BZh", "bzip2 data"}, {"\xfd7zXZ\x00", "xz data"}, {"\x28\xb5\x2f\xfd", "Zstandard data"}, {"7z\xbc\xaf\x27\x1c", "7-zip archive"},
	{"Rar!\x1a\x07", "RAR archive"}, {"\x7fELF", "ELF executable"}, {"MZ", "Windows executable"}, {"\x00asm", "WebAssembly module"},
	{"\xca\xfe\xba\xbe", "Java class or Mach-O executable"}, {"\xcf\xfa\xed\xfe", "Mach-O executable"},
	{"SQLite format 3\x00", "SQLite database"}, {"OggS", "Ogg media"}, {"fLaC", "FLAC audio"}, {"ID3", "MP3 audio"},
	{"wOFF", "WOFF font"}, {"wOF2", "WOFF2 font"}, {"\x00\x01\x00\x00\x00", "TrueType font"}, {"OTTO", "OpenType font"},
	{"!<arch>\n", "ar archive"}, {"\xff\xfe\x00\x00", "UTF-32 text"}, {"\xff\xfe", "UTF-16 text"}, {"\xfe\xff", "UTF-16 text"}, {"PAR1", "Parquet table"},
	{"\x93NUMPY", "NumPy array"}, {"\xd0\xcf\x11\xe0", "Microsoft Office document"},
}

// binaryKind names what the beginning of a file is; empty for text.
func binaryKind(head []byte) string {
	if len(head) > 8<<10 {
		head = head[:8<<10]
	}
	looksBinary := bytes.IndexByte(head, 0) >= 0 || manyControls(head)
	for _, magic := range magics {
		if !strings.HasPrefix(string(head[:min(len(head), 32)]), magic.prefix) {
			continue
		}
		// "BM" or "ID3" may begin a text; a PDF may look like one.
		if looksBinary || magic.prefix[0] >= 0x80 || magic.prefix[0] < 0x20 || magic.kind == "PDF document" {
			return magic.kind
		}
	}
	switch {
	case len(head) > 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP" && looksBinary:
		return "WebP image"
	case len(head) > 12 && string(head[:4]) == "RIFF" && looksBinary:
		return "RIFF media (" + strings.TrimSpace(string(head[8:12])) + ")"
	case len(head) > 12 && string(head[4:8]) == "ftyp" && looksBinary:
		return "MP4 or QuickTime media"
	case len(head) > 262 && string(head[257:262]) == "ustar" && looksBinary:
		return "tar archive"
	case looksBinary:
		return "unknown type"
	}
	return ""
}

// manyControls is true when over a tenth of the bytes are control characters that text does not use.
func manyControls(head []byte) bool {
	controls := 0
	for _, b := range head {
		if b < 0x20 && b != '\n' && b != '\r' && b != '\t' && b != '\f' && b != '\b' && b != 0x1b || b == 0x7f {
			controls++
		}
	}
	return controls*10 > len(head)
}
