package engine

import "fmt"

// stretch is a condition that holds for some of the units, as the end of a list of conditions.
type stretch string

// everything is the stretch of all units.
const everything stretch = ""

// stretchRows is how many rows a heavy question reads at a time.
const stretchRows = 1 << 20

// stretches cuts a heavy question into pieces of whole units, so that what the database holds at a
// time is bounded however large the files are; their totals add up to those of the whole. The ends are
// open: what info says decides where to cut, never what is counted. Every scan is cut alike: rows that
// are grouped or matched by unit stay together.
func (q *question) stretches(info map[string]fileInfo) []stretch {
	rows := int64(0)
	for _, dataset := range q.scans {
		rows += info[dataset].rows
	}
	n := rows / stretchRows
	switch {
	case !q.heavy() || n < 2:
		return []stretch{everything}
	case q.ordinals:
		return byOrdinal(info[q.scans[0]], n)
	}
	return byID(n)
}

// byOrdinal cuts into about n ranges of ordinals.
func byOrdinal(info fileInfo, n int64) []stretch {
	var cuts []stretch
	width := max(1, (info.last-info.first)/n)
	from := ""
	for at := info.first + width; at < info.last; at += width {
		cuts = append(cuts, stretch(from+fmt.Sprintf(" AND _ord < %d", at)))
		from = fmt.Sprintf(" AND _ord >= %d", at)
	}
	return append(cuts, stretch(from))
}

// byID cuts into n ranges of stored IDs, which are keyed hashes: each has about as many units.
func byID(n int64) []stretch {
	n = min(n, 1<<16)
	var cuts []stretch
	from := ""
	for i := int64(1); i < n; i++ {
		at := uint32(i << 32 / n)
		bound := fmt.Sprintf("'\\x%02x\\x%02x\\x%02x\\x%02x'::BLOB", at>>24, at>>16&0xff, at>>8&0xff, at&0xff)
		cuts = append(cuts, stretch(from+" AND _unit < "+bound))
		from = " AND _unit >= " + bound
	}
	return append(cuts, stretch(from))
}
