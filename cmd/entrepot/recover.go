package main

import (
	"errors"
	"fmt"
	"io"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
	"entrepot/sandbox/store"
)

// witnessFile is where the witness is unless --witness says otherwise.
const witnessFile = "witness"

const witnessUsage = "file that tells whether the ledger was restored from an old copy; better on another disk (default <data>/" + witnessFile + ")"

// witnessPath is the place of the witness.
func witnessPath(data, witness string) string {
	if witness == "" {
		return filepath.Join(data, witnessFile)
	}
	return witness
}

// explainLoss adds to the error of a store that is not the newest what an operator can do about it.
func explainLoss(err error, data, witness string) error {
	command := "entrepot recover --data " + data
	if witness != "" {
		command += " --witness " + witness
	}
	switch {
	case errors.Is(err, store.ErrBehind):
		return fmt.Errorf("%w\nIt was restored from an older copy, and what was charged since is forgotten. If there is a newer copy, restore that. "+
			"If not, accept the loss, on the record: %s --reason \"...\"", err, command)
	case errors.Is(err, store.ErrNoWitness):
		return fmt.Errorf("%w\nNothing else tells whether the ledger is the newest. If the file is elsewhere, put it back or name it with --witness. "+
			"If it is lost, accept that, on the record, and with the newest checkpoint that anybody kept: %s --reason \"...\" [--checkpoint FILE]", err, command)
	case errors.Is(err, store.ErrForeignWitness):
		return fmt.Errorf("%w\nName this deployment's own with --witness. If it has none any more, move that file away and see entrepot recover --help", err)
	}
	return err
}

func recoverCommand() *cobra.Command {
	var data, witness string
	var by sandbox.By
	var checkpoints []string
	c := &cobra.Command{Use: "recover --reason REASON", Short: "Go on after a loss: accept, on the record, that the ledger is not the newest", Args: cobra.NoArgs,
		Long: `Take a ledger into use again that was restored from an older copy, or of which the witness is lost. Until
then the server refuses to start: it would spend a budget again that was spent before.

Every account's clocks jump to at least what the witness saw, or the checkpoints given with --checkpoint
(of "entrepot audit checkpoint"; they must be of this log). An account whose clocks jump is closed, as failures
of its questions were lost too; all accounts are when the witness is missing, or older than a
checkpoint given, for then nobody knows what else was charged. An owner opens an account again with a larger
--failure-allowance. An account that is not in the ledger any more begins with what was spent of it when its
owner opens it again, and only its Σε clock admits. If the witness was restored together with the ledger, a
checkpoint given is all that shows it: then what the ledger says comes on top of what the checkpoint says, even
where both mean the same charge, and again only Σε admits. Questions that were under way end without an answer.

What was lost stays lost: questions and releases, with their idempotency keys (asked again they are charged
again), allocations and changes of them, amendments of accounts, policies, projects, datasets and uploads.
Owners must look at their policies before anybody asks. Stop the server first. Give every checkpoint there is, at
once; one that turns up later can be given later.`,
		Example: `  entrepot recover --data entrepot-data --reason "disk lost on 3 May; restored the backup of 2 May"`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := audit.CheckReason(by.Reason); err != nil {
				return usage("--reason: %w", err)
			}
			if there, err := exists(filepath.Join(data, ledgerFile)); err != nil || !there {
				return errors.Join(err, fmt.Errorf("%s has no %s: restore it from its backup first", data, ledgerFile))
			}
			r, err := recoverStore(cmd, data, witness, by, checkpoints)
			if errors.Is(err, store.ErrForeignWitness) {
				return explainLoss(err, data, witness)
			}
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), recoveryText(r, witnessPath(data, witness), terminalWidth(cmd.OutOrStdout())))
			return err
		}}
	c.Flags().StringVar(&data, "data", "entrepot-data", "folder of the deployment")
	c.Flags().StringVar(&witness, "witness", "", witnessUsage)
	c.Flags().StringVar(&by.Reason, "reason", "", "what happened, for the log")
	c.Flags().StringVar(&by.Actor, "by", "local/"+localUser(), "who accepts the loss, for the log, as organisation/name")
	c.Flags().StringArrayVar(&checkpoints, "checkpoint", nil, "file with a signed checkpoint of this log that somebody kept")
	_ = c.MarkFlagRequired("reason")
	return c
}

