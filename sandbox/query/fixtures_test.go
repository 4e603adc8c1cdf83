package query

import (
	"errors"
	"strings"
	"testing"

	"entrepot/datasets"
)

const students = `
unit_space: kr_edu/student
max_rows_per_unit: 3
columns:
  - {name: student_id, type: string, role: privacy_id}
  - {name: gender, type: string, role: key, domain: [female, male]}
  - {name: country, type: string, role: key, nullable: true}
  - {name: grade, type: int64, role: key, lower: 7, upper: 12}
  - {name: school, type: int64, role: key}
  - {name: immigrant, type: bool, role: key, nullable: true}
  - {name: born, type: date, role: key}
  - {name: tested, type: timestamp, role: key, nullable: true}
  - {name: order, type: string, role: key, nullable: true}
  - {name: wave, type: int64, role: key, domain: [3, 1, 2]}
  - {name: enrolled, type: date, role: key, earliest: "2020-01-31", latest: "2021-03-02"}
  - {name: seen, type: timestamp, role: key, nullable: true, earliest: "2020-02-28T22:00:00Z", latest: "2020-03-31T23:59:59Z"}
  - {name: note, type: string, role: key}
  - {name: math, type: float64, role: measure, lower: 0, upper: 1000, resolution: 0.001, nullable: true}
  - {name: reading, type: float64, role: measure, lower: 0, upper: 1000, resolution: 0.01}
  - {name: absences, type: int64, role: measure, lower: 0, upper: 200}
  - {name: balance, type: float64, role: measure, lower: -500, upper: 500, resolution: 0.5}
  - {name: name, type: string, role: hidden}
`

const orders = `
unit_space: gb_shop/customer
max_rows_per_unit: 100
columns:
  - {name: customer, type: int64, role: privacy_id}
  - {name: country, type: string, role: key}
  - {name: bought, type: timestamp, role: key}
  - {name: price, type: float64, role: measure, lower: 0, upper: 500, resolution: 0.01}
  - {name: quantity, type: int64, role: measure, lower: -100, upper: 1000}
  - {name: fine, type: float64, role: measure, lower: 0, upper: 1000000, resolution: 0.000001}
`

// shelf is a catalogue of declarations.
type shelf map[string]datasets.Declaration

func (s shelf) Table(org, name string) (Table, bool) {
	d, ok := s[org+"."+name]
	return Table{ID: org + "." + name, Declaration: d}, ok
}

func declare(tb testing.TB, text string) datasets.Declaration {
	tb.Helper()
	d, err := datasets.ParseDeclaration([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func catalogue(tb testing.TB) shelf {
	return shelf{"kr_edu.students": declare(tb, students), "gb_shop.orders": declare(tb, orders)}
}

func plan(tb testing.TB, sql string) Plan {
	tb.Helper()
	p, err := New(sql, catalogue(tb), Bounds{})
	if err != nil {
		tb.Fatalf("%s\n%v", sql, err)
	}
	return p
}

// refused returns the error of a question that must be refused.
func refused(tb testing.TB, c Catalogue, sql string) *Error {
	tb.Helper()
	p, err := New(sql, c, Bounds{})
	if err == nil {
		tb.Fatalf("%.300s\nwas planned as %s", sql, p.Canonical())
	}
	var e *Error
	if !errors.As(err, &e) {
		tb.Fatalf("%.300s\n%T is not *Error", sql, err)
	}
	if e.Message == "" || strings.HasSuffix(e.Message, ".") || e.Line < 0 || e.Column < 0 || (e.Line == 0) != (e.Column == 0) {
		tb.Fatalf("%.300s\nodd error: %+v", sql, e)
	}
	return e
}
