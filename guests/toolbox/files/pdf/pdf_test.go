package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func deflated(text string) string {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return out.String()
}

func streamed(head, text string) string {
	packed := deflated(text)
	return fmt.Sprintf("<<%s /Filter /FlateDecode /Length %d>>\nstream\n%s\nendstream", head, len(packed), packed)
}

// file writes objects with the numbers of their places, from 1 on, and a trailer.
func file(trailer string, objects ...string) []byte {
	var out strings.Builder
	out.WriteString("%PDF-1.6\n%\xe2\xe3\n")
	for i, one := range objects {
		if one != "" {
			fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, one)
		}
	}
	return []byte(out.String() + "trailer\n" + trailer + "\nstartxref\n0\n%%EOF\n")
}

const cmapText = "1 begincodespacerange <0000> <ffff> endcodespacerange 1 beginbfchar <0001> <00480069> endbfchar " +
	"2 beginbfrange <0002> <0004> <0061> <0005> <0006> [<0078> <0079>] endbfrange"

// sample has a page tree, an object stream, a simple and a composite font, a form and an inline image.
func sample() []byte {
	packed := []string{"<</Type /Pages /Kids [4 0 R 5 0 R] /Count 9999999 /Resources <</Font <</F1 6 0 R /F2 7 0 R>> /XObject <</X 11 0 R>>>>>>", "<</Title (A \\(fine\\) t\\351tle)>>"}
	heads := fmt.Sprintf("2 0 3 %d ", len(packed[0])+1)
	return file("<</Root 1 0 R /Info 3 0 R>>",
		"<</Type /Catalog /Pages 2 0 R>>", "", "",
		"<</Type /Page /Parent 2 0 R /Contents [8 0 R 9 0 R]>>",
		"<</Type /Page /Parent 2 0 R /Contents 10 0 R>>",
		"<</Type /Font /Subtype /Type1 /Encoding <</Differences [1 /fi /eacute /uni4E16]>> /FirstChar 32 /Widths [250]>>",
		"<</Type /Font /Subtype /Type0 /Encoding /Identity-H /ToUnicode 12 0 R>>",
		streamed("", "BT /F1 12 Tf 72 700 Td (Hello) Tj 40 0 Td (world) Tj 0 -14 Td [(ne)20(xt)-400(li\\001e)] TJ ET BI /W 1 ID \x00(Tj EI"),
		streamed("", "BT /F1 12 Tf 1 0 0 1 72 600 Tm (caf\\002 \\003) Tj T* ET /X Do"),
		streamed("", "BT /F2 10 Tf 0 100 Td <00010002000300040005000600ff> Tj ET"),
		"<</Subtype /Form /Length 40>>\nstream\nBT /F1 9 Tf 0 500 Td (in a form) Tj ET /X Do\nendstream",
		streamed("", cmapText),
		streamed(fmt.Sprintf("/Type /ObjStm /N 2 /First %d", len(heads)), heads+packed[0]+" "+packed[1]),
	)
}

func read(t *testing.T, raw []byte) (*Document, []string) {
	t.Helper()
	d, err := Open(raw)
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	d.Text(func(_ int, text string) bool {
		pages = append(pages, text)
		return true
	})
	return d, pages
}

func TestVersionTitlePagesAndTextAreFound(t *testing.T) {
	d, pages := read(t, sample())
	if d.Version != "1.6" || d.Title != "A (fine) tétle" || d.Encrypted || len(d.Pages) != 2 {
		t.Errorf("%q %q %v %d", d.Version, d.Title, d.Encrypted, len(d.Pages))
	}
	want := []string{"Hello world\nnext lifie\n\ncafé 世\n\nin a form", "Hiabcxy"}
	if fmt.Sprintf("%q", pages) != fmt.Sprintf("%q", want) {
		t.Errorf("%q, want %q", pages, want)
	}
}

func TestALaterObjectReplacesAnEarlierOne(t *testing.T) {
	raw := file("<</Root 1 0 R>>", "<</Pages 2 0 R>>", "<</Kids [3 0 R]>>", "<</Contents 5 0 R /Resources <</Font <</F 4 0 R>>>>>>", "<</Subtype /Type1>>",
		"<</Length 9>>\nstream\n(old) Tj\nendstream")
	raw = append(raw, "5 0 obj\n<</Length 999>>\nstream\nBT /F 1 Tf (new) Tj ET\nendstream\nendobj\n"...)
	if _, pages := read(t, raw); fmt.Sprint(pages) != "[new]" {
		t.Errorf("%q", pages)
	}
}

