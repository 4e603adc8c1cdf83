package query

import "testing"

const enrolments = `
unit_space: kr_edu/student
max_rows_per_unit: 20
columns:
  - {name: student_id, type: string, role: privacy_id}
  - {name: course, type: string, role: key}
  - {name: year, type: int64, role: key, lower: 2010, upper: 2030}
  - {name: region, type: string, role: key, nullable: true}
  - {name: began, type: date, role: key, earliest: "2020-01-01", latest: "2020-12-31"}
  - {name: seen, type: timestamp, role: key, nullable: true}
  - {name: passed, type: bool, role: key, nullable: true}
  - {name: room, type: int64, role: key, nullable: true}
  - {name: credits, type: int64, role: measure, lower: -10, upper: 60}
  - {name: score, type: float64, role: measure, lower: 0, upper: 100, resolution: 0.1, nullable: true}
  - {name: note, type: string, role: hidden}
`

const abroad = `
unit_space: gb_edu/pupil
max_rows_per_unit: 5
columns:
  - {name: pupil, type: int64, role: privacy_id}
  - {name: sex, type: string, role: key, domain: [male, other]}
  - {name: born, type: date, role: key}
  - {name: maths, type: float64, role: measure, lower: -100, upper: 800, resolution: 0.001}
  - {name: points, type: float64, role: measure, lower: 0, upper: 10, resolution: 0.25}
  - {name: house, type: int64, role: key, lower: 1, upper: 4}
`

const regions = `
public: true
unique: [code]
columns:
  - {name: code, type: string, role: key}
  - {name: name, type: string, role: key, domain: [north, south]}
  - {name: people, type: int64, role: measure, lower: 0, upper: 100000000}
  - {name: coastal, type: bool, role: key, nullable: true}
`

const offers = `
public: true
unique: [course, year]
columns:
  - {name: course, type: string, role: key}
  - {name: year, type: int64, role: key}
  - {name: level, type: int64, role: key, lower: 1, upper: 7}
  - {name: fee, type: float64, role: measure, lower: 0, upper: 9999.99, resolution: 0.01, nullable: true}
`

const huge = `
unit_space: kr_edu/student
max_rows_per_unit: 1000000
columns:
  - {name: student_id, type: string, role: privacy_id}
  - {name: clicks, type: int64, role: measure, lower: 0, upper: 1000000000000}
  - {name: page, type: string, role: key}
`

// world is the catalogue with tables of one unit space, of another, and public ones.
func world(tb testing.TB) shelf {
	c := catalogue(tb)
	c["kr_edu.enrolments"], c["kr_edu.huge"], c["gb_edu.pupils"] = declare(tb, enrolments), declare(tb, huge), declare(tb, abroad)
	c["pub.regions"], c["pub.offers"] = declare(tb, regions), declare(tb, offers)
	return c
}
