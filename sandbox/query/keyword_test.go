package query

import (
	_ "embed"
	"strings"
	"testing"

	"entrepot/datasets"
)

// keywords are all key words of PostgreSQL 17's SQL and PL/pgSQL grammars.
//
//go:embed testdata/keywords.txt
var keywords string

// Every key word that is an id can name a dataset, a column and a column of the answer, and the
// canonical text is read back.
func TestKeywords(t *testing.T) {
	n := 0
	for w := range strings.FieldsSeq(keywords) {
		c := shelf{w + "." + w: {UnitSpace: "a/b", MaxRowsPerUnit: 1, Columns: []datasets.Column{
			{Name: "id", Type: datasets.String, Role: datasets.PrivacyID},
			{Name: w, Type: datasets.String, Role: datasets.Key, Nullable: true},
		}}}
		q := `"` + w + `"`
		sql := "SELECT " + q + ", COUNT(" + q + ") AS x FROM " + q + "." + q + " WHERE " + q + " IS NOT NULL AND LENGTH(" + q + ") < 5 GROUP BY " + q +
			" HAVING " + q + " <> 'a' ORDER BY " + q
		hidden := "SELECT COUNT(*) AS " + q + " FROM " + q + "." + q + " WHERE CASE WHEN " + q + " = 'a' THEN " + q + " END LIKE 'a' GROUP BY " + q + " ORDER BY COUNT(DISTINCT id), " + q
		for _, text := range []string{sql, hidden} {
			p, err := New(text, c, Bounds{})
			if err != nil {
				t.Fatalf("%s\n%v", text, err)
			}
			checkRoundTrip(t, c, p)
		}
		n++
	}
	if n < 400 {
		t.Errorf("only %d key words", n)
	}
}
