package filekind

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// What formats say of themselves, in file's words. A file that ends too early says nothing more.

func pngMore(head []byte) string {
	if len(head) < 29 {
		return ""
	}
	color := map[byte]string{0: " grayscale", 2: "/color RGB", 3: " colormap", 4: " gray+alpha", 6: "/color RGBA"}[head[25]]
	interlaced := "non-interlaced"
	if head[28] == 1 {
		interlaced = "interlaced"
	}
	return fmt.Sprintf(", %d x %d, %d-bit%s, %s", binary.BigEndian.Uint32(head[16:]), binary.BigEndian.Uint32(head[20:]), head[24], color, interlaced)
}

func gifMore(head []byte) string {
	if len(head) < 10 {
		return ""
	}
	return fmt.Sprintf(", version 8%s, %d x %d", head[4:6], binary.LittleEndian.Uint16(head[6:]), binary.LittleEndian.Uint16(head[8:]))
}

// jpegMore walks the segments to the one that tells the size.
func jpegMore(head []byte) string {
	text := ""
	if len(head) > 12 && string(head[6:10]) == "JFIF" {
		text = fmt.Sprintf(", JFIF standard %d.%02d", head[11], head[12])
	}
	if len(head) > 10 && string(head[6:10]) == "Exif" {
		text = ", Exif standard"
	}
	for at := 2; at+9 < len(head) && head[at] == 0xff; {
		kind := head[at+1]
		if kind >= 0xc0 && kind <= 0xc3 {
			frame := map[byte]string{0xc0: "baseline", 0xc1: "extended sequential", 0xc2: "progressive", 0xc3: "lossless"}[kind]
			return fmt.Sprintf("%s, %s, precision %d, %dx%d, components %d", text, frame, head[at+4],
				binary.BigEndian.Uint16(head[at+7:]), binary.BigEndian.Uint16(head[at+5:]), head[at+9])
		}
		at += 2 + int(binary.BigEndian.Uint16(head[at+2:]))
	}
	return text
}

func bmpMore(head []byte) string {
	if len(head) < 30 {
		return ""
	}
	return fmt.Sprintf(", Windows 3.x format, %d x %d x %d", int32(binary.LittleEndian.Uint32(head[18:])),
		int32(binary.LittleEndian.Uint32(head[22:])), binary.LittleEndian.Uint16(head[28:]))
}

func iconMore(head []byte) string {
	if len(head) < 8 {
		return ""
	}
	n := binary.LittleEndian.Uint16(head[4:])
	return fmt.Sprintf(" - %d icon%s", n, map[bool]string{false: "s"}[n == 1])
}

func pdfMore(head []byte) string {
	if len(head) < 8 {
		return ""
	}
	return ", version " + string(head[5:8])
}

func elfMore(head []byte) string {
	if len(head) < 20 {
		return ""
	}
	var order binary.ByteOrder = binary.LittleEndian
	text := map[byte]string{1: " 32-bit", 2: " 64-bit"}[head[4]]
	if head[5] == 2 {
		order = binary.BigEndian
		text += " MSB"
	} else {
		text += " LSB"
	}
	kind := map[uint16]string{1: "relocatable", 2: "executable", 3: "shared object", 4: "core file"}[order.Uint16(head[16:])]
	if kind == "shared object" && bytes.Contains(head[:min(len(head), 4096)], []byte("/ld-")) {
		kind = "pie executable"
	}
	machine := map[uint16]string{
		3: "Intel 80386", 8: "MIPS", 20: "PowerPC", 21: "64-bit PowerPC", 22: "IBM S/390", 40: "ARM", 50: "IA-64", 62: "x86-64", 183: "ARM aarch64",
		243: "UCB RISC-V", 247: "eBPF", 258: "LoongArch",
	}[order.Uint16(head[18:])]
	if machine == "" {
		machine = fmt.Sprintf("*unknown arch %#x*", order.Uint16(head[18:]))
	}
	system := map[byte]string{0: " (SYSV)", 3: " (GNU/Linux)", 9: " (FreeBSD)"}[head[7]]
	return text + " " + kind + ", " + machine + ", version 1" + system
}

func wasmMore(head []byte) string {
	if len(head) < 8 {
		return ""
	}
	version := binary.LittleEndian.Uint32(head[4:])
	if version == 1 {
		return " version 0x1 (MVP)"
	}
	return fmt.Sprintf(" version %#x", version)
}

