package main

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"entrepot/privacy"
)

// questionBody is the body of POST /v1/queries and POST /v1/estimates.
type questionBody struct {
	Project   string        `json:"project"`
	SQL       string        `json:"sql"`
	Loss      *lossBody     `json:"loss,omitempty"` // it or Accuracy; neither: what the owners have set
	Accuracy  *accuracyBody `json:"accuracy,omitempty"`
	GroupSize int64         `json:"group_size,omitempty"` // with Accuracy, or in an estimate
	Release   string        `json:"release,omitempty"`    // likewise
	Bounds    *boundsBody   `json:"bounds,omitempty"`
	Fresh     bool          `json:"fresh,omitempty"`
}

// lossBody is a loss in ε or in ρ.
type lossBody struct {
	Epsilon       privacy.Epsilon   `json:"epsilon,omitzero"`
	Rho           privacy.Rho       `json:"rho,omitzero"`
	Delta         privacy.Delta     `json:"delta"`
	Mechanism     privacy.Mechanism `json:"mechanism,omitempty"` // "": the server chooses
	GaussianDelta privacy.Delta     `json:"gaussian_delta,omitzero"`
	Weights       map[string]int64  `json:"weights,omitempty"`
}

type boundsBody struct {
	MaxPartitions       int64 `json:"max_partitions,omitempty"`
	MaxRowsPerPartition int64 `json:"max_rows_per_partition,omitempty"`
}

// questionFlags are what query and estimate share.
type questionFlags struct {
	project, file                      string
	loss                               lossFlags
	accuracy                           accuracyFlags
	maxPartitions, maxRowsPerPartition int64
}

func (q *questionFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVarP(&q.project, "project", "p", "", "project in which you ask")
	q.loss.add(c)
	q.accuracy.add(c)
	f.StringVarP(&q.file, "file", "f", "", "file with the SQL, - for standard input")
	f.Int64Var(&q.maxPartitions, "max-partitions", 0, "groups that one privacy unit may count in (default: as many as it can have)")
	f.Int64Var(&q.maxRowsPerPartition, "max-rows-per-partition", 0, "rows of one privacy unit that count in a group (default: all it may have)")
	_ = c.MarkFlagRequired("project")
}

// read makes the question from the flags and the argument.
func (q *questionFlags) read(s *session, args []string) (questionBody, error) {
	out := questionBody{Project: q.project}
	if err := oneID("a project", q.project); err != nil {
		return out, err
	}
	loss, err := q.loss.read()
	if err != nil {
		return out, err
	}
	if q.accuracy.groupSize < 1 && q.accuracy.flags.Changed("group-size") {
		return out, usage("--group-size is at least 1")
	}
	out.GroupSize, out.Release = q.accuracy.groupSize, q.accuracy.release
	switch {
	case q.accuracy.given():
		if out.Accuracy, err = q.accuracy.read(loss); err != nil {
			return out, err
		}
	case q.loss.named():
		out.Loss = &loss
	case loss.Delta != 0 || loss.Mechanism != "" || loss.GaussianDelta != 0 || loss.Weights != nil:
		return out, usage("--delta, --mechanism, --gaussian-delta and --weight go with --epsilon or --rho")
	}
	if q.maxPartitions < 0 || q.maxRowsPerPartition < 0 {
		return out, usage("--max-partitions and --max-rows-per-partition are at least 1")
	}
	if q.maxPartitions > 0 || q.maxRowsPerPartition > 0 {
		out.Bounds = &boundsBody{q.maxPartitions, q.maxRowsPerPartition}
	}
	out.SQL, err = q.text(s, args)
	return out, err
}

// text is the SQL: the argument, or a file, or standard input.
func (q *questionFlags) text(s *session, args []string) (string, error) {
	if (len(args) == 1) == (q.file != "") {
		return "", usage("the SQL comes as one argument, or from a file with -f (- is standard input)")
	}
	path := q.file
	if len(args) == 1 {
		if args[0] != "-" {
			return args[0], nil
		}
		path = "-"
	}
	b, err := s.readInput(path, maxSQL)
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(string(b)) == "" {
		return "", usage("there is no SQL in %s", filepath.Base(path))
	}
	return string(b), nil
}

// pointed lets a refusal show the line of the SQL that it is about.
func pointed(err error, sql string) error {
	if p, ok := asProblem(err); ok {
		p.sql = sql
	}
	return err
}