func TestWhatIsEncryptedOrNoPDFIsSaid(t *testing.T) {
	if d, _ := read(t, file("<</Root 1 0 R /Encrypt 9 0 R>>", "<</Pages 2 0 R>>", "<</Kids [3 0 R]>>", "<<>>")); !d.Encrypted {
		t.Error("not encrypted")
	}
	for _, raw := range []string{"", "%PDF-1.4", "hello", "%PDF-1.4\n1 0 obj <</Pages 1 0 R>> endobj trailer <</Root 1 0 R>>"} {
		if d, err := Open([]byte(raw)); err == nil && len(d.Pages) != 1 {
			t.Errorf("%q: %+v", raw, d)
		}
	}
}

// Each file is an attack on time or memory: cycles, depth, sizes that it only claims, and bombs.
func TestHostileFilesEndSoon(t *testing.T) {
	bomb := deflated(strings.Repeat("[1 1 1 1 1 1 1 1] ", 2_000_000))
	catalog := "<</Pages 2 0 R>>"
	page := "<</Contents 4 0 R /Resources <</Font <</F 5 0 R>> /XObject <</X 6 0 R /Y 7 0 R>>>>>>"
	packed := fmt.Sprintf("<</Type /ObjStm /N 1000000 /First 8 /Filter /FlateDecode /Length %d>>\nstream\n%s\nendstream", len(bomb), bomb)
	both := "<</Subtype /Form>>\nstream\n" + strings.Repeat("/X Do /Y Do ", 2000) + "\nendstream"
	for name, raw := range map[string][]byte{
		"tree in a circle":     file("<</Root 1 0 R>>", catalog, "<</Kids [2 0 R 3 0 R 2 0 R]>>", "<</Kids [2 0 R 3 0 R]>>"),
		"direct tree":          file("<</Root 1 0 R>>", catalog, "<</Kids ["+strings.Repeat("<</Kids [2 0 R 3 0 R]>>", 60_000)+"]>>", "<<>>"),
		"references in a ring": file("<</Root 1 0 R>>", "2 0 R", "1 0 R"),
		"depth":                file("<</Root 1 0 R>>", strings.Repeat("[", 3_000_000), catalog),
		"names":                file("<</Root 1 0 R>>", "/"+strings.Repeat("#41", 3_000_000)),
		"trailers":             []byte("%PDF-1.4\n" + strings.Repeat("trailer(", 1_000_000)),
		"objects":              []byte("%PDF-1.4\n" + strings.Repeat("1 0 obj(", 1_000_000)),
		"streams":              []byte("%PDF-1.4\n" + strings.Repeat("1 0 obj<<>>stream\n", 500_000)),
		"claimed size":         file("<</Root 1 0 R /Size 999999999999>>", catalog, "<</Kids [3 0 R] /Count 99999999>>", page, "<</Length 99999999999>>\nstream\n\nendstream"),
		"bombs":                file("<</Root 1 0 R>>", catalog, "<</Kids [3 0 R]>>", page, packed, packed, packed, packed, packed),
		"forms":                file("<</Root 1 0 R>>", catalog, "<</Kids [3 0 R]>>", page, both, "<<>>", both, both),
		"a font's ranges": file("<</Root 1 0 R>>", catalog, "<</Kids [3 0 R]>>", page, "<<>>\nstream\n/F 1 Tf (x) Tj\nendstream", "<</ToUnicode 8 0 R>>", "", "",
			"<<>>\nstream\n"+strings.Repeat("<0000> <ffff> <0041> endbfrange ", 20_000)+"\nendstream"),
	} {
		t.Run(name, func(t *testing.T) {
			started := time.Now()
			if d, err := Open(raw); err == nil {
				size := 0
				d.Text(func(_ int, text string) bool { size += len(text); return true })
				if size > 2*TextMax {
					t.Error(size)
				}
			}
			if taken := time.Since(started); taken > 20*time.Second {
				t.Errorf("it took %s", taken)
			}
		})
	}
}

func TestBrokenFilesDoNotPanic(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	whole := sample()
	for range 3000 {
		broken := bytes.Clone(whole[:len(whole)-random.IntN(2)*random.IntN(len(whole))])
		for range 1 + random.IntN(10) {
			if len(broken) > 0 {
				broken[random.IntN(len(broken))] = "0123456789<>[]()/ RTjobj\x00\xff"[random.IntN(26)]
			}
		}
		if d, err := Open(broken); err == nil {
			d.Text(func(int, string) bool { return true })
		}
	}
}