func exeMore(head []byte) string {
	at := int(binary.LittleEndian.Uint32(head[60:]))
	if at < 0 || at+26 > len(head) || string(head[at:at+4]) != "PE\x00\x00" {
		return ""
	}
	kind := "PE32"
	if binary.LittleEndian.Uint16(head[at+24:]) == 0x20b {
		kind = "PE32+"
	}
	what := "executable"
	if binary.LittleEndian.Uint16(head[at+22:])&0x2000 != 0 {
		what = "DLL"
	}
	machine := map[uint16]string{0x14c: "Intel 80386", 0x8664: "x86-64", 0xaa64: "Aarch64"}[binary.LittleEndian.Uint16(head[at+4:])]
	return ", " + kind + " " + what + " " + machine + ", for MS Windows"
}

func machMore(head []byte) string {
	if len(head) < 16 {
		return ""
	}
	machine := map[uint32]string{7: "i386", 0x01000007: "x86_64", 12: "arm", 0x0100000c: "arm64"}[binary.LittleEndian.Uint32(head[4:])]
	kind := map[uint32]string{1: "object", 2: "executable", 6: "dynamically linked shared library", 8: "bundle"}[binary.LittleEndian.Uint32(head[12:])]
	return " " + machine + " " + kind
}

func javaMore(head []byte) string {
	if len(head) < 8 {
		return ""
	}
	minor, major := binary.BigEndian.Uint16(head[4:]), binary.BigEndian.Uint16(head[6:])
	text := fmt.Sprintf(", version %d.%d", major, minor)
	if major >= 49 {
		text += fmt.Sprintf(" (Java SE %d)", major-44)
	}
	return text
}

func gzipMore(head []byte) string {
	if len(head) < 10 {
		return ""
	}
	text := ""
	if head[3]&8 != 0 {
		if name, _, ok := strings.Cut(string(head[10:min(len(head), 300)]), "\x00"); ok && head[3]&4 == 0 {
			text += `, was "` + name + `"`
		}
	}
	if seconds := binary.LittleEndian.Uint32(head[4:]); seconds != 0 {
		text += ", last modified: " + time.Unix(int64(seconds), 0).UTC().Format("Mon Jan _2 15:04:05 2006")
	}
	switch head[8] {
	case 2:
		text += ", max compression"
	case 4:
		text += ", max speed"
	}
	text += map[byte]string{0: ", from FAT filesystem (MS-DOS, OS/2, NT)", 3: ", from Unix"}[head[9]]
	if len(head) < kindBytesMax && len(head) > 18 {
		text += fmt.Sprintf(", original size modulo 2^32 %d", binary.LittleEndian.Uint32(head[len(head)-4:]))
	}
	return text
}

func bzipMore(head []byte) string {
	if len(head) < 4 {
		return ""
	}
	return fmt.Sprintf(", block size = %c00k", head[3])
}

func xzMore(head []byte) string {
	if len(head) < 8 {
		return ""
	}
	return map[byte]string{0: ", checksum NONE", 1: ", checksum CRC32", 4: ", checksum CRC64", 10: ", checksum SHA-256"}[head[7]]
}

func sevenMore(head []byte) string {
	if len(head) < 8 {
		return ""
	}
	return fmt.Sprintf(", version %d.%d", head[6], head[7])
}

func id3More(head []byte) string {
	if len(head) < 5 {
		return ""
	}
	return fmt.Sprintf(" version 2.%d.%d", head[3], head[4])
}

func isoMore(head []byte) string {
	if len(head) < 12 {
		return ""
	}
	brand := map[string]string{
		"isom": ", MP4 Base Media v1 [ISO 14496-12:2003]", "iso2": ", MP4 Base Media v2 [ISO 14496-12:2005]", "mp42": ", MP4 v2 [ISO 14496-14]",
		"mp41": ", MP4 v1 [ISO 14496-1:ch13]", "qt  ": ", Apple QuickTime movie, Apple QuickTime (.MOV/QT)",
		"M4A ": ", MPEG v4 system, iTunes AAC-LC (.M4A)", "heic": ", HEIF Image HEVC Main or Main Still Picture Profile",
		"avif": ", AVIF Image",
	}
	return brand[string(head[8:12])]
}
