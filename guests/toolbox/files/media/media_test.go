package media_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"

	"capbox/toolbox/files/media"
)

func encoded(t *testing.T, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := encode(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func samples(t *testing.T) map[string][]byte {
	picture := image.NewRGBA(image.Rect(0, 0, 30, 20))
	palette := image.NewPaletted(image.Rect(0, 0, 30, 20), color.Palette{color.Black, color.White})
	jpg := encoded(t, func(out *bytes.Buffer) error { return jpeg.Encode(out, picture, nil) })
	padded := append([]byte("\xff\xd8\xff\xe1\xff\xff"), make([]byte, 0xffff-2)...) // a large EXIF segment before the frame
	le, be := binary.LittleEndian, binary.BigEndian
	tiff := func(mark string, order binary.AppendByteOrder) []byte {
		out := order.AppendUint32([]byte(mark), 5000)
		out = append(out, make([]byte, 5000-len(out))...)
		out = order.AppendUint16(out, 2)
		out = order.AppendUint16(order.AppendUint32(order.AppendUint16(order.AppendUint16(out, 256), 3), 1), 30)
		out = append(out, 0, 0)
		return order.AppendUint32(order.AppendUint32(order.AppendUint16(order.AppendUint16(out, 257), 4), 1), 20)
	}
	bmp := append([]byte("BM"), make([]byte, 12)...)
	bmp = le.AppendUint32(le.AppendUint32(le.AppendUint32(bmp, 40), 30), ^uint32(20)+1)
	bmp = append(le.AppendUint16(append(bmp, 1, 0), 24), make([]byte, 10)...)
	vp8 := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8 \x00\x00\x00\x00\x00\x00\x00\x9d\x01\x2a"), 30, 0, 20, 0)
	vp8l := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8L\x00\x00\x00\x00\x2f"), le.AppendUint32(nil, 29|19<<14)...)
	vp8x := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00"), 29, 0, 0, 19, 0, 0)
	return map[string][]byte{
		"PNG 8 bit RGBA": encoded(t, func(out *bytes.Buffer) error { return png.Encode(out, picture) }),
		"JPEG colour":    append(padded, jpg[2:]...),
		"GIF ":           encoded(t, func(out *bytes.Buffer) error { return gif.Encode(out, palette, nil) }),
		"TIFF ":          tiff("II*\x00", le), " TIFF": tiff("MM\x00*", be), "BMP 24 bit": bmp, "WebP ": vp8, "WebP lossless": append(vp8l, 0, 0, 0, 0, 0),
		"WebP animated": vp8x, "ICO 2 sizes": append([]byte("\x00\x00\x01\x00\x02\x00"), append(append([]byte{16, 16}, make([]byte, 14)...), append([]byte{30, 20}, make([]byte, 14)...)...)...),
	}
}

func TestHeadersTellFormatAndSize(t *testing.T) {
	for want, content := range samples(t) {
		got, ok := media.Inspect(bytes.NewReader(content))
		if !ok || got.Width != 30 || got.Height != 20 || strings.TrimSpace(want) != strings.TrimSpace(got.Format+" "+got.Detail) {
			t.Errorf("%s: %+v %v", want, got, ok)
		}
	}
}

func TestABrokenHeaderIsNoImageAndNoPanic(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, content := range samples(t) {
		for range 2000 {
			broken := bytes.Clone(content[:random.IntN(min(len(content), 6000)+1)])
			for range random.IntN(6) {
				if len(broken) > 0 {
					broken[random.IntN(min(len(broken), 80))] = byte(random.IntN(256))
				}
			}
			if got, ok := media.Inspect(bytes.NewReader(broken)); ok && (got.Width <= 0 || got.Height <= 0) {
				t.Fatalf("%s: %+v", name, got)
			}
		}
	}
	for _, text := range []string{"", "GIF8", "\xff\xd8\xff", "BM", "text"} {
		if got, ok := media.Inspect(strings.NewReader(text)); ok {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func TestAnSVGTellsItsSize(t *testing.T) {
	for text, want := range map[string]string{
		`<?xml version="1.0"?><!-- c --><svg xmlns="x" width="24px" height="12"/>`: "24px 12 true",
		`<svg viewBox="0 0 640 480"><path/>`:                                       "640 480 true",
		`<svg/>`:                                                                   "  true", `<html><svg width="1"/>`: "  false", `no xml`: "  false", "": "  false",
	} {
		width, height, ok := media.SVG([]byte(text))
		if got := width + " " + height + map[bool]string{true: " true", false: " false"}[ok]; got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
