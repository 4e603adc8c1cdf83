package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"entrepot/sandbox/audit"
)

func auditCommand() *cobra.Command {
	return noun("audit", "The log of everything that happened, and proof that it was not rewritten",
		auditTail(), auditCheckpoint(), auditExport(), auditVerify(), auditKey())
}

func auditCheckpoint() *cobra.Command {
	c := &cobra.Command{Use: "checkpoint", Short: "Print the log's signed checkpoint (owners, managers, regulators)", Args: cobra.NoArgs,
		Long: `Print the log's signed checkpoint. Keep it: a later export that denies it is caught by
"audit verify --seen". With --key its signature is checked first.`}
	key := c.Flags().String("key", "", "the log's verifier key")
	return online(c, askTimeout, func(s *session, _ []string) error {
		r := get("v1", "audit", "checkpoint")
		r.accept = "text/plain"
		text, _, err := s.client.fetch(s.ctx, r, nil)
		if err != nil {
			return err
		}
		if *key != "" {
			if err := checkKeys([]string{*key}); err != nil {
				return err
			}
			if _, err := audit.ReadCheckpoint(text, originOf(*key), []string{*key}); err != nil {
				return fmt.Errorf("%w: %w", errUnverified, err)
			}
		}
		return s.print(printableLines(string(text)))
	})
}

func auditExport() *cobra.Command {
	c := &cobra.Command{Use: "export FILE", Short: "Save the whole log for an offline verifier (managers, regulators, operators)", Args: cobra.ExactArgs(1)}
	return online(c, bulkTimeout, func(s *session, args []string) error {
		r := get("v1", "audit", "export")
		r.accept = "application/octet-stream"
		size, err := s.download(r, args[0])
		if err != nil || args[0] == "-" {
			return err
		}
		return s.print(fmt.Sprintf("%s: %s. Check it: entrepot audit verify %[1]s --key …\n", printable(args[0]), bytesText(size)))
	})
}

func auditKey() *cobra.Command {
	c := &cobra.Command{Use: "key --data DIR", Short: "Print the public key that verifies this deployment's log", Args: cobra.NoArgs,
		Long: `Print the log's verifier key from the keys of a deployment. It is public: publish it where those who
audit will find it, but not by the server that they audit.`}
	data := c.Flags().String("data", "entrepot-data", "folder of the deployment")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		keys, err := readKeyring(filepath.Join(*data, keysDir))
		if err != nil {
			return err
		}
		signer, err := keys.signer()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), signer.VerifierKey())
		return err
	}
	return c
}
