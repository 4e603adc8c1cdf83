package access

import (
	"strconv"
	"strings"
)

// quote shows a word that someone else wrote: escaped, and cut so that a message stays a line.
func quote(s string) string {
	const longest = 60
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "…"
	}
	return strconv.Quote(s)
}

// unknown says that word is no known kind, with the nearest of the known words, or with all of them
// where none is near and they are few.
func unknown(kind, word string, known []string) string {
	text := quote(word) + " is not a known " + kind
	if near := nearest(word, known); near != "" {
		return text + "; did you mean " + near + "?"
	}
	const few = 6
	if len(known) <= few {
		return text + "; it is one of " + strings.Join(known, ", ")
	}
	return text
}

// nearest returns the word of known that is fewest edits from word, ignoring case, or "" if none
// is closer than a third of the word.
func nearest(word string, known []string) string {
	const longest = 64 // beyond it no known word is near, and distance is quadratic
	if len(word) > longest {
		return ""
	}
	lower := strings.ToLower(word)
	best, bestEdits := "", max(1, len(word)/3)+1
	for _, candidate := range known {
		if edits := distance(lower, strings.ToLower(candidate)); edits < bestEdits {
			best, bestEdits = candidate, edits
		}
	}
	return best
}

// distance is the Levenshtein distance of two words, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitution := diagonal
			if a[i] != b[j] {
				substitution++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitution, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
