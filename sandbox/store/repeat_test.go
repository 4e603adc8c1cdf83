package store

import (
	"context"
	"database/sql"
	"strings"
	"testing"
)

// TestRepeatsAreIndexed: finding a repeat takes a search in an index, however many questions there are.
func TestRepeatsAreIndexed(t *testing.T) {
	s := openAt(t, newPath(t))
	var steps []string
	query := `EXPLAIN QUERY PLAN SELECT ` + repeatColumns + ` FROM questions WHERE ` + repeatsInOrder + ` LIMIT ?`
	err := each(context.Background(), s.reads, query, []any{"digest", 64}, func(rows *sql.Rows) error {
		var id, parent, unused int64
		var detail string
		err := rows.Scan(&id, &parent, &unused, &detail)
		steps = append(steps, detail)
		return err
	})
	must(t, err)
	if plan := strings.Join(steps, "; "); plan != "SEARCH questions USING INDEX questions_repeat (repeat=?)" {
		t.Errorf("the plan is %s", plan)
	}
}
