package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

const goodRule = `"id":"a","effect":"allow","organisations":["*"],"roles":["*"],"jurisdictions":["*"],"purposes":["*"],"actions":["*"]`

// TestBadPolicies walks what owners get wrong; each message must say where, and what to write instead.
func TestBadPolicies(t *testing.T) {
	with := func(change string) string { return `{"rules":[{` + goodRule + `,` + change + `}]}` }
	instead := func(old, new string) string {
		changed := strings.Replace(`{"rules":[{`+goodRule+`}]}`, old, new, 1)
		if !strings.Contains(changed, new) {
			panic(old)
		}
		return changed
	}
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                 {"", "write {}"},
		"white space":             {" \n\t ", "write {}"},
		"comment only":            {"# nothing\n", "write {}"},
		"not UTF-8":               {"{\"description\":\"\xff\"}", "UTF-8"},
		"a list":                  {"[]", "want an object"},
		"a word":                  {"deny", "want an object with keys, got text"},
		"null":                    {"null", "null is not a value"},
		"broken JSON":             {"{\n\"rules\": [\n}", "line 3"},
		"more after JSON":         {"{} {}", "not JSON"},
		"broken YAML":             {"rules: [", "not YAML"},
		"two documents":           {"rules: []\n---\nrules: []\n", "more than one document"},
		"alias":                   {"rules: &r []\ndescription: *r\n", "aliases are not read"},
		"merge key":               {"<<: {}\n", "a key must be a word"},
		"number for a key":        {"1: x\n", "a key must be a word"},
		"custom tag":              {"description: !secret x\n", "the tag"},
		"binary":                  {"description: !!binary eA==\n", "the tag"},
		"null in YAML":            {"description:\n", "null is not a value"},
		"unknown key":             {`{"rule":[]}`, `"rule" is not a known key; did you mean rules?`},
		"key in another case":     {`{"Rules":[]}`, `"Rules" is not a known key; did you mean rules?`},
		"key twice":               {`{"rules":[],"rules":[]}`, "rules: the key is written twice"},
		"key twice in YAML":       {"rules: []\nrules: []\n", "written twice"},
		"key twice by case":       {`{"rules":[],"RULES":[]}`, `as "rules" and as "RULES"`},
		"key twice by folding":    {`{"rules":[],"ruleſ":[]}`, "written twice"},
		"key twice, escaped":      {`{"rules":[],"rule\u0073":[]}`, "written twice"},
		"key twice in a rule":     {with(`"effect":"deny"`), "rules[0].effect: the key is written twice"},
		"misspelt key in a rule":  {with(`"organizations":["x"]`), "rules[0]: \"organizations\" is not a known key; did you mean organisations?"},
		"misspelt effect":         {instead(`"allow"`, `"alow"`), `rules[0].effect: "alow" is not a known effect; did you mean allow?`},
		"effect in another case":  {instead(`"allow"`, `"Deny"`), `"Deny" is not a known effect; did you mean deny?`},
		"no effect":               {instead(`"effect":"allow",`, ``), `rules[0].effect: "" is not a known effect; it is one of allow, deny`},
		"no id":                   {instead(`"id":"a",`, ``), "rules[0].id"},
		"id with a space":         {instead(`"id":"a"`, `"id":"a b"`), "is not an identifier"},
		"id with a comma":         {instead(`"id":"a"`, `"id":"a,allow"`), "is not an identifier"},
		"id that is taken":        {instead(`"id":"a"`, `"id":"default"`), "choose another"},
		"id twice":                {`{"rules":[{` + goodRule + `},{` + goodRule + `}]}`, `rules[1].id: "a" is already the id of rules[0]`},
		"missing organisations":   {instead(`"organisations":["*"],`, ``), "rules[0].organisations: it is missing"},
		"missing roles":           {instead(`"roles":["*"],`, ``), "rules[0].roles: it is missing"},
		"missing jurisdictions":   {instead(`"jurisdictions":["*"],`, ``), "rules[0].jurisdictions: it is missing"},
		"missing purposes":        {instead(`"purposes":["*"],`, ``), "rules[0].purposes: it is missing"},
		"missing actions":         {instead(`,"actions":["*"]`, ``), "rules[0].actions: it is missing"},
		"null for a list":         {instead(`"roles":["*"]`, `"roles":null`), "null is not a value"},
		"null in a list":          {instead(`"roles":["*"]`, `"roles":[null]`), "null is not a value"},
		"empty list":              {instead(`"roles":["*"]`, `"roles":[]`), "rules[0].roles: it is empty"},
		"empty list in a deny":    {`{"rules":[{"id":"a","effect":"deny","roles":[]}]}`, "rules[0].roles: it is empty"},
		"empty projects":          {with(`"projects":[]`), "rules[0].projects: it is empty"},
		"word for a list":         {instead(`"roles":["*"]`, `"roles":"*"`), "rules[0].roles: want a list, got text"},
		"number in a list":        {instead(`"roles":["*"]`, `"roles":[1]`), "rules[0].roles[0]: want text, got a number"},
		"object in a list":        {instead(`"roles":["*"]`, `"roles":[{}]`), "got an object"},
		"star and more":           {instead(`"roles":["*"]`, `"roles":["*","owner"]`), `"*" stands alone`},
		"value twice":             {instead(`"roles":["*"]`, `"roles":["owner","owner"]`), "given twice"},
		"misspelt role":           {instead(`"roles":["*"]`, `"roles":["researchr"]`), "did you mean researcher?"},
		"role in another case":    {instead(`"roles":["*"]`, `"roles":["Owner"]`), "did you mean owner?"},
		"unlike role":             {instead(`"roles":["*"]`, `"roles":["x"]`), "it is one of operator, owner"},
		"misspelt action":         {instead(`"actions":["*"]`, `"actions":["aggregates"]`), "did you mean aggregate?"},
		"UK":                      {instead(`"jurisdictions":["*"]`, `"jurisdictions":["UK"]`), "the United Kingdom is GB"},
		"lower-case country":      {instead(`"jurisdictions":["*"]`, `"jurisdictions":["sg"]`), "write SG"},
		"EU":                      {instead(`"jurisdictions":["*"]`, `"jurisdictions":["EU"]`), "list the member states"},
		"misspelt purpose":        {instead(`"purposes":["*"]`, `"purposes":["dpv:Marketin"]`), "did you mean dpv:Marketing?"},
		"purpose without prefix":  {instead(`"purposes":["*"]`, `"purposes":["Marketing"]`), "write dpv:Marketing"},
		"purpose by IRI":          {instead(`"purposes":["*"]`, `"purposes":["https://w3id.org/dpv#Marketing"]`), "not a known DPV purpose"},
		"organisation with space": {instead(`"organisations":["*"]`, `"organisations":["a b"]`), "not an identifier"},
		"organisation pattern":    {instead(`"organisations":["*"]`, `"organisations":["kr_*"]`), "not an identifier"},
		"project with newline":    {with(`"projects":["a\nb"]`), "not an identifier"},
		"dates reversed":          {with(`"not_before":"2027-01-01T00:00:00Z","not_after":"2026-01-01T00:00:00Z"`), "it must be after not_before"},
		"dates equal":             {with(`"not_before":"2027-01-01T00:00:00Z","not_after":"2027-01-01T09:00:00+09:00"`), "it must be after not_before"},
		"date without time":       {with(`"not_after":"2027-01-01"`), "rules[0].not_after: \"2027-01-01\" is not a time; write it like"},
		"date as a number":        {with(`"not_after":1800000000`), "want text, got a number"},
		"31 February":             {with(`"not_after":"2027-02-31T00:00:00Z"`), "is not a time"},
		"ε of zero":               {with(`"max_epsilon_per_query":0`), "rules[0].max_epsilon_per_query: \"0\" is not above 0"},
		"negative ε":              {with(`"max_epsilon_per_query":-1`), "is not a decimal"},
		"ε of thirteen places":    {with(`"max_epsilon_per_query":"0.0000000000001"`), "more than 12 decimal places"},
		"ε as a fraction":         {with(`"max_epsilon_per_query":"1/3"`), "is not a decimal"},
		"ε NaN":                   {with(`"max_epsilon_per_query":"NaN"`), "is not a decimal"},
		"ε inf":                   {with(`"max_epsilon_per_query":"inf"`), "is not a decimal"},
		"ε with a comma":          {with(`"max_epsilon_per_query":"0,5"`), "is not a decimal"},
		"ε of 1e20":               {with(`"max_epsilon_per_query":1e20`), "is above 1000000"},
		"ε of 1e999999999":        {with(`"max_epsilon_per_query":1e999999999`), "is not a decimal"},
		"ε true":                  {with(`"max_epsilon_per_query":true`), "want text, got true or false"},
		"ε on a deny":             {`{"rules":[{"id":"a","effect":"deny","max_epsilon_per_query":1}]}`, "a deny rule has none"},
		"pre-threshold of zero":   {`{"pre_threshold":0}`, "pre_threshold: it must be from 1"},
		"negative pre-threshold":  {`{"pre_threshold":-5}`, "pre_threshold: it must be from 1"},
		"pre-threshold of 1.5":    {`{"pre_threshold":1.5}`, "pre_threshold: want a whole number"},
		"pre-threshold of 1e3":    {`{"pre_threshold":1e3}`, "want a whole number"},
		"pre-threshold as text":   {`{"pre_threshold":"5"}`, "want a whole number"},
		"huge pre-threshold":      {`{"pre_threshold":99999999999999999999}`, "want a whole number"},
		"octal pre-threshold":     {"pre_threshold: 0o17\n", "want a whole number"},
		"deep":                    {`{"rules":` + deep + `}`, "nests deeper"},
		"deep YAML":               {`rules: ` + deep, "nests deeper"},
		"long note":               {with(`"note":"` + strings.Repeat("x", 2001) + `"`), "at most 2000"},
		"too many values":         {instead(`"organisations":["*"]`, `"organisations":["a`+strings.Repeat(`","a`, 256)+`"]`), "at most 256"},
		"too large":               {`{"description":"` + strings.Repeat("x", maxPolicyDocument) + `"}`, "are read"},
		"too many rules":          {`{"rules":[{}` + strings.Repeat(",{}", 1000) + `]}`, "at most 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := ParsePolicy([]byte(c.text))
			if !errors.Is(err, ErrDocument) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if !reflect.DeepEqual(p, Policy{}) {
				t.Errorf("a refused policy was returned: %+v", p)
			}
			if err != nil && len(err.Error()) > 3000 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestPolicySpellings(t *testing.T) {
	want := Policy{Description: "Ümläut 😀", PreThreshold: 5, Rules: []Rule{{ID: "a", Effect: Allow, Organisations: []string{"no"},
		Roles: []Role{Owner}, Jurisdictions: []string{"NO", "SG"}, Purposes: []string{"*"}, Actions: []Action{Aggregate},
		NotAfter: time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC), MaxEpsilonPerQuery: 250_000_000_000, Note: "line\nline"}}}
	asJSON := `{"description":"Ümläut \ud83d\ude00","pre_threshold":5,"rules":[{"id":"a","effect":"allow","organisations":["no"],"roles":["owner"],
		"jurisdictions":["NO","SG"],"purposes":["*"],"actions":["aggregate"],"not_after":"2026-12-31T00:00:00Z","max_epsilon_per_query":%s,"note":"line\nline"}]}`
	asYAML := "description: Ümläut 😀\npre_threshold: 5\nrules:\n- id: a\n  effect: allow\n  organisations: [no]\n  roles: [owner]\n" +
		"  jurisdictions:\n  - NO # Norway\n  - SG\n  purposes: ['*']\n  actions: [aggregate]\n  not_after: 2026-12-31T00:00:00Z\n" +
		"  max_epsilon_per_query: %s\n  note: |-\n    line\n    line\n"
	for _, epsilon := range []string{`"0.25"`, `0.25`, `0.250000000000`, `25e-2`, `"2.5E-1"`, `0.25000000000000000`} {
		for _, form := range []string{asJSON, asYAML} {
			got, err := ParsePolicy(fmt.Appendf(nil, form, epsilon))
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %v\n got %+v\nwant %+v", epsilon, err, got, want)
			}
		}
	}
	kept, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParsePolicy(kept); err != nil || !reflect.DeepEqual(again, want) {
		t.Errorf("written and read again: %v %+v", err, again)
	}
	var plain Policy
	if err := json.Unmarshal(kept, &plain); err != nil || !reflect.DeepEqual(plain, want) {
		t.Errorf("read by encoding/json: %v %+v", err, plain)
	}
	for _, empty := range []string{"{}", "{ }\n", "rules: []", "{\"rules\":[]}", "--- {}\n"} {
		if p, err := ParsePolicy([]byte(empty)); err != nil || len(p.Rules) != 0 || p.PreThreshold != 1 {
			t.Errorf("%q: %v %+v", empty, err, p)
		}
	}
}

