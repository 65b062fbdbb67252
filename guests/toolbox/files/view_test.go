package files

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"capbox/toolbox/abi"
)

func inUTF16(order binary.AppendByteOrder, text string) string {
	out := order.AppendUint16(nil, 0xfeff)
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return string(out)
}

func TestReadShowsUTF16AsText(t *testing.T) {
	const note = "\n[the file is UTF-16 and shown as UTF-8; edit does not change it]"
	long := strings.Repeat("a long líne 🙂 of text\n", 2500)
	for content, want := range map[string]string{
		inUTF16(binary.LittleEndian, "grüße\r\n🙂 x\n"): "     1\tgrüße\n     2\t🙂 x" + note,
		inUTF16(binary.BigEndian, "a\nb"):              "     1\ta\n     2\tb" + note,
		"\xfe\xff\x00a\xd8\x00\x00b":                   "     1\ta\ufffdb" + note,
		"\xfe\xff\x00a\x00b\x00":                       "     1\tab\ufffd" + note,
	} {
		wantContent(t, call(t, Read, tree(t, map[string]string{"f": content}), args{"path": "f"}), want)
	}
	root := tree(t, map[string]string{"f": inUTF16(binary.LittleEndian, long)})
	wantParts(t, call(t, Read, root, args{"path": "f", "offset": 2400}), "  2400\ta long líne 🙂 of text\n", "  2500\ta long líne 🙂 of text\n[the")
	wantParts(t, call(t, Read, root, args{"path": "f", "raw": true}), "binary file (UTF-16 text")
}

func TestReadTellsTheSizeOfImages(t *testing.T) {
	var out bytes.Buffer
	_ = png.Encode(&out, image.NewGray(image.Rect(0, 0, 3, 2)))
	root := tree(t, map[string]string{"p.png": out.String(), "broken.png": out.String()[:20], "s.svg": "<svg width=\"7\" height=\"5\">\n</svg>\n"})
	res := call(t, Read, root, args{"path": "p.png"})
	wantParts(t, res, "p.png is a binary file (PNG image, 3 x 2 pixels, 8 bit greyscale, ")
	if data := res.Data.(*readData); data.Width != 3 || data.Height != 2 || data.Format != "PNG" {
		t.Errorf("%+v", data)
	}
	wantParts(t, call(t, Read, root, args{"path": "broken.png"}), "(PNG image, 20 bytes)")
	wantContent(t, call(t, Read, root, args{"path": "s.svg"}), "     1\t<svg width=\"7\" height=\"5\">\n     2\t</svg>\n[an SVG image, 7 x 5]")
}

const aNotebook = `{"nbformat": 4, "metadata": {"language_info": {"name": "python"}}, "cells": [
 {"cell_type": "markdown", "source": ["# Title\n", "text"]},
 {"cell_type": "code", "execution_count": 3, "source": "print(1)\n1/0", "outputs": [
  {"output_type": "stream", "name": "stdout", "text": ["1\n"]},
  {"output_type": "execute_result", "data": {"text/plain": "<Figure>", "image/png": "AAAA"}},
  {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "division by zero", "traceback": ["\u001b[0;31mline 1\u001b[0m", "line 2"]}]},
 {"cell_type": "code", "execution_count": null, "source": [], "outputs": [{"output_type": "stream", "name": "stderr", "text": %q}]}]}`

func TestReadRendersNotebooks(t *testing.T) {
	root := tree(t, map[string]string{"n.ipynb": fmt.Sprintf(aNotebook, strings.Repeat("w\n", 50)), "not.ipynb": "{\"cells\": 1}\n", "old.ipynb": "{\"nbformat\": 3}\n"})
	wantContent(t, call(t, Read, root, args{"path": "n.ipynb", "limit": 16}), `     1	[cell 1: markdown]
     2	# Title
     3	text
     4	
     5	[cell 2: code, python, run as [3]]
     6	print(1)
     7	1/0
     8	[output, stdout]
     9	1
    10	[output (also image/png, 4 characters)]
    11	<Figure>
    12	[error: ZeroDivisionError: division by zero]
    13	line 1
    14	line 2
    15	
    16	[cell 3: code, python]
[33 more lines of 49 not shown; continue with offset 17]
[a notebook of 3 cells, rendered; "raw": true shows its JSON, which is what edit changes]`)
	wantParts(t, call(t, Read, root, args{"path": "n.ipynb", "offset": 17}), "[20 more lines of output not shown]")
	wantParts(t, call(t, Read, root, args{"path": "n.ipynb", "raw": true}), "     1\t{\"nbformat\": 4")
	wantContent(t, call(t, Read, root, args{"path": "not.ipynb"}), "     1\t{\"cells\": 1}")
	wantContent(t, call(t, Read, root, args{"path": "old.ipynb"}), "     1\t{\"nbformat\": 3}")
}

