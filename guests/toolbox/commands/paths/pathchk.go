package paths

import (
	"os"
	"strconv"
	"strings"

	"capbox/toolbox/commands/kit"
)

// The bounds of POSIX for portable names, and those of Linux.
const (
	portableNameMax, portablePathMax = 14, 255
	nameBytesMax, pathBytesMax       = 255, 4095
)

// Pathchk is the command pathchk.
func Pathchk(c *kit.Call) int {
	opts, status, done := c.Parse(kit.Spec{Short: "pP", Long: "portability", Usage: "[OPTION]... NAME..."})
	if done {
		return status
	}
	if len(opts.Operands) == 0 {
		return c.Usage(1, "missing operand")
	}
	for _, name := range opts.Operands {
		problem := pathProblem(name, opts.Has("p", "portability"), opts.Has("P", "portability"))
		if problem == "" && !opts.Has("p", "portability") && name != "" {
			if _, err := os.Lstat(c.Path(name)); err != nil && !os.IsNotExist(err) {
				problem = name + ": " + kit.Reason(err)
			}
		}
		if problem != "" {
			status = c.Fail("%s", problem)
		}
	}
	return status
}

func pathProblem(name string, portable, strict bool) string {
	if strict {
		for _, part := range strings.Split(name, "/") {
			if strings.HasPrefix(part, "-") {
				return "leading '-' in a component of file name '" + name + "'"
			}
		}
	}
	if name == "" && (portable || strict) {
		return "empty file name"
	}
	if name == "" {
		return "'': No such file or directory"
	}
	partMax, pathMax := nameBytesMax, pathBytesMax
	if portable {
		partMax, pathMax = portableNameMax, portablePathMax
		if at := strings.IndexFunc(name, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/", r))
		}); at >= 0 {
			return "nonportable character '" + string([]rune(name[at:])[:1]) + "' in file name '" + name + "'"
		}
	}
	if len(name) > pathMax {
		return limitText(pathMax, len(name), "file name", name)
	}
	for _, part := range strings.Split(name, "/") {
		if len(part) > partMax {
			return limitText(partMax, len(part), "file name component", part)
		}
	}
	return ""
}

func limitText(limit, length int, what, name string) string {
	return "limit " + strconv.Itoa(limit) + " exceeded by length " + strconv.Itoa(length) + " of " + what + " '" + name + "'"
}
