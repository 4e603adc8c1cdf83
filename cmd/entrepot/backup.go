package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"entrepot/sandbox/store"
)

// backupCommand copies ledger, log, catalogue and tables while the server runs. Tables are copied
// after the ledger: versions are immutable, so every one that the copied catalogue names is there.
func backupCommand() *cobra.Command {
	var data, to string
	var withKeys bool
	c := &cobra.Command{Use: "backup", Short: "Write a consistent copy of a deployment, also while it runs", Args: cobra.NoArgs,
		Long: `Write a consistent copy of a deployment, also while it runs. The witness is not in it: left where it is, it
shows that a copy put back is older than what was charged since (see entrepot recover).`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if there, err := exists(to); err != nil || there {
				return errors.Join(err, fmt.Errorf("%s: a backup goes into a new folder", to))
			}
			half, err := os.MkdirTemp(filepath.Dir(filepath.Clean(to)), ".backup-*") // mode 0700
			if err != nil {
				return err
			}
			if err = backUp(cmd.Context(), data, half, withKeys); err == nil {
				err = os.Rename(half, to)
			}
			if err != nil {
				return errors.Join(err, os.RemoveAll(half))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Backed up %s to %s.\n", data, to)
			if !withKeys {
				fmt.Fprintln(cmd.OutOrStdout(), "The keys are not in it: they belong in another place (--with-keys puts them in).")
			}
			return nil
		}}
	c.Flags().StringVar(&data, "data", "entrepot-data", "folder of the deployment")
	c.Flags().StringVar(&to, "to", "", "new folder for the copy")
	c.Flags().BoolVar(&withKeys, "with-keys", false, "copy the keys too")
	_ = c.MarkFlagRequired("to")
	return c
}

// backUp writes the copy into an empty folder.
func backUp(ctx context.Context, data, to string, withKeys bool) error {
	if err := store.Backup(ctx, filepath.Join(data, ledgerFile), filepath.Join(to, ledgerFile)); err != nil {
		return fmt.Errorf("ledger and log: %w", err)
	}
	folders := []string{tablesDir}
	if withKeys {
		folders = append(folders, keysDir)
	}
	for _, folder := range folders {
		if err := copyDir(filepath.Join(data, folder), filepath.Join(to, folder)); err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
	}
	return syncDir(to)
}

// copyDir copies the plain files of a folder durably. Files that appear or are replaced meanwhile do
// not matter: tables reach their names whole.
func copyDir(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		if err := copyFile(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return syncDir(to)
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
