package archive

import (
	stdzip "archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestWhatLeadsOutOfADirectoryIsCutFromANameAndNothingElse(t *testing.T) {
	for _, one := range []struct{ name, rest, cut string }{
		{"a/b", "a/b", ""}, {"./a", "./a", ""}, {"a..b/..c", "a..b/..c", ""}, {"/a", "a", "/"}, {"//a", "a", "//"},
		{"../a", "a", "../"}, {"a/../../b/c", "b/c", "a/../../"}, {"a/..", ".", "a/.."}, {"..", ".", ".."}, {"/", ".", "/"},
		{"../../", ".", "../../"}, {"/../a/", "a/", "/../"},
	} {
		if rest, cut := Below(one.name); rest != one.rest || cut != one.cut {
			t.Errorf("Below(%q) = %q, %q, not %q, %q", one.name, rest, cut, one.rest, one.cut)
		}
	}
	for _, one := range []struct {
		name, rest         string
		absolute, climbing bool
	}{
		{"a/b", "a/b", false, false}, {"/a", "a", true, false}, {"../a", "a", false, true}, {"a/../../b", "a/b", false, true},
		{"a/./b/", "a/b", false, false}, {"..", "", false, true}, {`..\a`, `..\a`, false, false},
	} {
		rest, absolute, climbing := Inside(one.name)
		if rest != one.rest || absolute != one.absolute || climbing != one.climbing {
			t.Errorf("Inside(%q) = %q, %v, %v", one.name, rest, absolute, climbing)
		}
	}
}

func TestANameIsShortenedByComponents(t *testing.T) {
	for _, one := range []struct {
		name string
		by   int
		want string
		ok   bool
	}{{"a/b/c", 1, "b/c", true}, {"a/b/c", 2, "c", true}, {"a/b", 2, "", false}, {"a/", 1, "", false}, {"a//b", 1, "b", true}, {"a", 0, "a", true}} {
		if got, ok := Shortened(one.name, one.by); got != one.want || ok != one.ok {
			t.Errorf("Shortened(%q, %d) = %q, %v", one.name, one.by, got, ok)
		}
	}
}

func TestANameThatIsShownHoldsNothingATerminalObeys(t *testing.T) {
	for name, want := range map[string]string{
		"plain é": "plain é", "a\nb": `a\nb`, "\x1b[2J": `\033[2J`, `a\b`: `a\\b`, "\xff": `\377`, "\u202e": `\342\200\256`,
	} {
		if got := Quoted(name); got != want {
			t.Errorf("Quoted(%q) = %q, not %q", name, got, want)
		}
	}
}

