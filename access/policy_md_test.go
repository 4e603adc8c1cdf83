package access

import (
	"os"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestPolicyGuide runs the examples of POLICY.md: its policies compile, its decisions come true.
func TestPolicyGuide(t *testing.T) {
	page, err := os.ReadFile("POLICY.md")
	if err != nil {
		t.Fatal(err)
	}
	projects := map[string]Project{}
	enforcers := map[string]*Enforcer{}
	decisions := 0
	for _, block := range yamlBlocks(string(page)) {
		title, text, _ := strings.Cut(block, "\n")
		switch {
		case title == "# project":
			project, err := ParseProject("", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			projects[project.ID] = project
		case strings.HasPrefix(title, "# policy of "):
			dataset := strings.TrimPrefix(title, "# policy of ")
			enforcers[dataset] = compileText(t, dataset, []byte(text))
		case strings.HasPrefix(title, "# decisions on "):
			dataset := strings.TrimPrefix(title, "# decisions on ")
			var cases []caseRequest
			decoder := yaml.NewDecoder(strings.NewReader(text))
			decoder.KnownFields(true)
			if err := decoder.Decode(&cases); err != nil {
				t.Fatal(err)
			}
			for _, c := range cases {
				decisions++
				t.Run(dataset+"/"+c.Says, func(t *testing.T) {
					checkDecision(t, enforcers[dataset], c, c.request(t, dataset, projects, "maths_gap"))
				})
			}
		default:
			t.Errorf("an example nobody runs: %s", title)
		}
	}
	if len(projects) != 2 || len(enforcers) != 2 || decisions < 10 {
		t.Errorf("ran %d projects, %d policies, %d decisions", len(projects), len(enforcers), decisions)
	}
}

// yamlBlocks returns the fenced blocks of a page that are marked as YAML.
func yamlBlocks(page string) []string {
	var blocks []string
	parts := strings.Split(page, "```yaml\n")
	for _, part := range parts[1:] {
		block, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, block)
	}
	return blocks
}
