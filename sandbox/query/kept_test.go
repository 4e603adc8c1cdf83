package query

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"entrepot/privacy"
)

// cell draws cells of counts, of sums of whole and of other steps, of means, and odd ones.
func cell(t *rapid.T) privacy.Cell {
	steps := rapid.OneOf(rapid.Int64Range(-1000, 1000), rapid.Int64()).Draw(t, "steps")
	width := rapid.Int64Range(0, 1<<30).Draw(t, "width")
	number := rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 52, 1<<53 + 2, -1e18}))
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0: // a count
		return privacy.Cell{Value: float64(steps), Low: float64(steps) - float64(width), High: float64(steps) + float64(width), Steps: steps}
	case 1: // a sum of hundredths
		return privacy.Cell{Value: float64(steps) / 100, Low: float64(steps-width%1000) / 100, High: float64(steps+width%1000) / 100, Steps: steps}
	case 2: // a mean
		return privacy.Cell{Value: number.Draw(t, "value"), Low: number.Draw(t, "low"), High: number.Draw(t, "high")}
	}
	return privacy.Cell{Value: number.Draw(t, "value"), Low: number.Draw(t, "low"), High: number.Draw(t, "high"), Steps: steps}
}

// bitwise compares rows with the signs of zeros.
func bitwise(a, b []privacy.Row) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Key != b[i].Key || len(a[i].Cells) != len(b[i].Cells) {
			return false
		}
		for j, c := range a[i].Cells {
			d := b[i].Cells[j]
			if c != d || math.Signbit(c.Value) != math.Signbit(d.Value) || math.Signbit(c.Low) != math.Signbit(d.Low) || math.Signbit(c.High) != math.Signbit(d.High) {
				return false
			}
		}
	}
	return true
}

// A kept release is read as it was, bit for bit; cut off or damaged it is refused, or read as another.
func TestKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var groups []privacy.Row
		n := rapid.IntRange(0, 4).Draw(t, "cells")
		for range rapid.IntRange(0, 6).Draw(t, "groups") {
			g := privacy.Row{Key: EncodeKey([]any{rapid.String().Draw(t, "key"), int64(len(groups))})}
			for range n {
				g.Cells = append(g.Cells, cell(t))
			}
			groups = append(groups, g)
		}
		b := keep(groups)
		back, err := readKept(b)
		if err != nil || !bitwise(back, groups) {
			t.Fatalf("%+v is read as %+v (%v)", groups, back, err)
		}
		cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut")
		if short, err := readKept(b[:cut]); err == nil && len(short) >= max(len(groups), 1) || err != nil && !errors.Is(err, ErrKept) {
			t.Fatalf("cut at %d of %d: %v %v", cut, len(b), short, err)
		}
		b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		if _, err := readKept(b); err != nil && !errors.Is(err, ErrKept) {
			t.Fatal(err)
		}
	})
}

// Counts are small: a release takes less room than its answer.
func TestKeptSize(t *testing.T) {
	var counts, means []privacy.Row
	for i := range 1000 {
		key := EncodeKey([]any{int64(i)})
		counts = append(counts, privacy.Row{Key: key, Cells: cells(int64(1000 + i))})
		means = append(means, privacy.Row{Key: key, Cells: []privacy.Cell{{Value: 1 / float64(i+3), Low: 0.1, High: 0.9}}})
	}
	if n := len(keep(counts)); n > 1000*12 {
		t.Errorf("%d bytes for 1000 counts", n)
	}
	if n := len(keep(means)); n > 1000*33 {
		t.Errorf("%d bytes for 1000 means", n)
	}
}

// FuzzKept: any bytes are a release or refused, and what is read is written as it is read.
func FuzzKept(f *testing.F) {
	f.Add(keep([]privacy.Row{{Key: "[]", Cells: cells(1, -7)}, {Key: `["a"]`, Cells: []privacy.Cell{{Value: 0.5, Low: -1, High: 1e300}, {}}}}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		groups, err := readKept(b)
		if err != nil {
			if !errors.Is(err, ErrKept) {
				t.Fatal(err)
			}
			return
		}
		for _, g := range groups {
			for _, c := range g.Cells {
				if math.IsNaN(c.Value) || math.IsNaN(c.Low) || math.IsNaN(c.High) {
					return // equals nothing
				}
			}
		}
		if again, err := readKept(keep(groups)); err != nil || !bitwise(again, groups) {
			t.Fatalf("%+v is kept as %+v (%v)", groups, again, err)
		}
	})
}

