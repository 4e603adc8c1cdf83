package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/audit"
	"entrepot/sandbox/query"
)

// pending is what completes an admitted question, even after a crash. It is stored with the charge.
type pending struct {
	Plan         query.Plan       `json:"plan"`
	Loss         privacy.Loss     `json:"loss"` // with its mechanism
	Weights      map[string]int64 `json:"weights,omitempty"`
	PreThreshold int64            `json:"pre_threshold"`
	Tables       []pendingTable   `json:"tables"` // sorted by id
}

// pendingTable is one version of a dataset, as it was when the question was admitted.
type pendingTable struct {
	Dataset     string               `json:"dataset"`
	Version     int64                `json:"version"`
	Declaration datasets.Declaration `json:"declaration"`
}

func (q prepared) pending() pending {
	work := pending{Plan: q.plan, Loss: q.loss, Weights: maps.Clone(q.weights), PreThreshold: q.decision.PreThreshold}
	maps.DeleteFunc(work.Weights, func(_ string, weight int64) bool { return weight == 1 }) // as if not said
	for _, t := range q.tables {
		work.Tables = append(work.Tables, pendingTable{t.ID, t.Version, t.Declaration})
	}
	return work
}

// repeatFormat goes into every repeat digest. Raise it when what was released until then answers no question any
// more, because mechanisms or bounding have another meaning.
const repeatFormat = "entrepot/repeat/v3"

// repeat is the digest that two questions share when they are about the same versions of the same rows, groups and
// bounds. Whether the release of the one answers the other is then a matter of what was drawn.
func (p pending) repeat(basis query.Basis) (string, error) {
	b, err := json.Marshal(struct {
		Format       string
		Basis        string
		PreThreshold int64
		Tables       []pendingTable
	}{repeatFormat, basis.Digest, p.PreThreshold, p.Tables})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// mark notes on a question what finds its release for others.
func (p pending) mark(q *Question, spec privacy.Spec) error {
	basis := p.Plan.Basis()
	d := drawn{Keys: basis.Keys, Aggregates: basis.Aggregates, Columns: spec.Columns(), Precision: spec.Precision()}
	var err error
	if q.Noise, err = json.Marshal(d); err != nil {
		return err
	}
	q.Draw = d.Precision.Draw
	q.Repeat, err = p.repeat(basis)
	return err
}

// spec is the question's noise.
func (p pending) spec() (privacy.Spec, error) {
	question, err := p.Plan.Question(p.Loss, p.Weights, p.PreThreshold)
	if err != nil {
		return privacy.Spec{}, err
	}
	return privacy.NewSpec(question)
}

// versions are the tables as the log names them.
func (p pending) versions() []audit.DatasetVersion {
	list := []audit.DatasetVersion{}
	for _, t := range p.Tables {
		list = append(list, audit.DatasetVersion{ID: t.Dataset, Version: t.Version})
	}
	return list
}

// files says where the engine finds the rows.
func (s *Service) files(p pending) map[string]datasets.Table {
	tables := map[string]datasets.Table{}
	for _, t := range p.Tables {
		tables[t.Dataset] = datasets.Table{Declaration: t.Declaration, File: s.tableFile(t.Dataset, t.Version)}
	}
	return tables
}
