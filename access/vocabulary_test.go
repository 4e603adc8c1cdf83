package access

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/language"
)

// TestPurposeTable compares every line of the table with the published vocabulary.
func TestPurposeTable(t *testing.T) {
	file, err := os.Open("../../shared/data/dpv/dpv.csv")
	if err != nil {
		fmt.Println("skipped: ../shared/data is not here")
		t.Skip("skipped: ../shared/data is not here")
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) int { return slices.Index(rows[0], name) }
	published := map[string][]string{}
	for _, row := range rows[1:] {
		if row[column("dpvtype")] == "https://w3id.org/dpv#Purpose" {
			published["dpv:"+row[column("term")]] = strings.Split(row[column("hasbroader")], ";")
		}
	}
	ours := purposeNames()
	if len(ours) != len(published) || len(ours) != 121 {
		t.Errorf("the table has %d purposes, DPV %d", len(ours), len(published))
	}
	for _, purpose := range ours {
		var want []string
		for _, parent := range published[purpose] {
			parent = strings.Replace(parent, "https://w3id.org/dpv#", "dpv:", 1)
			if _, isPurpose := published[parent]; isPurpose {
				want = append(want, parent)
			}
		}
		got, known := broaderPurposes(purpose)
		slices.Sort(want)
		slices.Sort(got)
		if _, inDPV := published[purpose]; !known || !inDPV || !slices.Equal(got, want) {
			t.Errorf("%s: broader %v, published %v", purpose, got, want)
		}
	}
}

func TestCoversPurpose(t *testing.T) {
	for _, c := range []struct {
		broader, purpose string
		want             bool
	}{
		{"dpv:ScientificResearch", "dpv:ScientificResearch", true},
		{"dpv:ResearchAndDevelopment", "dpv:AcademicResearch", true},
		{"dpv:CommercialPurpose", "dpv:CommercialResearch", true},
		{"dpv:ResearchAndDevelopment", "dpv:CommercialResearch", true},
		{"dpv:CommercialPurpose", "dpv:NonCommercialResearch", false},
		{"dpv:AcademicResearch", "dpv:ResearchAndDevelopment", false},
		{"dpv:Marketing", "dpv:RecruitmentTargetedAdvertising", true},
		{"dpv:HumanResourceManagement", "dpv:RecruitmentTargetedAdvertising", true},
		{"dpv:PublicBenefit", "dpv:ImproveHealthcare", true},
		{"dpv:ServiceManagement", "dpv:ServiceOptimisation", true},
		{"dpv:EnforceSecurity", "dpv:MisusePreventionAndDetection", true},
		{"dpv:Unheard", "dpv:Unheard", false},
		{"", "", false},
		{"dpv:", "dpv:", false},
		{"dpv:Purpose", "dpv:Marketing", false},
	} {
		if got := CoversPurpose(c.broader, c.purpose); got != c.want {
			t.Errorf("%s covers %s: %v", c.broader, c.purpose, got)
		}
	}
}

func TestUnknownPurposes(t *testing.T) {
	for _, purpose := range []string{"", "dpv:", "ScientificResearch", "dpv:scientificresearch", "DPV:ScientificResearch", "dpv:Consent",
		"dpv:TrainingAI", "dpv:ScientificResearch ", "dpv:ScientificResearch <", "dpv:ScientificResearch\n", "dpv:Research", "dpv:Purpose",
		"https://w3id.org/dpv#ScientificResearch", "dpv:ScientificResearch < ResearchAndDevelopment", "*", "dpv:*", "dpv:Söcial"} {
		if KnownPurpose(purpose) || withBroader(purpose) != nil {
			t.Errorf("%q is known", purpose)
		}
	}
	if got := purposeProblem("dpv:ScientificReserch"); !strings.Contains(got, "did you mean dpv:ScientificResearch?") {
		t.Error(got)
	}
	if got := purposeProblem("Marketing"); !strings.Contains(got, "write dpv:Marketing") {
		t.Error(got)
	}
	if got := purposeProblem("dpv:TrainingAI"); strings.Contains(got, "did you mean") {
		t.Error("an unlike word is suggested: " + got)
	}
}

// TestJurisdictions compares the table with the one of x/text, which is compiled by other people.
func TestJurisdictions(t *testing.T) {
	count := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string(a) + string(b)
			if !KnownJurisdiction(code) {
				continue
			}
			count++
			if region, err := language.ParseRegion(code); err != nil || !region.IsCountry() || region.String() != code {
				t.Errorf("%s is no country: %v %v", code, region, err)
			}
		}
	}
	if count != 249 {
		t.Errorf("%d codes, ISO 3166-1 has 249", count)
	}
	for _, code := range []string{"", "K", "KOR", "kr", "UK", "EU", "XX", "XK", "ZZ", "A ", " A", "D ", "*", "KR ", "ＫＲ"} {
		if KnownJurisdiction(code) {
			t.Errorf("%q is known", code)
		}
	}
	for code, hint := range map[string]string{"UK": "GB", "uk": "GB", "kr": "write KR", "EU": "member states", "Korea": "such as KR"} {
		if got := jurisdictionProblem(code); !strings.Contains(got, hint) {
			t.Errorf("%s: %s", code, got)
		}
	}
}
