package files

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestReadShowsNumberedLines(t *testing.T) {
	for _, c := range []struct {
		name, text string
		args       args
		want       string
	}{
		{"with a last newline", "a\nb\n", args{}, "     1\ta\n     2\tb"},
		{"without a last newline", "a\nb", args{}, "     1\ta\n     2\tb"},
		{"with empty lines at the end", "a\n\n\n", args{}, "     1\ta\n     2\t\n     3\t"},
		{"CRLF", "a\r\nb\r\n", args{}, "     1\ta\n     2\tb"},
		{"with a byte order mark", "\ufeffa\n", args{}, "     1\ta"},
		{"beyond ASCII", "grüße\n世界\n", args{}, "     1\tgrüße\n     2\t世界"},
		{"from an offset", "a\nb\nc\n", args{"offset": 2}, "     2\tb\n     3\tc"},
		{"with a limit", "a\nb\nc\nd", args{"limit": 1}, "     1\ta\n[3 more lines of 4 not shown; continue with offset 2]"},
		{"with offset and limit", "a\nb\nc\n", args{"offset": 2, "limit": 1}, "     2\tb\n[1 more line of 3 not shown; continue with offset 3]"},
		{"past the end", "a\nb", args{"offset": 3}, "[offset 3 is past the end: f has 2 lines]"},
		{"far past the end", "a\n", args{"offset": 1_000_000}, "[offset 1000000 is past the end: f has 1 line]"},
		{"empty", "", args{}, "[f is empty: 0 bytes]"},
		{"empty, past the end", "", args{"offset": 9}, "[f is empty: 0 bytes]"},
		{"one newline", "\n", args{}, "     1\t"},
		{"the last line without newline", "a\nb", args{"offset": 2}, "     2\tb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, map[string]string{"f": c.text})
			c.args["path"] = "f"
			wantContent(t, call(t, Read, root, c.args), c.want)
		})
	}
}

func TestReadReportsPagesInItsData(t *testing.T) {
	root := tree(t, map[string]string{"d/f": strings.Repeat("x\n", 5000)})
	res := call(t, Read, root, args{"path": "./d/../d/f"})
	want := readData{Path: "d/f", Lines: 2000, First: 1, Last: 2000, Total: 5000, Bytes: 10_000}
	if got := *res.Data.(*readData); got != want {
		t.Errorf("%+v", got)
	}
	wantParts(t, res, "  2000\tx\n[3,000 more lines of 5,000 not shown; continue with offset 2001]")
}

func TestReadCutsLongLinesWithAMark(t *testing.T) {
	root := tree(t, map[string]string{"f": strings.Repeat("é", 3000) + "\nshort\n" + strings.Repeat("z", 3<<20)})
	res := call(t, Read, root, args{"path": "f"})
	wantContent(t, res, "     1\t"+strings.Repeat("é", 2000)+" [cut: the line has 6,000 bytes]\n     2\tshort\n     3\t"+
		strings.Repeat("z", 2000)+" [cut: the line has 3,145,728 bytes]")
}

func TestReadNamesBinariesAndShowsNoByteOfThem(t *testing.T) {
	for content, kind := range map[string]string{
		"\x89PNG\r\n\x1a\n\x00\x00IHDR": "PNG image, 14 bytes", "\x00\x01\x02": "unknown type, 3 bytes", "%PDF-1.7\nabc": "PDF document",
		"\x7fELF\x02\x01": "ELF executable", "\xff\xfe\x00\x00h\x00\x00\x00": "UTF-32 text", "PK\x03\x04\x14\x00": "ZIP archive", "\x1f\x8b\x08abc": "gzip data",
	} {
		root := tree(t, map[string]string{"f": content})
		wantParts(t, call(t, Read, root, args{"path": "f"}), "binary file ("+kind, "not shown")
	}
	root := tree(t, map[string]string{"f": "BMW is a car, \x1b[1mand\x1b[0m ID3 is text\n"})
	wantParts(t, call(t, Read, root, args{"path": "f"}), "     1\tBMW is a car")
}

func TestReadSaysWhyItCannot(t *testing.T) {
	root := tree(t, map[string]string{"dir/config.yaml": "x\n", "loop": "-> loop", "dangling": "-> nowhere"})
	for _, c := range []struct{ path, code, part string }{
		{"dir", "is_directory", `tree {"path": "dir"}`},
		{"dir/", "is_directory", "tree"},
		{"dir/config.yml", "not_found", "Did you mean dir/config.yaml?"},
		{"dir/Config.yaml", "not_found", "Did you mean dir/config.yaml?"},
		{"nothing/at/all", "not_found", "No such file or directory"},
		{"dir/config.yaml/x", "not_a_directory", ""},
		{"dir/config.yaml/", "not_a_directory", "trailing slash"},
		{"loop", "link_loop", "circle"},
		{"dangling", "not_found", ""},
		{strings.Repeat("n", 300), "invalid_arguments", "too long"},
	} {
		t.Run(c.path[:min(len(c.path), 20)], func(t *testing.T) {
			wantError(t, call(t, Read, root, args{"path": c.path}), c.code, c.part)
		})
	}
}

