package access

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// caseFile is one file of testdata/decisions: a policy, and what it says to requests.
type caseFile struct {
	About    string        `yaml:"about"`
	Dataset  string        `yaml:"dataset"`
	Projects []yaml.Node   `yaml:"projects"`
	Policy   yaml.Node     `yaml:"policy"`
	Requests []caseRequest `yaml:"requests"`
}

// caseRequest is a request with the verdict expected of it. What it leaves out is what a researcher of
// sg_lab in Singapore would ask in June 2026, in the first project of the file.
type caseRequest struct {
	Says         string    `yaml:"says"`
	As           *string   `yaml:"as"`
	Organisation string    `yaml:"organisation"`
	Roles        *[]Role   `yaml:"roles"`
	From         *string   `yaml:"from"`
	Action       Action    `yaml:"action"`
	Dataset      string    `yaml:"dataset"`
	Project      string    `yaml:"project"` // "none": no project
	Epsilon      *string   `yaml:"epsilon"`
	At           time.Time `yaml:"at"`
	Expect       struct {
		Allowed bool   `yaml:"allowed"`
		Rule    string `yaml:"rule"`
		Reason  string `yaml:"reason"`  // "": not compared
		Visible *bool  `yaml:"visible"` // nil: as allowed, for metadata
	} `yaml:"expect"`
}

func (c caseRequest) request(t *testing.T, dataset string, projects map[string]Project, first string) Request {
	t.Helper()
	r := Request{
		Principal:    Principal{ID: or(c.As, "sg_lab/mina"), Roles: or(c.Roles, []Role{Researcher})},
		Jurisdiction: or(c.From, "SG"),
		Action:       Aggregate,
		Dataset:      dataset,
		Time:         time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC),
	}
	r.Principal.Organisation, _, _ = strings.Cut(r.Principal.ID, "/")
	if c.Organisation != "" {
		r.Principal.Organisation = c.Organisation
	}
	if c.Action != "" {
		r.Action = c.Action
	}
	if c.Dataset != "" {
		r.Dataset = c.Dataset
	}
	if !c.At.IsZero() || strings.Contains(c.Says, "no time") {
		r.Time = c.At
	}
	switch epsilon := or(c.Epsilon, "0.1"); epsilon {
	case "":
	case "-1":
		r.EpsilonPico = -1
	case "inf":
		r.EpsilonPico = math.MaxInt64
	default:
		var p Pico
		if err := p.UnmarshalText([]byte(epsilon)); err != nil {
			t.Fatal(err)
		}
		r.EpsilonPico = int64(p)
	}
	if c.Project != "none" {
		if c.Project != "" {
			first = c.Project
		}
		project, found := projects[first]
		if !found {
			t.Fatalf("no project %s", first)
		}
		r.Project = project
	}
	return r
}

func or[T any](given *T, otherwise T) T {
	if given == nil {
		return otherwise
	}
	return *given
}

// caseProjects decodes projects, filling in what a case does not care about. It does not validate:
// some cases are about projects that are wrong.
func caseProjects(t *testing.T, nodes []yaml.Node, dataset string) (all map[string]Project, first string) {
	t.Helper()
	all = map[string]Project{}
	for _, node := range nodes {
		project := Project{
			Members: []string{"sg_lab", "kr_edu", "uk_edu", "uk_press", "fr_lab", "kr_pipc"}, Datasets: []string{dataset},
			NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
		}
		node.Style = 0 // a document that begins with a brace is read as JSON
		text, err := yaml.Marshal(&node)
		if err != nil {
			t.Fatal(err)
		}
		if err := decodeStrict(text, maxSmallDocument, &project); err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = project.ID
		}
		all[project.ID] = project
	}
	return all, first
}

func compileText(t *testing.T, dataset string, text []byte) *Enforcer {
	t.Helper()
	policy, err := ParsePolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Compile(dataset, policy)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func checkDecision(t *testing.T, e *Enforcer, c caseRequest, r Request) {
	t.Helper()
	got := e.Decide(r)
	if got.Allowed != c.Expect.Allowed || got.Rule != c.Expect.Rule {
		t.Errorf("decided %+v, expected allowed %v by rule %s", got, c.Expect.Allowed, c.Expect.Rule)
	}
	if c.Expect.Reason != "" && got.Reason != c.Expect.Reason {
		t.Errorf("reason\n got %q\nwant %q", got.Reason, c.Expect.Reason)
	}
	if got.PreThreshold != e.preThreshold || got.PreThreshold < 1 {
		t.Errorf("pre-threshold is %d", got.PreThreshold)
	}
	if c.Expect.Visible != nil && e.Visible(r) != *c.Expect.Visible {
		t.Errorf("visible is %v", !*c.Expect.Visible)
	}
	if got.Allowed && !e.Visible(r) {
		t.Error("allowed, yet not visible")
	}
}

func TestDecisionFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/decisions/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no decision files", err)
	}
	count := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases caseFile
		decoder := yaml.NewDecoder(strings.NewReader(string(text)))
		decoder.KnownFields(true)
		if err := decoder.Decode(&cases); err != nil {
			t.Fatal(file, err)
		}
		policy, err := yaml.Marshal(&cases.Policy)
		if err != nil {
			t.Fatal(err)
		}
		e := compileText(t, cases.Dataset, policy)
		projects, first := caseProjects(t, cases.Projects, cases.Dataset)
		for _, c := range cases.Requests {
			count++
			t.Run(filepath.Base(file)+"/"+c.Says, func(t *testing.T) {
				checkDecision(t, e, c, c.request(t, cases.Dataset, projects, first))
			})
		}
	}
	if count < 60 {
		t.Errorf("only %d cases", count)
	}
	t.Logf("%d cases in %d files", count, len(files))
}

func TestDecideDoesNotChangeItsInputs(t *testing.T) {
	e := compileText(t, "kr_edu.students", []byte(`{"rules":[{"id":"all","effect":"allow","organisations":["*"],"roles":["*"],"jurisdictions":["*"],"purposes":["*"],"actions":["*"]}]}`))
	roles := []Role{Researcher, Manager}
	r := Request{Principal: Principal{"sg_lab/mina", "sg_lab", roles}, Jurisdiction: "SG", Action: Metadata, Dataset: "kr_edu.students", Time: time.Unix(1, 0)}
	before := slices.Clone(e.rows[0])
	if !e.Decide(r).Allowed || !e.Visible(r) {
		t.Fatal("denied")
	}
	if !slices.Equal(before, e.rows[0]) || !slices.Equal(roles, []Role{Researcher, Manager}) {
		t.Error("a decision changed what it read")
	}
}
