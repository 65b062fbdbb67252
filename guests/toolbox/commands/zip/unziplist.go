package zip

import (
	stdzip "archive/zip"
	"fmt"
	"io"
	"strings"

	"capbox/toolbox/commands/archive"
)

const zipTime = "2006-01-02 15:04"

// listShort is unzip -l.
func (j *unzipJob) listShort() {
	out := j.c.Out
	if j.quiet < 2 {
		out.WriteString("  Length      Date    Time    Name\n---------  ---------- -----   ----\n")
	}
	total, count := uint64(0), 0
	j.eachMember(func(file *stdzip.File) {
		out.Printf("%9d  %s   %s\n", file.UncompressedSize64, file.Modified.UTC().Format(zipTime), visible(file.Name))
		total += file.UncompressedSize64
		count++
	})
	if j.quiet < 2 {
		out.Printf("---------                     -------\n%9d                     %s\n", total, counting(count))
	}
}

func counting(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// listLong is unzip -v.
func (j *unzipJob) listLong() {
	out := j.c.Out
	if j.quiet < 2 {
		out.WriteString(" Length   Method    Size  Cmpr    Date    Time   CRC-32   Name\n" +
			"--------  ------  ------- ---- ---------- ----- --------  ----\n")
	}
	total, packed, count := uint64(0), uint64(0), 0
	j.eachMember(func(file *stdzip.File) {
		out.Printf("%8d  %s %8d %3d%% %s %08x  %s\n", file.UncompressedSize64, zipMethod(file.Method), file.CompressedSize64,
			saved(file.UncompressedSize64, file.CompressedSize64), file.Modified.UTC().Format(zipTime), file.CRC32, visible(file.Name))
		total += file.UncompressedSize64
		packed += file.CompressedSize64
		count++
	})
	if j.quiet < 2 {
		out.Printf("--------          -------  ---                            -------\n%8d         %8d %3d%%                            %s\n",
			total, packed, saved(total, packed), counting(count))
	}
}

func zipMethod(method uint16) string {
	switch method {
	case stdzip.Store:
		return "Stored"
	case stdzip.Deflate:
		return "Defl:N"
	}
	return fmt.Sprintf("Unk:%03d", method%1000)[:6]
}

// saved is how many percent smaller something became, rounded as Info-ZIP does.
func saved(before, after uint64) int {
	if before == 0 || after >= before {
		return 0
	}
	return int(100*(float64(before)-float64(after))/float64(before) + 0.5)
}

// test is unzip -t: it reads everything and writes nothing.
func (j *unzipJob) test() {
	count := 0
	j.eachMember(func(file *stdzip.File) {
		count++
		good := file.Mode().IsDir() || j.copy(file, io.Discard)
		if good && j.quiet == 0 {
			j.c.Out.Printf("    testing: %-22s   OK\n", visible(file.Name))
		}
	})
	switch {
	case j.status != 0:
		j.c.Out.Line("At least one error was detected in " + j.name + ".")
	case len(j.wanted) > 0:
		j.c.Out.Printf("No errors detected in %s for the %d file%s tested.\n", j.name, count, map[bool]string{false: "s"}[count == 1])
	default:
		j.c.Out.Line("No errors detected in compressed data of " + j.name + ".")
	}
}

// memberName is where a member goes; what was cut from its name is told.
func (j *unzipJob) memberName(file *stdzip.File) string {
	name, absolute, climbing := archive.Inside(file.Name)
	if absolute {
		j.fail(1, "warning:  stripped absolute path spec from %s", visible(file.Name))
	}
	if climbing {
		j.fail(1, "warning:  skipped \"../\" path component(s) in %s", visible(file.Name))
	}
	if j.opts.Has("L") {
		name = strings.ToLower(name)
	}
	return name
}
