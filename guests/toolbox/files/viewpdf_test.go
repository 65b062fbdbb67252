package files

import "testing"

const aPDF = "%PDF-1.4\n1 0 obj <</Pages 2 0 R>> endobj 2 0 obj <</Kids [3 0 R]>> endobj\n" +
	"3 0 obj <</Contents 5 0 R /Resources <</Font <</F 4 0 R>>>>>> endobj 4 0 obj <<>> endobj 6 0 obj <</Title (T)>> endobj\n"

func TestReadShowsTheTextOfPDFs(t *testing.T) {
	root := tree(t, map[string]string{
		"text.pdf":    aPDF + "5 0 obj <<>> stream\nBT /F 9 Tf (one) Tj 0 -20 Td (two) Tj ET\nendstream endobj trailer <</Root 1 0 R /Info 6 0 R>>",
		"picture.pdf": aPDF + "trailer <</Root 1 0 R>>",
		"secret.pdf":  aPDF + "trailer <</Root 1 0 R /Encrypt 7 0 R>>",
		"broken.pdf":  "%PDF-1.4\nnothing\n",
	})
	wantContent(t, call(t, Read, root, args{"path": "text.pdf"}), "     1\t[page 1]\n     2\tone\n     3\t\n     4\ttwo\n"+
		"[a PDF document of 1 page, version 1.4, with the title \"T\"; its text, without layout]")
	wantContent(t, call(t, Read, root, args{"path": "picture.pdf"}), "picture.pdf: [a PDF document of 1 page, version 1.4; it holds no text: its pages may be pictures]")
	wantContent(t, call(t, Read, root, args{"path": "secret.pdf"}), "secret.pdf: [a PDF document of 1 page, version 1.4; it is encrypted, so its text is not shown]")
	wantParts(t, call(t, Read, root, args{"path": "broken.pdf"}), "binary file (PDF document, 17 bytes")
	wantParts(t, call(t, Read, root, args{"path": "text.pdf", "raw": true}), "binary file (PDF document")
}