func TestReadSumsUpLargeTables(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("id,price,when,ok,note,none\n")
	for i := range 1500 {
		note := fmt.Sprintf("\"a, note %d\"", i)
		if i == 7 {
			note = ""
		}
		fmt.Fprintf(&rows, "%d,%d.5,2024-01-02,true,%s,\n", i, i, note)
	}
	rows.WriteString("1,2\n")
	root := tree(t, map[string]string{"t.csv": rows.String(), "small.csv": "a,b\n1,2\n", "one.csv": strings.Repeat("just text\n", 2000),
		"n.tsv": strings.Repeat("1\t2\t3\n", 3000), "bare.csv": strings.Repeat("\"never closed, \n", 2000)})
	res := call(t, Read, root, args{"path": "t.csv"})
	wantParts(t, res, "[t.csv is a table: 1,501 rows, 6 columns, separated by commas; 1 row has another number of fields]\n  id: integer\n  price: number\n"+
		"  when: date\n  ok: boolean\n  note: text (1 of the first 1,000 empty)\n  none: empty\n     1\tid,price,when,ok,note,none\n     2\t0,0.5,",
		"    11\t9,9.5,2024-01-02,true,\"a, note 9\",\n[its first lines; offset 12 and limit show more, \"raw\": true the text from the beginning]")
	if data := res.Data.(*readData); data.Rows != 1501 || data.Format != "table" || data.Lines != 11 {
		t.Errorf("%+v", data)
	}
	wantParts(t, call(t, Read, root, args{"path": "n.tsv"}), "3,000 rows, 3 columns, separated by tabs, without a header]\n  column 1: integer")
	wantParts(t, call(t, Read, root, args{"path": "t.csv", "offset": 3, "limit": 1}), "     3\t1,1.5")
	for _, plain := range []args{{"path": "t.csv", "raw": true}, {"path": "small.csv"}, {"path": "one.csv"}} {
		wantParts(t, call(t, Read, root, plain), "     1\t", "     2\t")
	}
	wantParts(t, call(t, Read, root, args{"path": "bare.csv"}), "     1\t\"never closed, ")
}

func TestReadSaysThatAFileChangedMeanwhile(t *testing.T) {
	root := tree(t, map[string]string{"f": "a\nb\n"})
	full := filepath.Join(root, "f")
	info, _ := os.Stat(full)
	file, _ := os.Open(full)
	defer file.Close()
	_ = os.WriteFile(full, []byte("a\nb\nc\n"), 0o644)
	v := &viewing{req: &abi.Request{Cwd: root, Call: abi.Call{OutputBytesMax: 1 << 16}}, place: place{path: full, shown: "f"}, file: file, info: info,
		data: &readData{Path: "f", Bytes: info.Size()}}
	res := v.view()
	wantParts(t, res, "     1\ta\n", "[the file was changed by something else while it was read")
	if !res.Data.(*readData).Changed {
		t.Error("the data does not say so")
	}
}

func TestBytesThatAreNotUTF8AreCounted(t *testing.T) {
	root := tree(t, map[string]string{"latin1": "caf\xe9\n\xfcber \xdf\n", "one": "a\ncaf\xe9\n", "utf8": "caf\u00e9 \ufffd\n", "long": strings.Repeat("\u00e9", 3000) + "\n"})
	const advice = " shown as U+FFFD; if it is Latin-1, bash shows it with `iconv -f latin1`]"
	for _, c := range []struct {
		args args
		note string
	}{
		{args{"path": "latin1"}, "[not UTF-8: 3 bytes are" + advice},
		{args{"path": "latin1", "raw": true}, "[not UTF-8: 3 bytes are" + advice},
		{args{"path": "one"}, "[not UTF-8: 1 byte is" + advice},
		{args{"path": "one", "limit": 1}, ""},
		{args{"path": "utf8"}, ""},
		{args{"path": "long"}, ""},
	} {
		res := call(t, Read, root, c.args)
		if !res.OK || strings.Contains(res.Content, "UTF-8") != (c.note != "") || !strings.HasSuffix(res.Content, c.note) {
			t.Errorf("%v: %s", c.args, res.Content[max(0, len(res.Content)-200):])
		}
	}
}
