package files

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	notebookBytesMax = 24 << 20
	// Of each output so many lines and characters are shown.
	outputLinesMax = 30
	outputCharsMax = 3000
)

// text is a string that notebooks write in one piece or as a list of lines.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	var lines []string
	if json.Unmarshal(raw, &lines) == nil {
		*t = text(strings.Join(lines, ""))
		return nil
	}
	var one string
	if err := json.Unmarshal(raw, &one); err != nil {
		return nil // an output of another kind: nothing to show
	}
	*t = text(one)
	return nil
}

type notebook struct {
	Cells    []cell `json:"cells"`
	Format   int    `json:"nbformat"`
	Metadata struct {
		Language struct {
			Name string `json:"name"`
		} `json:"language_info"`
		Kernel struct {
			Language string `json:"language"`
		} `json:"kernelspec"`
	} `json:"metadata"`
}

type cell struct {
	Kind    string   `json:"cell_type"`
	Source  text     `json:"source"`
	Count   *int     `json:"execution_count"`
	Outputs []output `json:"outputs"`
}

type output struct {
	Kind      string          `json:"output_type"`
	Name      string          `json:"name"` // stdout or stderr
	Text      text            `json:"text"`
	Data      map[string]text `json:"data"`
	Error     string          `json:"ename"`
	Value     string          `json:"evalue"`
	Traceback []string        `json:"traceback"`
}

// colours are terminal escapes, which tracebacks are full of.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

// renderNotebook shows a notebook's cells with their outputs, shortened; false for what is none of format 4.
func renderNotebook(raw []byte) (rendered string, cells int, ok bool) {
	var book notebook
	if err := json.Unmarshal(raw, &book); err != nil || book.Cells == nil || book.Format != 4 {
		return "", 0, false
	}
	language := book.Metadata.Language.Name
	if language == "" {
		language = book.Metadata.Kernel.Language
	}
	var out strings.Builder
	for i, one := range book.Cells {
		head := fmt.Sprintf("cell %d: %s", i+1, one.Kind)
		if one.Kind == "code" {
			if language != "" {
				head += ", " + language
			}
			if one.Count != nil {
				head += fmt.Sprintf(", run as [%d]", *one.Count)
			}
		}
		out.WriteString("[" + head + "]\n")
		ended(&out, string(one.Source))
		for _, result := range one.Outputs {
			result.show(&out)
		}
		out.WriteByte('\n')
	}
	return out.String(), len(book.Cells), true
}

// ended writes a text that ends in a newline, unless it is empty.
func ended(out *strings.Builder, text string) {
	out.WriteString(text)
	if text != "" && !strings.HasSuffix(text, "\n") {
		out.WriteByte('\n')
	}
}

func (o *output) show(out *strings.Builder) {
	switch o.Kind {
	case "stream":
		shortened(out, "output, "+o.Name, string(o.Text))
	case "error":
		shortened(out, "error: "+o.Error+": "+firstLine(o.Value), strings.Join(o.Traceback, "\n"))
	case "execute_result", "display_data":
		var others []string
		for kind, content := range o.Data {
			if kind != "text/plain" {
				others = append(others, fmt.Sprintf("%s, %s", kind, counted(len(content), "character", "characters")))
			}
		}
		head := "output"
		if len(others) > 0 {
			slices.Sort(others)
			head += " (also " + strings.Join(others, "; ") + ")"
		}
		shortened(out, head, string(o.Data["text/plain"]))
	default:
		fmt.Fprintf(out, "[output of the kind %q, not shown]\n", firstLine(o.Kind))
	}
}

// shortened writes the beginning of an output under its heading, and says how much is missing.
func shortened(out *strings.Builder, head, content string) {
	out.WriteString("[" + head + "]\n")
	content = colours.ReplaceAllString(content, "")
	lines := strings.Split(strings.TrimRight(content, "\n"), "\n")
	kept, chars := 0, 0
	for _, line := range lines[:min(len(lines), outputLinesMax)] {
		if chars += len(line); chars > outputCharsMax {
			break
		}
		kept++
	}
	if kept == 0 {
		start, _ := clip([]byte(lines[0]), outputCharsMax)
		fmt.Fprintf(out, "%s [cut: the line has %s]\n", start, counted(len(lines[0]), "byte", "bytes"))
		kept = 1
	} else {
		ended(out, strings.Join(lines[:kept], "\n"))
	}
	if rest := len(lines) - kept; rest > 0 {
		out.WriteString("[" + counted(rest, "more line", "more lines") + " of output not shown]\n")
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	cut, _ := clip([]byte(line), 200)
	return string(cut)
}
