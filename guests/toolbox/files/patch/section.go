// Package patch reads unified diffs and applies them to texts.
//
// It guarantees that a hunk lands only where every one of its old lines stands: where its header says, or else at the
// one other place that fits. Nothing is guessed from similarity. It does not touch files.
package patch

import (
	"errors"
	"fmt"
	"strings"
)

// Section is what a diff says about one file. A name is empty for /dev/null.
type Section struct {
	Old, New string
	Hunks    []Hunk
	Create   bool
	Delete   bool
	Rename   bool
	Copy     bool
	Mode     string // the mode git names for the new file, if it is not an ordinary file's
	git      bool
	named    bool // by --- and +++ or by rename and copy lines
}

// Hunk is one `@@` block. Its lines begin with ' ', '-' or '+' and have no line ending.
type Hunk struct {
	Header    string
	Line      int // where the old lines begin, from 1; 0 when the header does not say
	Lines     []string
	Unended   map[int]bool // lines that "\ No newline at end of file" follows
	Recounted bool         // the header's counts were wrong
}

// errNotDiff is a text without a single file section.
var errNotDiff = errors.New(`no file section was found: a unified diff has "--- a/file" and "+++ b/file", then "@@ -1,3 +1,4 @@" hunks`)

type reader struct {
	lines    []string
	at       int
	sections []*Section
}

// Parse reads a diff with any number of files. Text around the sections (a mail, a commit message) is passed over.
func Parse(text string) ([]*Section, error) {
	if strings.Contains(text, "*** Begin Patch") {
		return nil, errors.New(`not supported: the "*** Begin Patch" form; give a unified diff ("--- a/file", "+++ b/file", "@@ -1,3 +1,4 @@")`)
	}
	r := &reader{lines: strings.Split(strings.TrimSuffix(text, "\n"), "\n")}
	for r.at < len(r.lines) {
		if err := r.line(); err != nil {
			return nil, fmt.Errorf("line %d of the patch: %w", min(r.at+1, len(r.lines)), err)
		}
	}
	if len(r.sections) == 0 {
		return nil, errNotDiff
	}
	for _, one := range r.sections {
		if err := one.finish(); err != nil {
			return nil, err
		}
	}
	return r.sections, nil
}

// line takes one line that is not inside a hunk, or a whole hunk.
func (r *reader) line() error {
	line := strings.TrimSuffix(r.lines[r.at], "\r")
	switch {
	case strings.HasPrefix(line, "diff --git "):
		section := &Section{git: true}
		section.Old, section.New = gitNames(strings.TrimPrefix(line, "diff --git "))
		r.sections = append(r.sections, section)
	case r.isHeader(r.at):
		return r.header()
	case strings.HasPrefix(line, "@@"):
		if len(r.sections) == 0 || !r.current().named {
			return errors.New(`a hunk stands before its file's "--- " and "+++ " lines`)
		}
		hunk, err := r.hunk()
		r.current().Hunks = append(r.current().Hunks, hunk)
		return err
	case len(r.sections) > 0 && r.current().git && len(r.current().Hunks) == 0:
		if err := r.current().extended(line); err != nil {
			return err
		}
	}
	r.at++
	return nil
}

func (r *reader) current() *Section { return r.sections[len(r.sections)-1] }

// isHeader says whether a file's "---" and "+++" pair begins at a line.
func (r *reader) isHeader(at int) bool {
	return at+1 < len(r.lines) && strings.HasPrefix(r.lines[at], "--- ") && strings.HasPrefix(r.lines[at+1], "+++ ")
}

func (r *reader) header() error {
	from, to := headerName(r.lines[r.at][4:]), headerName(r.lines[r.at+1][4:])
	if len(r.sections) == 0 || r.current().named && !r.current().Rename && !r.current().Copy || !r.current().git || len(r.current().Hunks) > 0 {
		r.sections = append(r.sections, &Section{})
	}
	section := r.current()
	if !section.Rename && !section.Copy { // whose own lines name the files without prefixes
		section.Old, section.New = from, to
		section.named = true
	}
	section.Create = section.Create || from == devNull
	section.Delete = section.Delete || to == devNull
	if from == devNull && to == devNull {
		return errors.New("both names are /dev/null")
	}
	r.at += 2
	return nil
}

// extended reads git's lines between "diff --git" and the first hunk.
func (s *Section) extended(line string) error {
	switch key, value := splitExtended(line); key {
	case "new file mode":
		s.Create = true
		return s.mode(value)
	case "deleted file mode":
		s.Delete = true
	case "new mode":
		s.Mode = value
		return s.mode(value)
	case "rename from", "copy from":
		s.Old, s.named = unquote(value), true
		s.Rename, s.Copy = key == "rename from", key == "copy from"
	case "rename to", "copy to":
		s.New = unquote(value)
	case "GIT binary patch", "Binary files":
		return errors.New("not supported: a binary patch; take it out, or make the file another way")
	}
	return nil
}

func (s *Section) mode(value string) error {
	switch value {
	case "100644", "100664":
	case "100755":
		s.Mode = value
	default:
		return fmt.Errorf("not supported: mode %s (a link or a submodule); only ordinary files are patched", value)
	}
	return nil
}

func splitExtended(line string) (key, value string) {
	for _, key := range []string{"new file mode", "deleted file mode", "new mode", "rename from", "rename to", "copy from",
		"copy to", "GIT binary patch", "Binary files"} {
		if rest, ok := strings.CutPrefix(line, key); ok && (rest == "" || rest[0] == ' ') {
			return key, strings.TrimPrefix(rest, " ")
		}
	}
	return "", ""
}

// finish settles the names and refuses what says nothing.
func (s *Section) finish() error {
	if !s.Rename && !s.Copy {
		s.Old, s.New = withoutPrefixes(s.Old, s.New)
	}
	if s.Old == devNull {
		s.Old = ""
	}
	if s.New == devNull {
		s.New = ""
	}
	shown := s.New
	if shown == "" {
		shown = s.Old
	}
	switch {
	case s.Create && s.Delete:
		return fmt.Errorf("%s: the patch both creates and deletes it", shown)
	case s.Create && s.New == "", s.Delete && s.Old == "", s.Old == "" && s.New == "", (s.Rename || s.Copy) && (s.Old == "" || s.New == ""):
		return fmt.Errorf("%s: the section does not name its file", shown)
	case s.Create || s.Delete || s.Rename || s.Copy || len(s.Hunks) > 0:
		return nil
	case s.Mode != "":
		return fmt.Errorf("%s: not supported: a change of mode alone; use bash `chmod`", shown)
	}
	return fmt.Errorf("%s: its section holds no hunk", shown)
}
