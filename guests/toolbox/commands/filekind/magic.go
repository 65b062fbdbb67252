package filekind

import (
	"bytes"
	"fmt"
)

// magic is a format that is known by bytes at a place; `more` adds what the file says of itself.
type magic struct {
	at         int
	bytes      string
	text, mime string
	more       func(head []byte) string
}

// magics are the formats, the more exact before the others.
var magics = []magic{
	{0, "\x89PNG\r\n\x1a\n", "PNG image data", "image/png", pngMore},
	{0, "GIF8", "GIF image data", "image/gif", gifMore},
	{0, "\xff\xd8\xff", "JPEG image data", "image/jpeg", jpegMore},
	{0, "BM", "PC bitmap", "image/bmp", bmpMore},
	{0, "II*\x00", "TIFF image data, little-endian", "image/tiff", nil},
	{0, "MM\x00*", "TIFF image data, big-endian", "image/tiff", nil},
	{0, "\x00\x00\x01\x00", "MS Windows icon resource", "image/vnd.microsoft.icon", iconMore},
	{0, "8BPS", "Adobe Photoshop Image", "image/vnd.adobe.photoshop", nil},
	{0, "%PDF-", "PDF document", "application/pdf", pdfMore},
	{0, "\x7fELF", "ELF", "application/x-executable", elfMore},
	{0, "\x00asm", "WebAssembly (wasm) binary module", "application/wasm", wasmMore},
	{0, "MZ", "MS-DOS executable", "application/x-dosexec", exeMore},
	{0, "\xcf\xfa\xed\xfe", "Mach-O 64-bit", "application/x-mach-binary", machMore},
	{0, "\xce\xfa\xed\xfe", "Mach-O", "application/x-mach-binary", machMore},
	{0, "\xca\xfe\xba\xbe", "compiled Java class data", "application/x-java-applet", javaMore},
	{0, "SQLite format 3\x00", "SQLite 3.x database", "application/vnd.sqlite3", nil},
	{0, "PK\x05\x06", "Zip archive data (empty)", "application/zip", nil},
	{0, "\x1f\x8b", "gzip compressed data", "application/gzip", gzipMore},
	{0, "BZh", "bzip2 compressed data", "application/x-bzip2", bzipMore},
	{0, "\xfd7zXZ\x00", "XZ compressed data", "application/x-xz", xzMore},
	{0, "\x28\xb5\x2f\xfd", "Zstandard compressed data (v0.8+), Dictionary ID: None", "application/zstd", nil},
	{0, "\x04\x22\x4d\x18", "LZ4 compressed data (v1.4+)", "application/x-lz4", nil},
	{0, "\x1f\x9d", "compress'd data", "application/x-compress", nil},
	{0, "LZIP", "lzip compressed data", "application/x-lzip", nil},
	{0, "7z\xbc\xaf\x27\x1c", "7-zip archive data", "application/x-7z-compressed", sevenMore},
	{0, "Rar!\x1a\x07\x01", "RAR archive data, v5", "application/x-rar", nil},
	{0, "Rar!\x1a\x07\x00", "RAR archive data", "application/x-rar", nil},
	{257, "ustar  \x00", "POSIX tar archive (GNU)", "application/x-tar", nil},
	{257, "ustar\x00", "POSIX tar archive", "application/x-tar", nil},
	{0, "!<arch>\ndebian", "Debian binary package (format 2.0)", "application/vnd.debian.binary-package", nil},
	{0, "!<arch>\n", "current ar archive", "application/x-archive", nil},
	{0, "070701", "ASCII cpio archive (SVR4 with no CRC)", "application/x-cpio", nil},
	{0, "070707", "ASCII cpio archive (pre-SVR4 or odc)", "application/x-cpio", nil},
	{0, "\xed\xab\xee\xdb", "RPM", "application/x-rpm", nil},
	{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Composite Document File V2 Document", "application/CDFV2", nil},
	{0, "OggS", "Ogg data", "application/ogg", nil},
	{0, "fLaC", "FLAC audio bitstream data", "audio/flac", nil},
	{0, "ID3", "Audio file with ID3", "audio/mpeg", id3More},
	{0, "\xff\xfb", "MPEG ADTS, layer III, v1", "audio/mpeg", nil},
	{0, "MThd", "Standard MIDI data", "audio/midi", nil},
	{0, "\x1a\x45\xdf\xa3", "Matroska data", "video/x-matroska", nil},
	{4, "ftyp", "ISO Media", "video/mp4", isoMore},
	{0, "FLV\x01", "Macromedia Flash Video", "video/x-flv", nil},
	{0, "wOFF", "Web Open Font Format", "font/woff", nil},
	{0, "wOF2", "Web Open Font Format (Version 2)", "font/woff2", nil},
	{0, "OTTO", "OpenType font data", "application/vnd.ms-opentype", nil},
	{0, "\x00\x01\x00\x00\x00", "TrueType Font data", "font/sfnt", nil},
	{0, "\xd4\xc3\xb2\xa1", "pcap capture file, microsecond ts (little-endian)", "application/vnd.tcpdump.pcap", nil},
	{0, "\xa1\xb2\xc3\xd4", "pcap capture file, microsecond ts (big-endian)", "application/vnd.tcpdump.pcap", nil},
	{0, "\xde\x12\x04\x95", "GNU message catalog (little endian)", "application/x-gettext-translation", nil},
	{0, "PACK\x00\x00\x00\x02", "Git pack, version 2", "application/octet-stream", nil},
	{0, "DIRC", "Git index", "application/octet-stream", nil},
	{0, "\x93NUMPY", "NumPy data file", "application/octet-stream", nil},
	{0, "PAR1", "Apache Parquet", "application/vnd.apache.parquet", nil},
	{0, "\x89HDF\r\n\x1a\n", "Hierarchical Data Format (version 5) data", "application/x-hdf5", nil},
	{0, "ARROW1", "Apache Arrow IPC", "application/vnd.apache.arrow.file", nil},
}

// magicOf finds the format of the bytes.
func magicOf(head []byte) (text, mime string, ok bool) {
	if text, mime, ok := containerOf(head); ok {
		return text, mime, true
	}
	for _, one := range magics {
		if len(head) < one.at+len(one.bytes) || string(head[one.at:one.at+len(one.bytes)]) != one.bytes {
			continue
		}
		if one.text == "PC bitmap" && (len(head) < 26 || head[14] < 12) || one.bytes == "MZ" && len(head) < 64 {
			continue // two letters may begin any text
		}
		text := one.text
		if one.more != nil {
			text += one.more(head)
		}
		return text, refinedMime(one.mime, text), true
	}
	return "", "", false
}

// refinedMime is the media type where it depends on what the file says of itself.
func refinedMime(mime, text string) string {
	for _, one := range []struct{ mime, part, refined string }{
		{"application/x-executable", "shared object", "application/x-sharedlib"},
		{"application/x-executable", "pie executable", "application/x-pie-executable"},
		{"application/x-executable", "relocatable", "application/x-object"},
		{"application/x-executable", "core file", "application/x-coredump"},
		{"video/mp4", "Apple QuickTime movie", "video/quicktime"}, {"video/mp4", "HEIF", "image/heif"}, {"video/mp4", "AVIF", "image/avif"},
		{"video/mp4", "MPEG v4 system, iTunes AAC", "audio/x-m4a"},
		{"application/x-dosexec", "PE32", "application/vnd.microsoft.portable-executable"},
	} {
		if mime == one.mime && bytes.Contains([]byte(text), []byte(one.part)) {
			return one.refined
		}
	}
	return mime
}

// containerOf knows the formats that hold others: RIFF and ZIP.
func containerOf(head []byte) (text, mime string, ok bool) {
	if len(head) >= 12 && string(head[:4]) == "RIFF" {
		switch string(head[8:12]) {
		case "WEBP":
			return "RIFF (little-endian) data, Web/P image", "image/webp", true
		case "WAVE":
			return "RIFF (little-endian) data, WAVE audio", "audio/x-wav", true
		case "AVI ":
			return "RIFF (little-endian) data, AVI", "video/x-msvideo", true
		}
		return "RIFF (little-endian) data", "application/octet-stream", true
	}
	if len(head) < 30 || string(head[:4]) != "PK\x03\x04" {
		return "", "", false
	}
	name := zipName(head)
	if name == "mimetype" {
		for _, one := range []struct{ mime, text string }{
			{"application/epub+zip", "EPUB document"}, {"application/vnd.oasis.opendocument.text", "OpenDocument Text"},
			{"application/vnd.oasis.opendocument.spreadsheet", "OpenDocument Spreadsheet"},
			{"application/vnd.oasis.opendocument.presentation", "OpenDocument Presentation"},
		} {
			if bytes.HasPrefix(head[min(len(head), 30+len(name)+int(head[28])):], []byte(one.mime)) {
				return one.text, one.mime, true
			}
		}
	}
	if name == "[Content_Types].xml" || name == "_rels/.rels" || name == "docProps/app.xml" {
		const office = "application/vnd.openxmlformats-officedocument."
		for _, one := range []struct{ part, text, mime string }{
			{"word/", "Microsoft Word 2007+", office + "wordprocessingml.document"},
			{"xl/", "Microsoft Excel 2007+", office + "spreadsheetml.sheet"},
			{"ppt/", "Microsoft PowerPoint 2007+", office + "presentationml.presentation"},
		} {
			if bytes.Contains(head, []byte(one.part)) {
				return one.text, one.mime, true
			}
		}
		return "Microsoft OOXML", "application/octet-stream", true
	}
	if name == "META-INF/" || name == "META-INF/MANIFEST.MF" {
		return "Java archive data (JAR)", "application/java-archive", true
	}
	method := map[byte]string{0: "store", 8: "deflate", 9: "deflate64", 12: "bzip2", 14: "lzma", 93: "zstd", 95: "xz"}[head[8]]
	return fmt.Sprintf("Zip archive data, at least v%d.%d to extract, compression method=%s", head[4]/10, head[4]%10, method), "application/zip", true
}

// zipName is the name of a ZIP archive's first file.
func zipName(head []byte) string {
	length := int(head[26]) | int(head[27])<<8
	return string(head[30:min(len(head), 30+length)])
}