func packed(t *testing.T, codec *Codec, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	stream, err := codec.Create(&out, 0)
	if err == nil {
		_, err = stream.Write(content)
	}
	if err == nil {
		err = stream.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func unpacked(codec *Codec, data []byte) ([]byte, error) {
	stream, err := codec.Open(bufio.NewReader(bytes.NewReader(data)))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(stream)
}

func TestAStreamComesBackAndABrokenOneIsNamed(t *testing.T) {
	content := []byte(strings.Repeat("some text, ", 5000))
	for _, codec := range Codecs {
		whole := packed(t, codec, content)
		for _, one := range []struct {
			what string
			data []byte
			want []byte
			err  error
		}{
			{"whole", whole, content, nil},
			{"twice", append(append([]byte{}, whole...), whole...), append(append([]byte{}, content...), content...), nil},
			{"of nothing", packed(t, codec, nil), nil, nil},
			{"cut", whole[:len(whole)-9], nil, io.ErrUnexpectedEOF},
			{"something else", content, nil, ErrFormat},
		} {
			got, err := unpacked(codec, one.data)
			if !errors.Is(err, one.err) || err == nil && !bytes.Equal(got, one.want) {
				t.Errorf("%s %s: %v, %d bytes", codec.Name, one.what, err, len(got))
			}
		}
		if codec != Xz {
			if got, err := unpacked(codec, append(append([]byte{}, whole...), "junk"...)); !errors.Is(err, ErrTrailing) || !bytes.Equal(got, content) {
				t.Errorf("%s with junk: %v, %d bytes", codec.Name, err, len(got))
			}
		}
	}
}

func TestNoDamageOfAStreamIsMoreThanAnError(t *testing.T) {
	chance := rand.New(rand.NewSource(1))
	for _, codec := range Codecs {
		whole := packed(t, codec, []byte(strings.Repeat("abcdefgh", 3000)))
		for range 500 {
			data := append([]byte{}, whole[:chance.Intn(len(whole))+1]...)
			for range 1 + chance.Intn(4) {
				data[chance.Intn(len(data))] = byte(chance.Intn(256))
			}
			if stream, err := codec.Open(bufio.NewReader(bytes.NewReader(data))); err == nil {
				_, _ = io.Copy(io.Discard, io.LimitReader(stream, 1<<20))
			}
		}
	}
}

func tree(t *testing.T) (*Tree, string) {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"in", "out"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	chmod := func(path string, mode uint32) error { return os.Chmod(path, os.FileMode(mode)) }
	return NewTree(filepath.Join(root, "in"), false, chmod), root
}

func TestAMemberIsWrittenInsideAndNowhereElse(t *testing.T) {
	for _, one := range []struct {
		what, there, target, name string
		err                       error
	}{
		{"plain", "", "", "a/b", nil},
		{"through a link inside", "door", "real", "door/b", nil},
		{"through a link out", "door", "../out", "door/b", ErrLeadsOut},
		{"through a link into a link out", "real/door", "../../out", "real/door/b", ErrLeadsOut},
		{"over a link out", "b", "../out/b", "b", os.ErrExist},
		{"a long name", "", "", strings.Repeat("a/", NameBytesMax), syscall.ENAMETOOLONG},
		{"climbing", "", "", "../out/b", nil},
	} {
		tree, root := tree(t)
		if err := os.Mkdir(filepath.Join(root, "in", "real"), 0o755); err != nil {
			t.Fatal(err)
		}
		if one.there != "" {
			if err := os.Symlink(one.target, filepath.Join(root, "in", one.there)); err != nil {
				t.Fatal(err)
			}
		}
		file, err := tree.File(one.name)
		if err == nil {
			err = tree.Seal(file, Attributes{Mode: 0o644})
		}
		left, _ := os.ReadDir(filepath.Join(root, "out"))
		if !errors.Is(err, one.err) || len(left) > 0 {
			t.Errorf("%s: %v, and %d files outside", one.what, err, len(left))
		}
	}
}

func TestALinkWaitsForTheEndAndIsNotWrittenThrough(t *testing.T) {
	tree, root := tree(t)
	if err := tree.Link("door", "../out"); err != nil {
		t.Fatal(err)
	}
	if _, err := tree.File("door/b"); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("written through: %v", err)
	}
	var made []string
	tree.Finish(func(Link) bool { return false }, func(link Link, err error) {
		if err == nil {
			made = append(made, link.Name)
		}
	})
	if target, err := os.Readlink(filepath.Join(root, "in", "door")); target != "../out" || err != nil || len(made) != 1 {
		t.Errorf("%q, %v, %v", target, err, made)
	}
}

func TestADirectoryGetsItsModeAndTimeAfterItsContent(t *testing.T) {
	tree, root := tree(t)
	when := time.Unix(1_000_000_000, 0)
	if err := tree.Directory("d", Attributes{Mode: 0o555, When: when}, true); err != nil {
		t.Fatal(err)
	}
	file, err := tree.File("d/f")
	if err == nil {
		err = tree.Seal(file, Attributes{Mode: 0o600, When: when})
	}
	if err != nil {
		t.Fatal(err)
	}
	tree.Finish(func(Link) bool { return false }, func(Link, error) {})
	for name, mode := range map[string]os.FileMode{"d": 0o555, "d/f": 0o600} {
		info, err := os.Stat(filepath.Join(root, "in", name))
		if err != nil || info.Mode().Perm() != mode || !info.ModTime().Equal(when) {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	_ = os.Chmod(filepath.Join(root, "in", "d"), 0o755)
}

func zipOf(t *testing.T, names ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	writer := stdzip.NewWriter(&out)
	for _, name := range names {
		if member, err := writer.Create(name); err != nil {
			t.Fatal(err)
		} else if _, err := member.Write([]byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAZipIsOpenedUnlessItsDirectoryIsNoneOrTooLarge(t *testing.T) {
	whole := zipOf(t, "a", "b")
	many := append([]byte{}, whole...)
	binary.LittleEndian.PutUint32(many[len(many)-10:], 0x7fffffff)
	for _, one := range []struct {
		what string
		data []byte
		err  error
	}{{"whole", whole, nil}, {"empty", nil, ErrNoZip}, {"cut", whole[:len(whole)-3], ErrNoZip}, {"too large", many, ErrManyZip}} {
		in, err := OpenZip(bytes.NewReader(one.data), int64(len(one.data)))
		if !errors.Is(err, one.err) || err == nil && len(in.File) != 2 {
			t.Errorf("%s: %v", one.what, err)
		}
	}
}

func TestMembersThatShareBytesAreFound(t *testing.T) {
	in, err := OpenZip(bytes.NewReader(zipOf(t, "a", "b")), int64(len(zipOf(t, "a", "b"))))
	if err != nil {
		t.Fatal(err)
	}
	if Overlapping(in.File) {
		t.Error("an honest archive overlaps")
	}
	if !Overlapping([]*stdzip.File{in.File[0], in.File[1], in.File[0]}) {
		t.Error("the same member twice does not overlap")
	}
}
