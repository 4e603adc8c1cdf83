package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"entrepot/sandbox"
)

const arrowStream = "application/vnd.apache.arrow.stream"

func queryCommand() *cobra.Command {
	c := &cobra.Command{Use: "query --project PROJECT SQL | -f FILE | -", Short: "Ask a question and spend its price (researchers)", Args: cobra.MaximumNArgs(1),
		Long: `Ask a question. It is decided by the owner's policy, charged, logged, and answered once, with noise.
What was released before is shown again for nothing, whole or in part, in another order or under
other names; --fresh draws anew, and pays.

Should the connection break before the answer comes, ask again with the --idempotency-key that is
printed: the answer is the same, and it is charged once.`,
		Example: `  entrepot query -p maths_gap "SELECT gender, COUNT(*) AS students, AVG(math) AS maths FROM kr_edu.students GROUP BY gender"
  entrepot query -p maths_gap --epsilon 0.1 --estimate -f question.sql
  entrepot query -p maths_gap --accuracy students=50 --accuracy maths=2 --group-size 2000 -f question.sql`}
	var q questionFlags
	q.add(c)
	fresh := c.Flags().Bool("fresh", false, "draw anew, and pay, even where the same question was answered before")
	key := c.Flags().String("idempotency-key", "", "your name for this question: the same key gives the same answer for ever (default: random)")
	estimate := c.Flags().Bool("estimate", false, "show price and expected error; ask nothing")
	arrow := c.Flags().String("arrow", "", "save the answer as an Arrow IPC stream, - for standard output")
	for _, other := range []string{"fresh", "idempotency-key", "arrow"} {
		c.MarkFlagsMutuallyExclusive("estimate", other)
	}
	return online(c, askTimeout, func(s *session, args []string) error {
		if *arrow != "" && s.json {
			return usage("--arrow and --json are two forms of one answer")
		}
		ask, err := q.read(s, args)
		if err != nil {
			return err
		}
		if *estimate {
			return s.estimate(ask)
		}
		if ask.Accuracy == nil && (ask.GroupSize != 0 || ask.Release != "") {
			return usage("--group-size and --release go with --accuracy, --relative or --estimate")
		}
		ask.Fresh = *fresh
		if *key == "" {
			*key = newID("ask_")
		}
		return pointed(s.query(ask, *key, *arrow), ask.SQL)
	})
}

func (s *session) query(ask questionBody, key, arrow string) error {
	r, err := sendJSON(http.MethodPost, ask, "v1", "queries")
	if err != nil {
		return err
	}
	r.header = http.Header{"Idempotency-Key": {key}}
	if arrow != "" {
		r.accept = arrowStream
		size, err := s.download(r, arrow)
		if err == nil && arrow != "-" {
			return s.print(fmt.Sprintf("%s: %s\n", printable(arrow), bytesText(size)))
		}
		return unanswered(err, key)
	}
	var a sandbox.Answer
	raw, _, err := s.client.fetch(s.ctx, r, &a)
	if err != nil {
		return unanswered(err, key)
	}
	return s.show(raw, func() string { return answerText(a, s.width()) })
}

// unanswered adds how to get the answer to a question of which nobody here knows whether it was
// charged.
func unanswered(err error, key string) error {
	again := fmt.Sprintf("ask the same again with --idempotency-key %s: if it was charged, it is not charged twice", key)
	p, told := asProblem(err)
	switch {
	case err == nil:
		return nil
	case told && p.Status >= http.StatusInternalServerError && p.Hint == "":
		p.Hint = again
		return err
	case told:
		return err
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted; %s", again)
	}
	return fmt.Errorf("%w\n%s", err, again)
}
