package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"entrepot/sandbox/audit"
)

func auditVerify() *cobra.Command {
	c := &cobra.Command{Use: "verify FILE --key VERIFIERKEY", Short: "Check an exported log offline, trusting nobody", Args: cobra.ExactArgs(1),
		Long: `Check an exported log: the form of every entry, the tree over them, the checkpoint's signature, that
every release has its charge, that every charge was within its account's caps, and that the clocks
are their sums. With --seen also that it extends checkpoints that you kept. Exit code 5 means that the
export is not evidence of anything.`,
		Example: `  entrepot audit verify log.export --key "$(cat log.pub)" --seen checkpoint-of-last-month`}
	keys := c.Flags().StringArray("key", nil, "the log's verifier key, then those of its witnesses")
	seen := c.Flags().StringArray("seen", nil, "file with a checkpoint of this log from earlier")
	_ = c.MarkFlagRequired("key")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkKeys(*keys); err != nil {
			return err
		}
		report, err := verifyFile(cmd, args[0], *keys, *seen)
		if err != nil {
			return err
		}
		text := verifiedText(report, terminalWidth(cmd.OutOrStdout()))
		if asJSON, err := cmd.Flags().GetBool("json"); err != nil {
			return err
		} else if asJSON {
			text = indented(newFindings(report))
		}
		_, err = io.WriteString(cmd.OutOrStdout(), text)
		return err
	}
	return c
}

// originOf is the name of the log, which is its key's.
func originOf(key string) string {
	name, _, _ := strings.Cut(key, "+")
	return name
}

// checkKeys tells a key that was mistyped from a log that is wrong.
func checkKeys(keys []string) error {
	_, err := audit.ReadCheckpoint(nil, originOf(keys[0]), keys)
	if errors.Is(err, audit.ErrCheckpoint) {
		return nil // of course: there is none; but the keys were read
	}
	return usage("--key: %w", err)
}

func verifyFile(cmd *cobra.Command, path string, keys, seen []string) (audit.Report, error) {
	earlier := []audit.Checkpoint{}
	for _, name := range seen {
		text, err := readFile(name, audit.MaxCheckpoint)
		if err != nil {
			return audit.Report{}, err
		}
		c, err := audit.ReadCheckpoint(text, originOf(keys[0]), keys)
		if err != nil {
			return audit.Report{}, fmt.Errorf("%w: %s: %w", errUnverified, name, err)
		}
		earlier = append(earlier, c)
	}
	in := &source{ctx: cmd.Context(), in: cmd.InOrStdin()}
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return audit.Report{}, err
		}
		defer func() { _ = f.Close() }() // only read
		in.in = f
	}
	report, err := audit.Verify(in, keys, originOf(keys[0]), earlier...)
	switch {
	case err == nil:
		return report, nil
	case in.err != nil:
		return audit.Report{}, fmt.Errorf("read %s: %w", path, in.err)
	default:
		return audit.Report{}, fmt.Errorf("%w: %w", errUnverified, err)
	}
}

// source reads until the context ends, and keeps the error of a disk apart from what is wrong with
// what was on it.
type source struct {
	ctx context.Context
	in  io.Reader
	err error
}

// Read implements io.Reader.
func (s *source) Read(b []byte) (int, error) {
	if s.err = s.ctx.Err(); s.err != nil {
		return 0, s.err
	}
	n, err := s.in.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