func TestPolicyProblemsAreListedTogether(t *testing.T) {
	_, err := ParsePolicy([]byte(`{"pre_threshold":-1,"rules":[{"id":"A","effect":"maybe"}]}`))
	for _, want := range []string{"pre_threshold", "rules[0].id", "rules[0].effect", "rules[0].purposes"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
	many := strings.TrimSuffix(strings.Repeat(`{},`, 50), ",")
	if _, err := ParsePolicy([]byte(`{"rules":[` + many + `]}`)); err == nil || !strings.Contains(err.Error(), "more") || len(err.Error()) > 3000 {
		t.Errorf("%v", err)
	}
}

func TestPico(t *testing.T) {
	for text, want := range map[string]Pico{"1": 1e12, "0.000000000001": 1, "1000000": 1e18, "0.1": 1e11, "1e-12": 1, "1e6": 1e18, "000.5": 5e11, "12.345678901234": 12345678901234} {
		var p Pico
		if err := p.UnmarshalText([]byte(text)); err != nil || p != want {
			t.Errorf("%s: %d %v", text, p, err)
		}
		var again Pico
		if err := again.UnmarshalText([]byte(p.String())); err != nil || again != p {
			t.Errorf("%s is written %s: %v", text, p, err)
		}
	}
	for _, text := range []string{"", " 1", "1 ", "+1", "-1", ".5", "1.", "0x1", "1_0", "1e100", "1e-13", "1000000.000000000001", "٣", "Inf", strings.Repeat("9", 30)} {
		p := Pico(7)
		if err := p.UnmarshalText([]byte(text)); err == nil || p != 7 {
			t.Errorf("%q is read as %d", text, p)
		}
	}
}

func TestOrganisations(t *testing.T) {
	good, err := ParseOrganisation("sg_lab", []byte("title: A lab\njurisdiction: SG\n"))
	if err != nil || good != (Organisation{"sg_lab", "A lab", "SG"}) {
		t.Fatal(good, err)
	}
	if _, err := ParseOrganisation("", []byte(`{"id":"sg_lab","title":"A lab","jurisdiction":"SG"}`)); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{
		`{"title":"A","jurisdiction":"SG","id":"other"}`:       `the document is of "other"`,
		`{"title":"A","jurisdiction":"UK"}`:                    "jurisdiction: \"UK\"",
		`{"jurisdiction":"SG"}`:                                "title: it is empty",
		`{"title":" ","jurisdiction":"SG"}`:                    "title: it is empty",
		`{"title":"A\nB","jurisdiction":"SG"}`:                 "line break",
		`{"title":"A\u202eB","jurisdiction":"SG"}`:             "does not print",
		`{"title":"A","jurisdiction":"SG","country":"SG"}`:     "not a known key",
		`{"title":"A","jurisdiction":"SG","Jurisdiction":"K"}`: "written twice",
		`{"title":7,"jurisdiction":"SG"}`:                      "title: want text, got a number; put it in quotes",
		`{"title":"` + strings.Repeat("x", 201) + `"}`:         "at most 200",
		strings.Repeat(" ", maxSmallDocument+1):                "are read",
	} {
		if _, err := ParseOrganisation("sg_lab", []byte(text)); !errors.Is(err, ErrDocument) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v", text, err)
		}
	}
	for _, id := range []string{"", "A", "1a", "a-b", "a.b", "a/b", "a b", "ä", "_a", strings.Repeat("a", 64)} {
		if err := (Organisation{id, "T", "SG"}).Validate(); !errors.Is(err, ErrDocument) {
			t.Errorf("%q is taken", id)
		}
	}
}