// A question finds its keys and aggregates in a wider release, in its own order.
func TestFinishKept(t *testing.T) {
	wide := plan(t, "SELECT gender, wave, COUNT(*) AS n, COUNT(DISTINCT student_id) AS u, AVG(math) AS m FROM kr_edu.students GROUP BY gender, wave").Basis()
	var rows []privacy.Row
	for i, key := range []string{`["female",3]`, `["female",1]`, `["female",2]`, `["male",3]`, `["male",1]`, `["male",2]`} { // as the domains are declared
		n := int64(i)
		rows = append(rows, privacy.Row{Key: key, Cells: append(cells(10*n, 20-n), privacy.Cell{Value: float64(n) / 4, Low: -1, High: 9})})
	}
	for _, test := range []struct{ sql, want string }{
		{"SELECT wave AS w, COUNT(DISTINCT student_id) AS people FROM kr_edu.students GROUP BY wave, gender HAVING gender = 'male'",
			`[{"w":3,"people":17,"people_low":15,"people_high":19},{"w":1,"people":16,"people_low":14,"people_high":18},{"w":2,"people":15,"people_low":13,"people_high":17}]`},
		{"SELECT AVG(math) AS x, gender FROM kr_edu.students GROUP BY wave, gender HAVING COUNT(*) > 20 ORDER BY COUNT(DISTINCT student_id) LIMIT 2 OFFSET 1",
			`[{"x":1,"x_low":-1,"x_high":9,"gender":"male"},{"x":0.75,"x_low":-1,"x_high":9,"gender":"male"}]`},
		{"SELECT gender, COUNT(*) AS n FROM kr_edu.students GROUP BY gender, wave HAVING n > 1000", `[]`},
	} {
		p := plan(t, test.sql)
		place, ok := p.Basis().Place(wide.Keys, wide.Aggregates)
		if !ok || p.Basis().Digest != wide.Digest {
			t.Fatalf("%s has no place", test.sql)
		}
		result, err := p.FinishKept(keep(rows), place)
		if err != nil {
			t.Fatal(err)
		}
		if got := shownAs(t, result); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.sql, got, test.want)
		}
	}
	if _, ok := plan(t, "SELECT gender, SUM(math) AS s FROM kr_edu.students GROUP BY gender, wave").Basis().Place(wide.Keys, wide.Aggregates); ok {
		t.Error("a SUM has a place among AVG and COUNT")
	}
}

// What does not fit the plan is refused.
func TestFinishKeptForeign(t *testing.T) {
	p := plan(t, "SELECT gender, COUNT(*) AS n FROM kr_edu.students GROUP BY gender")
	place := Place{Keys: []int{0}, Aggregates: []int{0}}
	good := []privacy.Row{{Key: `["female"]`, Cells: cells(1)}, {Key: `["male"]`, Cells: cells(2)}}
	if r, err := p.FinishKept(keep(good), place); err != nil || len(r.Rows) != 2 {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		rows  []privacy.Row
		place Place
	}{
		"a group is missing":     {good[:1], place},
		"a group is another":     {[]privacy.Row{good[0], {Key: `["x"]`, Cells: cells(2)}}, place},
		"a group is there twice": {[]privacy.Row{good[0], good[0]}, place},
		"two keys":               {[]privacy.Row{{Key: `["female",1]`, Cells: cells(1)}, good[1]}, place},
		"no key":                 {[]privacy.Row{{Key: "x", Cells: cells(1)}, good[1]}, place},
		"an aggregate beyond":    {good, Place{Keys: []int{0}, Aggregates: []int{1}}},
		"a key beyond":           {good, Place{Keys: []int{1}, Aggregates: []int{0}}},
		"no place":               {good, Place{}},
		"no groups":              {nil, place},
	} {
		if _, err := p.FinishKept(keep(test.rows), test.place); !errors.Is(err, ErrKept) && !errors.Is(err, ErrRelease) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.FinishKept([]byte{2, 0}, place); !errors.Is(err, ErrKept) {
		t.Errorf("another format: %v", err)
	}
}

// The release of a plan's own question, kept, makes the answer that it makes at once.
func TestFinishKeptOwn(t *testing.T) {
	for _, sql := range []string{
		"SELECT gender, COUNT(*) AS n, AVG(reading) AS r, SUM(math) AS s FROM kr_edu.students GROUP BY gender ORDER BY n DESC",
		"SELECT VARIANCE(math) AS v, MEDIAN(reading) AS m, COUNT(DISTINCT grade) AS g FROM kr_edu.students",
	} {
		p := plan(t, sql)
		q, err := p.Question(privacy.Loss{Epsilon: privacy.OneEpsilon}, nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := privacy.NewSpec(q)
		if err != nil {
			t.Fatal(err)
		}
		release, err := privacy.Run(spec, privacy.NewPartials(spec.Shape(), nil))
		if err != nil {
			t.Fatal(err)
		}
		want, err := p.Finish(release)
		if err != nil {
			t.Fatal(err)
		}
		b := p.Basis()
		place, _ := b.Place(b.Keys, b.Aggregates)
		if got, err := p.FinishKept(Keep(release), place); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v (%v)", sql, got, want, err)
		}
	}
}