func recoverStore(cmd *cobra.Command, data, witness string, by sandbox.By, files []string) (store.Recovery, error) {
	keys, err := readKeyring(filepath.Join(data, keysDir))
	if err != nil {
		return store.Recovery{}, err
	}
	signer, err := keys.signer()
	if err != nil {
		return store.Recovery{}, err
	}
	var checkpoints [][]byte
	for _, name := range files {
		text, err := readFile(name, audit.MaxCheckpoint)
		if err != nil {
			return store.Recovery{}, err
		}
		if _, err := audit.ReadCheckpoint(text, signer.Origin(), []string{signer.VerifierKey()}); err != nil {
			return store.Recovery{}, fmt.Errorf("%w: %s: %w", errUnverified, name, err)
		}
		checkpoints = append(checkpoints, text)
	}
	by.At = time.Now()
	return store.Recover(cmd.Context(), store.Options{Path: filepath.Join(data, ledgerFile), Witness: witnessPath(data, witness), Signer: signer}, by, checkpoints...)
}

// localUser is who runs the program, as far as a log entry can name it.
func localUser() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return strings.Map(func(r rune) rune {
		if hidden(r) || r == ' ' {
			return '_'
		}
		return r
	}, u.Username)
}

// recoveryText says what was lost and what became of it.
func recoveryText(r store.Recovery, witness string, limit int) string {
	var b strings.Builder
	if len(r.Records) == 0 {
		fmt.Fprintf(&b, "This loss is on the record already. The witness is %s.\n", witness)
		return b.String()
	}
	fmt.Fprintf(&b, "The restored ledger has %s entries", groupedInt(r.Entries))
	if !r.Latest.IsZero() {
		fmt.Fprintf(&b, ", up to %s", r.Latest.UTC().Format(time.RFC3339))
	}
	fmt.Fprintln(&b, ".")
	for _, record := range r.Records {
		saw, known := record.Saw()
		switch {
		case !known:
			fmt.Fprintf(&b, "Entry %s records that nobody knows what was lost: every account is closed.\n", groupedInt(record.Index))
		case record.Newest:
			fmt.Fprintf(&b, "Entry %s records the loss. The witness saw %s entries.\n", groupedInt(record.Index), groupedInt(saw.Size))
		default:
			fmt.Fprintf(&b, "Entry %s records the loss. A checkpoint saw %s entries, and nobody knows how many there were: every account is closed.\n",
				groupedInt(record.Index), groupedInt(saw.Size))
		}
	}
	b.WriteString("\n" + jumpedText(r, limit))
	if len(r.Lost) > 0 {
		b.WriteString("\nNot in the ledger any more; opened again, they begin with what was spent of them:\n")
		for _, s := range r.Lost {
			fmt.Fprintf(&b, "  %s\n", chargeText(s.Account, s.Clocks))
		}
	}
	if len(r.Ended) > 0 {
		fmt.Fprintf(&b, "\nEnded without an answer, as they may have had one: %s\n", printable(strings.Join(r.Ended, ", ")))
	}
	fmt.Fprintf(&b, `
Gone with the lost entries: questions and releases with their idempotency keys (asked again they are charged
again), and changes of policies, projects, datasets, uploads, accounts and allocations. Have every owner look
at them as soon as the server runs. A closed account is opened by its owner: entrepot account set ACCOUNT
--failure-allowance N --reason REASON. Tell those who keep checkpoints of this log. The witness is %s.
`, witness)
	return b.String()
}

// jumpedText lists the accounts with what they had spent in the copy and what they have now.
func jumpedText(r store.Recovery, limit int) string {
	t := table{columns: columns("account", ">Σε in the copy", ">Σε now", "state")}
	for _, a := range r.After {
		before := a
		if i := slices.IndexFunc(r.Before, func(b ledger.Account) bool { return b.ID == a.ID }); i >= 0 {
			before = r.Before[i]
		}
		state := "open"
		if a.Frozen() {
			state = "closed"
		}
		t.add(a.ID, before.Spent.Epsilon.String(), a.Spent.Epsilon.String(), state)
	}
	return t.text(limit)
}