func TestProjects(t *testing.T) {
	const good = `{"title":"T","members":["kr_edu","sg_lab"],"purpose":"dpv:ScientificResearch","datasets":["kr_edu.students"],` +
		`"agreements":["KSDPA 14.25"],"not_before":"2026-01-01T00:00:00Z","not_after":"2027-01-01T00:00:00+09:00"}`
	p, err := ParseProject("gap", []byte(good))
	if err != nil || p.ID != "gap" || !p.NotAfter.Equal(time.Date(2026, 12, 31, 15, 0, 0, 0, time.UTC)) {
		t.Fatal(p, err)
	}
	for _, q := range []Project{p, {ID: "gap", Title: "T", Members: p.Members, Purpose: p.Purpose, NotBefore: p.NotBefore, NotAfter: p.NotAfter}} {
		kept, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseProject("gap", kept); err != nil || !reflect.DeepEqual(again.Datasets, q.Datasets) || !again.NotAfter.Equal(q.NotAfter) {
			t.Errorf("%s: written and read again: %v %+v", kept, err, again)
		}
	}
	for _, c := range []struct{ old, new, want string }{
		{`"title":"T",`, ``, "title: it is empty"},
		{`["kr_edu","sg_lab"]`, `[]`, "members: it is empty"},
		{`"members":["kr_edu","sg_lab"],`, ``, "members: it is empty"},
		{`"sg_lab"`, `"kr_edu"`, "members[1]: \"kr_edu\" is given twice"},
		{`"sg_lab"`, `"*"`, "members[1]: \"*\" is not an identifier"},
		{`dpv:ScientificResearch`, `dpv:ScienceResearch`, "did you mean dpv:ScientificResearch?"},
		{`"purpose":"dpv:ScientificResearch",`, ``, "purpose: "},
		{`kr_edu.students`, `students`, "datasets[0]: \"students\" is not a dataset: write org.dataset"},
		{`kr_edu.students`, `kr_edu/students`, "is not a dataset"},
		{`kr_edu.students`, `kr_edu.students.v2`, "is not a dataset"},
		{`["kr_edu.students"]`, `["kr_edu.students","kr_edu.students"]`, "given twice"},
		{`KSDPA 14.25`, ``, "agreements[0]: it is empty"},
		{`"not_before":"2026-01-01T00:00:00Z",`, ``, "not_before: it is missing"},
		{`,"not_after":"2027-01-01T00:00:00+09:00"`, ``, "not_after: it is missing"},
		{`2027-01-01`, `2025-01-01`, "it must be after not_before"},
		{`"title"`, `"id":"other","title"`, "the document is of"},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if _, err := ParseProject("gap", []byte(text)); text == good || !errors.Is(err, ErrDocument) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.new, err)
		}
	}
}

// FuzzParsePolicy: no text makes the parser panic, and what it accepts compiles and survives a round trip.
func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(`{"rules":[{` + goodRule + `}]}`))
	f.Add([]byte("pre_threshold: 5\nrules:\n- id: a\n  effect: deny\n  purposes: [dpv:Marketing]\n  not_after: 2026-01-01T00:00:00Z\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePolicy(text)
		if err != nil {
			if !errors.Is(err, ErrDocument) {
				t.Fatal(err)
			}
			return
		}
		if _, err := Compile("kr_edu.students", p); err != nil {
			t.Fatal(err)
		}
		kept, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParsePolicy(kept); err != nil {
			t.Fatalf("%s: %v", kept, err)
		}
	})
}
