// Package media reads what the headers of images say of them.
//
// It guarantees a bounded number of small reads, whatever a file claims about itself, and never decodes pixels.
package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// Image is what a header says.
type Image struct {
	Format        string
	Width, Height int
	Detail        string // colours and the like, for people
}

const (
	headBytes = 4 << 10
	// stepsMax bounds how many segments, chunks or tags are passed over.
	stepsMax = 2000
)

// Inspect tells an image's size; false for what is no image, or one whose header is broken.
func Inspect(file io.ReaderAt) (Image, bool) {
	head := make([]byte, headBytes)
	n, _ := file.ReadAt(head, 0)
	head = head[:n]
	var image Image
	var ok bool
	switch {
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		image, ok = png(head)
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		image, ok = jpeg(file)
	case bytes.HasPrefix(head, []byte("GIF8")) && n >= 11:
		image, ok = Image{Format: "GIF", Width: little16(head[6:]), Height: little16(head[8:])}, true
	case bytes.HasPrefix(head, []byte("RIFF")) && n >= 30 && string(head[8:12]) == "WEBP":
		image, ok = webp(head)
	case bytes.HasPrefix(head, []byte("BM")) && n >= 30:
		image, ok = bmp(head)
	case bytes.HasPrefix(head, []byte("II*\x00")):
		image, ok = tiff(file, head, binary.LittleEndian)
	case bytes.HasPrefix(head, []byte("MM\x00*")):
		image, ok = tiff(file, head, binary.BigEndian)
	case bytes.HasPrefix(head, []byte("\x00\x00\x01\x00")) && n >= 22:
		image, ok = ico(head)
	}
	return image, ok && image.Width > 0 && image.Height > 0
}

func little16(b []byte) int { return int(binary.LittleEndian.Uint16(b)) }

// png is the IHDR chunk (W3C PNG specification, 11.2.1).
func png(head []byte) (Image, bool) {
	if len(head) < 33 || string(head[12:16]) != "IHDR" {
		return Image{}, false
	}
	kinds := map[byte]string{0: "greyscale", 2: "RGB", 3: "palette", 4: "greyscale with alpha", 6: "RGBA"}
	return Image{Format: "PNG", Width: int(binary.BigEndian.Uint32(head[16:])), Height: int(binary.BigEndian.Uint32(head[20:])),
		Detail: fmt.Sprintf("%d bit %s", head[24], kinds[head[25]])}, true
}

// jpeg goes from marker to marker to the frame header (ITU T.81, B.2.2).
func jpeg(file io.ReaderAt) (Image, bool) {
	at := int64(2)
	var segment [10]byte
	for range stepsMax {
		if n, _ := file.ReadAt(segment[:], at); n < len(segment) || segment[0] != 0xff {
			return Image{}, false
		}
		marker := segment[1]
		switch {
		case marker == 0xff: // filling
			at++
			continue
		case marker == 0xda || marker == 0xd9: // the picture or the end, without a frame
			return Image{}, false
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
			return Image{Format: "JPEG", Height: int(binary.BigEndian.Uint16(segment[5:])), Width: int(binary.BigEndian.Uint16(segment[7:])),
				Detail: map[byte]string{1: "greyscale", 3: "colour", 4: "CMYK"}[segment[9]]}, true
		}
		at += 2 + int64(binary.BigEndian.Uint16(segment[2:]))
	}
	return Image{}, false
}

// webp is the first chunk (RFC 9649).
func webp(head []byte) (Image, bool) {
	image := Image{Format: "WebP"}
	switch string(head[12:16]) {
	case "VP8 ":
		image.Width, image.Height = little16(head[26:])&0x3fff, little16(head[28:])&0x3fff
		return image, bytes.Equal(head[23:26], []byte{0x9d, 0x01, 0x2a})
	case "VP8L":
		bits := binary.LittleEndian.Uint32(head[21:])
		image.Width, image.Height = int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1
		image.Detail = "lossless"
		return image, head[20] == 0x2f
	case "VP8X":
		image.Width = 1 + (int(head[24]) | int(head[25])<<8 | int(head[26])<<16)
		image.Height = 1 + (int(head[27]) | int(head[28])<<8 | int(head[29])<<16)
		if head[20]&2 != 0 {
			image.Detail = "animated"
		}
		return image, true
	}
	return image, false
}

// bmp is the information header; a negative height means that the rows run from the top.
func bmp(head []byte) (Image, bool) {
	if binary.LittleEndian.Uint32(head[14:]) == 12 {
		return Image{Format: "BMP", Width: little16(head[18:]), Height: little16(head[20:])}, true
	}
	width, height := int32(binary.LittleEndian.Uint32(head[18:])), int32(binary.LittleEndian.Uint32(head[22:]))
	if height < 0 {
		height = -height
	}
	return Image{Format: "BMP", Width: int(width), Height: int(height), Detail: fmt.Sprintf("%d bit", little16(head[28:]))}, true
}

// ico is the largest of the directory's pictures; 0 stands for 256.
func ico(head []byte) (Image, bool) {
	count := little16(head[4:])
	image := Image{Format: "ICO", Detail: fmt.Sprintf("%d sizes", count)}
	if count == 1 {
		image.Detail = ""
	}
	for i := 0; i < count && 6+16*i+2 <= len(head); i++ {
		width, height := int(head[6+16*i]), int(head[7+16*i])
		if width == 0 {
			width = 256
		}
		if height == 0 {
			height = 256
		}
		if width*height > image.Width*image.Height {
			image.Width, image.Height = width, height
		}
	}
	return image, count > 0
}

// tiff is the first directory's ImageWidth and ImageLength (TIFF 6.0, section 2).
func tiff(file io.ReaderAt, head []byte, order binary.ByteOrder) (Image, bool) {
	if len(head) < 8 {
		return Image{}, false
	}
	image := Image{Format: "TIFF"}
	at := int64(order.Uint32(head[4:]))
	var count [2]byte
	if n, _ := file.ReadAt(count[:], at); n < 2 {
		return image, false
	}
	var tag [12]byte
	for i := range min(int(order.Uint16(count[:])), stepsMax) {
		if n, _ := file.ReadAt(tag[:], at+2+12*int64(i)); n < len(tag) {
			break
		}
		value := int(order.Uint32(tag[8:]))
		if order.Uint16(tag[2:]) == 3 { // a SHORT stands in the first half
			value = int(order.Uint16(tag[8:]))
		}
		switch order.Uint16(tag[:]) {
		case 256:
			image.Width = value
		case 257:
			image.Height = value
		}
	}
	return image, true
}
