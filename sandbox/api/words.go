package api

import (
	"strconv"
	"strings"
)

// quote shows a word that the caller wrote, escaped and cut, so that a message stays a line.
func quote(s string) string {
	const longest = 60
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "…"
	}
	return strconv.Quote(s)
}

// join extends a path by a member's name, shown as it was written if it is a plain word.
func join(path, name string) string {
	if !plain(name) {
		name = quote(name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func plain(s string) bool {
	return s != "" && len(s) <= 60 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// suggestion ends a sentence about an unknown word with the nearest known one, or with all.
func suggestion(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return "; did you mean " + quote(near) + "?"
	}
	return "; there are " + strings.Join(known, ", ") + "."
}

// nearest returns the known word that is fewest edits from word, ignoring case, or "" where more than about
// a third of it would have to change.
func nearest(word string, known []string) string {
	const longest = 64 // the distance takes quadratic time, and no known word is near a longer one
	if len(word) > longest {
		return ""
	}
	best, least := "", (len(word)+2)/3+1
	for _, candidate := range known {
		if edits := distance(strings.ToLower(word), strings.ToLower(candidate)); edits < least {
			best, least = candidate, edits
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
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
