package datasets

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestDuplicates(t *testing.T) {
	wide := Declaration{Public: true, Unique: []string{"b", "t", "d", "s"}, Columns: []Column{
		{Name: "s", Type: String, Role: Key}, {Name: "b", Type: Bool, Role: Key}, {Name: "d", Type: Date, Role: Key}, {Name: "t", Type: Timestamp, Role: Key},
	}}
	long := strings.Repeat("x", 60)
	tests := []struct {
		name string
		d    Declaration
		csv  string
		want string // "" is accepted
	}{
		{"one key twice", countries(), "country,year,since,gdp\nKR,1,,1\nKR,1,,2\n", `1 rows have, as they would be stored, the key of an earlier row, such as year = 1, country = "KR"; keep one`},
		{"rows all alike", countries(), "country,year,since,gdp\nKR,1,,1\nKR,1,,1\nKR,1,,1\n", `2 rows have, as they would be stored, the key of an earlier row, such as year = 1, country = "KR"; keep one`},
		{"apart", countries(), "country,year,since,gdp\nKR,1,,1\nA,1,,1\nKR,2,,1\nZ,-1,,2\nKR,1,,9\n", `such as year = 1, country = "KR"`},
		{"clamped onto another", countries(), "country,year,since,gdp\nKR,2000,,1\nKR,2001,,2\n", `such as year = 2000, country = "KR"`},
		{"cast onto another", countries(), "country,year,since,gdp\nKR,7,,1\nKR,7.0,,2\n", `such as year = 7, country = "KR"`},
		{"negative", countries(), "country,year,since,gdp\nKR,-7,,1\nKR,-7,,2\n", `such as year = -7, country = "KR"`},
		{"some quoted", countries(), "country,year,since,gdp\na,1,,\na,1,,\nb,1,,\nb,1,,\nc,1,,\nc,1,,\nd,1,,\nd,1,,\n",
			`4 rows have, as they would be stored, the key of an earlier row, such as year = 1, country = "a"; year = 1, country = "b"; year = 1, country = "c"; keep one row for each key`},
		{"long text is shortened", countries(), "country,year,since,gdp\n" + long + ",1,,\n" + long + ",1,,\n", `country = "` + strings.Repeat("x", 40) + `…"; keep`},
		{"other types", wide, "s,b,d,t\n\"a\"\"b\",true,2026-01-31,2026-01-31T12:00:00+09:00\n\"a\"\"b\",1,2026-01-31,2026-01-31 03:00\n",
			`such as b = true, t = 2026-01-31T03:00:00Z, d = 2026-01-31, s = "a\"b"; keep`},
		{"one column differs", wide, "s,b,d,t\na,true,2026-01-31,2026-01-31\na,true,2026-01-31,2026-01-31T00:00:00.000001Z\na,false,2026-01-31,2026-01-31\nab,true,2026-01-31,2026-01-31\na,true,2026-01-30,2026-01-31\n", ""},
		{"dropped rows do not count", countries(), "country,year,since,gdp\nKR,,,1\nKR,,,2\n,1,,\n,1,,\n", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, o := range []Options{{}, {MemoryLimit: 1}, {Strict: true}} {
				_, _, err := ingest(t, test.d, upload(CSV, []byte(test.csv)), o)
				switch {
				case test.want != "" && (!errors.Is(err, ErrDuplicates) || !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), test.want)):
					t.Errorf("%+v:\n  %v\nlacks\n  %s", o, err, test.want)
				case test.want == "" && (errors.Is(err, ErrDuplicates) || err != nil && !o.Strict):
					t.Errorf("%+v: %v", o, err)
				}
			}
		})
	}
}

// A duplicate is found wherever the two rows are, in memory that does not grow with the table.
func TestDuplicatesFarApart(t *testing.T) {
	const rows = 60_000
	var csv bytes.Buffer
	csv.WriteString("country,year,since,gdp\n")
	for i := range rows {
		fmt.Fprintf(&csv, "c%d,%d,,\n", i, i%7)
	}
	clean := bytes.Clone(csv.Bytes())
	csv.WriteString("c0,0,,\n")
	o := Options{MemoryLimit: 1 << 14}
	if r, _, err := ingest(t, countries(), upload(CSV, clean), o); err != nil || r.RowsKept != rows {
		t.Errorf("without a duplicate: %+v, %v", r, err)
	}
	if _, _, err := ingest(t, countries(), upload(CSV, csv.Bytes()), o); !errors.Is(err, ErrDuplicates) || !strings.Contains(err.Error(), `year = 0, country = "c0"`) {
		t.Errorf("%v", err)
	}
	o.SpillLimit = 1 << 14
	if _, _, err := ingest(t, countries(), upload(CSV, clean), o); !errors.Is(err, ErrTooLarge) {
		t.Errorf("beyond the temporary space: %v", err)
	}
}

// Keys that begin alike, or hold bytes that could pass for a separator, are different keys.
func TestKeyEncoding(t *testing.T) {
	texts := []string{"", "\x01", "a", "a\x01", strings.Repeat("a", maxText), "ab", "b", "é", "\u00ff"}
	numbers := []int64{-1 << 63, -256, -1, 0, 1, 255, 256, 1<<63 - 1}
	unique := []Column{{Name: "s", Type: String}, {Name: "n", Type: Int64}, {Name: "t", Type: String}}
	var last []byte
	for _, s := range texts {
		for _, n := range numbers {
			for _, u := range texts {
				key := appendKey(appendKey(appendKey(nil, cell{s: s}, true), cell{n: n}, false), cell{s: u}, true)
				if last != nil && bytes.Compare(last, key) >= 0 {
					t.Fatalf("%q %d %q does not come after its predecessor", s, n, u)
				}
				if got := keyLength(append(bytes.Clone(key), 1, 0, 0, 'x'), unique); got != len(key) {
					t.Fatalf("%q %d %q: key of %d bytes, want %d", s, n, u, got, len(key))
				}
				a, rest := readKey(key, true)
				b, rest := readKey(rest, false)
				c, rest := readKey(rest, true)
				if a.s != s || b.n != n || c.s != u || len(rest) != 0 {
					t.Fatalf("%q %d %q is read as %q %d %q", s, n, u, a.s, b.n, c.s)
				}
				last = key
			}
		}
	}
}
