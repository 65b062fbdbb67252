package files

import (
	"bytes"
	"fmt"
	"strings"
)

// differenceLinesMax bounds the table of the small diff in a hint.
const differenceLinesMax = 40

// nearest shows where most of old's lines stand, or else the line that is most like its most telling one.
func (d *document) nearest(old string) string {
	want := strings.Split(strings.TrimRight(old, "\r\n"), "\n")
	lines := bytes.SplitAfter(bytes.TrimSuffix(d.text, lf), lf) // no empty line after the last newline
	lines = lines[:min(len(lines), hintLinesMax)]
	if at := voted(want, lines); at >= 0 {
		return fmt.Sprintf("The nearest is line %d (- what was given, + what the file has):\n%s", at+1, difference(want, lines, at))
	}
	telling := ""
	for _, line := range want {
		if len(squeeze(line)) > len(telling) {
			telling = squeeze(line)
		}
	}
	words, pairs := wordsOf(telling), pairsOf(telling)
	best, bestScore := -1, 0.0
	for i, line := range lines {
		// Less than half of the words, or 0.6 of the letters, in common would only mislead.
		score := overlap(words, line)
		if score <= 0.5 {
			score = 0
		}
		if alike := pairs.alike(line); alike > 0.6 {
			score = max(score, alike)
		}
		if score > bestScore {
			best, bestScore = i, score
		}
	}
	if best < 0 {
		return "No line resembles it: read the file again."
	}
	from, to := max(best-1, 0), min(best+2, len(lines))
	var near []string
	for _, line := range lines[from:to] {
		near = append(near, string(line))
	}
	return fmt.Sprintf("The nearest is line %d:\n%s", best+1, quote(near, from+1))
}

// voted is the line at which most of the wanted lines, white space aside, stand in their order; -1 if less than two
// and less than a third of them do.
func voted(want []string, lines [][]byte) int {
	const occurrencesMax = 50 // a line like "}" says little
	places := make(map[string][]int, len(want))
	for i, line := range want[:min(len(want), 1000)] {
		if key := squeeze(line); key != "" && len(places[key]) < occurrencesMax {
			places[key] = append(places[key], i)
		}
	}
	votes := make(map[int]int)
	best := -1
	for i, line := range lines {
		for _, at := range places[squeeze(string(line))] {
			if start := i - at; start >= 0 {
				if votes[start]++; best < 0 || votes[start] > votes[best] || votes[start] == votes[best] && start < best {
					best = start
				}
			}
		}
	}
	if best < 0 || votes[best] < 2 || 3*votes[best] < len(want) {
		return -1
	}
	return best
}

// difference is a small diff from the wanted lines to those of the text at a place.
func difference(want []string, lines [][]byte, at int) string {
	want = want[:min(len(want), differenceLinesMax)]
	have := make([]string, 0, len(want))
	for _, line := range lines[at:min(at+len(want), len(lines))] {
		have = append(have, strings.TrimRight(string(line), "\r\n"))
	}
	// common[i][j]: the longest common subsequence of want[i:] and have[j:].
	common := make([][]int, len(want)+1)
	for i := range common {
		common[i] = make([]int, len(have)+1)
	}
	for i := len(want) - 1; i >= 0; i-- {
		for j := len(have) - 1; j >= 0; j-- {
			common[i][j] = max(common[i+1][j], common[i][j+1])
			if want[i] == have[j] {
				common[i][j] = max(common[i][j], 1+common[i+1][j+1])
			}
		}
	}
	var out strings.Builder
	i, j := 0, 0
	for i < len(want) || j < len(have) {
		switch {
		case i < len(want) && j < len(have) && want[i] == have[j]:
			differing(&out, numbered(at+j+1), " ", have[j])
			i++
			j++
		case i < len(want) && (j == len(have) || common[i+1][j] >= common[i][j+1]):
			differing(&out, "      \t", "-", want[i])
			i++
		default:
			differing(&out, numbered(at+j+1), "+", have[j])
			j++
		}
	}
	return out.String()
}

func differing(out *strings.Builder, prefix, mark, line string) {
	const charsMax = 200
	text, cut := clip([]byte(line), charsMax)
	out.WriteString(prefix + mark + string(text))
	if cut > 0 {
		out.WriteString(" [cut]")
	}
	out.WriteByte('\n')
}
