package commands

import (
	"slices"
	"strings"
)

// nearestMax is how many names an answer to an unknown command holds at most.
const nearestMax = 4

// Nearest are the commands whose names are a few keystrokes from the given one, the nearest first.
func Nearest(name string) []string {
	const longest = 24 // longer words are no misspelt commands
	if len(name) > longest {
		return nil
	}
	type candidate struct {
		name     string
		distance int
	}
	var near []candidate
	for _, other := range append(Names(), strings.Fields(shellWords)...) {
		far := distance(strings.ToLower(name), other)
		// A third of the letters may differ; a name that continues the given one is near as well.
		if far == 0 || len(other) > 2 && far <= 1+len(name)/4 || len(name) > 2 && strings.HasPrefix(other, name) {
			near = append(near, candidate{other, far})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return a.distance - b.distance })
	var names []string
	for _, one := range near[:min(len(near), nearestMax)] {
		names = append(names, one.name)
	}
	return names
}

// nearHint is "; nearest: a, b", or nothing.
func nearHint(name string) string {
	if near := Nearest(name); len(near) > 0 {
		return "; nearest: " + strings.Join(near, ", ")
	}
	return ""
}

// distance counts the insertions, deletions, changes and swaps of neighbours between two words.
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, now := rows[0], rows[1], rows[2]
		now[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		rows = [3][]int{last, now, before}
	}
	return rows[1][len(b)]
}
