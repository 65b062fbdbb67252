package shell

import (
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testdata/archives.json was recorded from GNU tar 1.34, gzip 1.12, bzip2 1.0.8, XZ Utils 5.4 and Info-ZIP in the C
// locale, standard output and error together: {script, output, exit}.
func TestArchivesAreHandledAsByTheOriginalTools(t *testing.T) {
	recorded(t, "archives.json", func(t *testing.T, one struct {
		Script, Output string
		Exit           int
	}) {
		res := bash(t, t.TempDir(), "exec 2>&1\n"+one.Script, nil)
		got := strings.TrimRight(exitLine.ReplaceAllString(res.Content, ""), "\n")
		if code := res.Data.(*Outcome).ExitCode; got != one.Output || code != one.Exit {
			t.Errorf("%s\ngave %d and\n%s\nnot %d and\n%s", one.Script, code, got, one.Exit, one.Output)
		}
	})
}

func TestEachCommandOfArchivesExplainsItself(t *testing.T) {
	for _, name := range strings.Fields("tar gzip gunzip zcat bzip2 bunzip2 bzcat xz unxz xzcat zip unzip") {
		res := bash(t, t.TempDir(), name+" --help", nil)
		if code := res.Data.(*Outcome).ExitCode; code != 0 || !strings.HasPrefix(res.Content, "Usage: ") {
			t.Errorf("%s --help: %d, %q", name, code, res.Content)
		}
	}
}

func TestWhatIsNotSupportedIsSaidAndNothingIsDone(t *testing.T) {
	for _, script := range []string{
		"tar --delete -f x.tar a", "tar cf x.tar --transform=s/a/b/ a", "tar cf x.tar -V label a", "tar c --zstd -f x.tar a",
		"tar cf x.tar -I rot13 a", "gzip -L a", "xz -F lzma a", "tar xf x.tar a -C d", "zip -e x a", "unzip -P secret x", "unzip -Z x",
	} {
		dir := t.TempDir()
		res := bash(t, dir, "echo 1 > a; "+script, nil)
		entries, _ := os.ReadDir(dir)
		if res.Data.(*Outcome).ExitCode != 2 || !strings.Contains(res.Content, ": not supported: ") || len(entries) != 1 {
			t.Errorf("%s: %q, %d files", script, res.Content, len(entries))
		}
	}
}

// A damaged archive is a message and a status: 70 would be a panic that was caught.
func TestNoDamageOfAnArchiveIsMoreThanAnError(t *testing.T) {
	script := `mkdir -p d/e; seq 500 > d/a; echo hi > d/e/b; ln -s a d/l; tar cf x.tar d; tar czf x.tgz d; zip -qry x.zip d; gzip -c d/a > x.gz; rm -r d`
	dir := t.TempDir()
	bash(t, dir, script, nil)
	chance := rand.New(rand.NewSource(2))
	for name, script := range map[string]string{
		"x.tar": "tar xvf y; tar tvf y; tar rf y z", "x.tgz": "tar xzf y", "x.zip": "unzip -o y; unzip -v y; unzip -t y; zip y z", "x.gz": "zcat y; gzip -l y",
	} {
		whole, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			data := append([]byte{}, whole[:len(whole)-chance.Intn(2)*chance.Intn(len(whole))]...)
			for range chance.Intn(6) {
				data[chance.Intn(len(data))] = byte(chance.Intn(256))
			}
			in := t.TempDir()
			if err := os.WriteFile(filepath.Join(in, "y"), data, 0o644); err != nil {
				t.Fatal(err)
			}
			res := bash(t, in, "exec 2>&1; echo > z\n"+script, nil)
			if strings.Contains(res.Content, "internal error") || res.Data == nil {
				t.Fatalf("%s: %s\n%q", script, res.Content, data)
			}
		}
	}
}
