package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// The demonstration's tables are generated, from a fixed seed: no row is about anybody. Their shape
// follows published figures: mathematics has Korea's mean of PISA 2022, 527 (OECD, PISA 2022 Results,
// volume I), on a scale whose standard deviation is 100 by construction.

// demoRegions have the share of students that they are drawn with; the last is an island of few.
var demoRegions = []struct {
	name  string
	share float64
}{{"Seoul", 0.19}, {"Gyeonggi", 0.27}, {"Busan", 0.07}, {"Daegu", 0.05}, {"Incheon", 0.06}, {"Gwangju", 0.03}, {"elsewhere", 0.329}, {"Ulleung", 0.001}}

func demoStudents() []byte {
	r := rand.New(rand.NewPCG(2026, 1))
	var b strings.Builder
	b.WriteString("student_id,name,gender,region,math\n")
	for i := range 5400 {
		gender, mean := "female", 524.0
		if r.IntN(2) == 1 {
			gender, mean = "male", 530
		}
		fmt.Fprintf(&b, "s-%05d,Student %d,%s,%s,%.1f\n", i, i, gender, demoRegion(r), min(max(mean+100*r.NormFloat64(), 0), 1000))
	}
	return []byte(b.String())
}

func demoRegion(r *rand.Rand) string {
	u := r.Float64()
	for _, region := range demoRegions {
		if u -= region.share; u < 0 {
			return region.name
		}
	}
	return demoRegions[0].name
}

func demoAssessments() []byte {
	r := rand.New(rand.NewPCG(2026, 2))
	modules := []string{"algebra", "calculus", "statistics"}
	var b strings.Builder
	b.WriteString("learner_id,module,submitted,score\n")
	for learner := range 3000 {
		ability := 70 + 12*r.NormFloat64()
		for range 1 + r.IntN(10) { // some beyond the 8 that are kept
			score := fmt.Sprint(math.Round(min(max(ability+10*r.NormFloat64(), 0), 100)))
			if r.IntN(50) == 0 {
				score = "" // handed in, not marked
			}
			fmt.Fprintf(&b, "%d,%s,2026-%02d-%02d,%s\n", 10_000+learner, modules[r.IntN(3)], 1+r.IntN(6), 1+r.IntN(28), score)
		}
	}
	return []byte(b.String())
}