func TestReadReportsARefusal(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads everything; the refusal is the same errno that the host gives")
	}
	root := tree(t, map[string]string{"secret": "x"})
	_ = os.Chmod(filepath.Join(root, "secret"), 0)
	wantError(t, call(t, Read, root, args{"path": "secret"}), "permission_denied", "no grant to read it")
}

func TestRefusalsAreNamedForEveryVerb(t *testing.T) {
	p := place{path: "/workspace/a", shown: "a"}
	for err, code := range map[error]string{
		syscall.EACCES: "permission_denied", syscall.EPERM: "permission_denied", syscall.EROFS: "permission_denied",
		syscall.ENOSPC: "no_space", syscall.EIO: "io", syscall.EISDIR: "is_directory",
	} {
		wantError(t, failed(p, "write", &os.PathError{Op: "open", Path: "x", Err: err}), code, "a")
	}
	wantError(t, failed(p, "write", syscall.EACCES), "permission_denied", "write:/workspace/a")
}

func TestReadKeepsWithinTheOutputBoundAndPagesThroughEverything(t *testing.T) {
	var text strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&text, "line %d \"quoted\" \\ \x01 \xff <&> \u2028 %s\n", i+1, strings.Repeat("\t", i%50))
	}
	text.WriteString(strings.Repeat("\x02\"", 40_000))
	root := tree(t, map[string]string{"f": text.String()})
	for _, bound := range []int{4 << 10, 20_000, 64 << 10} {
		seen, offset, pages := 0, 1, 0
		for offset <= 3001 {
			res := callBounded(t, Read, root, args{"path": "f", "offset": offset}, bound)
			data := res.Data.(*readData)
			if !res.OK || data.Lines == 0 || data.First != offset || data.Total != 3001 {
				t.Fatalf("bound %d offset %d: %+v", bound, offset, data)
			}
			seen += data.Lines
			offset = data.Last + 1
			pages++
		}
		if seen != 3001 || pages < 2 {
			t.Errorf("bound %d: %d lines in %d pages", bound, seen, pages)
		}
	}
}

func TestReadPagesAHugeSparseFile(t *testing.T) {
	root := tree(t, map[string]string{"f": "first\nsecond\n"})
	file, err := os.OpenFile(filepath.Join(root, "f"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt([]byte(strings.Repeat("w", 9000)+"\nlast"), 64<<20)
	if closing := file.Close(); err != nil || closing != nil {
		t.Fatal(err, closing)
	}
	_ = os.WriteFile(filepath.Join(root, "f"), append([]byte(strings.Repeat("t\n", 8<<10)), slurpBytes(t, root, "f")...), 0o644)
	res := call(t, Read, root, args{"path": "f", "offset": 8193, "limit": 2})
	wantParts(t, res, "  8193\tfirst\n  8194\tsecond\n[2 more lines of 8,196 not shown; continue with offset 8195]")
}

func slurpBytes(t *testing.T, parts ...string) []byte { return []byte(slurp(t, parts...)) }

func TestReadPagesAHundredThousandLines(t *testing.T) {
	var text strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&text, "line %d\n", i+1)
	}
	root := tree(t, map[string]string{"f": text.String()})
	wantContent(t, call(t, Read, root, args{"path": "f", "offset": 99_999}), " 99999\tline 99999\n100000\tline 100000")
	wantContent(t, call(t, Read, root, args{"path": "f", "offset": 50_000, "limit": 1}),
		" 50000\tline 50000\n[50,000 more lines of 100,000 not shown; continue with offset 50001]")
}

func TestALinkThatLeadsNowhereIsNamedAsOne(t *testing.T) {
	root := tree(t, map[string]string{"dangling": "-> gone", "again": "-> dangling", "folder": "-> none", "dir/x": "a\n", "fine": "-> dir"})
	const nowhere = ", which does not exist or is not part of this sandbox."
	for name, want := range map[string]string{
		"dangling": "dangling is a symbolic link to gone" + nowhere, "again": "again is a symbolic link to dangling" + nowhere,
		"folder/x": "folder/x: folder is a symbolic link to none" + nowhere, "fine/y": `fine/y: No such file or directory. Find files with glob, for example {"pattern": "**/y"}.`,
		"danglin": "danglin: No such file or directory. Did you mean dangling?",
	} {
		for _, run := range []tool{Read, Tree} {
			if res := call(t, run, root, args{"path": name}); res.Error == nil || res.Error.Code != "not_found" || res.Error.Message != want {
				t.Errorf("%s: %+v", name, res.Error)
			}
		}
		if res := call(t, Grep, root, args{"path": name, "pattern": "x"}); res.Error == nil || res.Error.Message != want {
			t.Errorf("grep %s: %+v", name, res.Error)
		}
	}
}
