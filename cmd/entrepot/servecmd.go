package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func serveCommand() *cobra.Command {
	c := &cobra.Command{Use: "serve", Short: "Run the server", Args: cobra.NoArgs,
		Long: `Run the server until it is interrupted. On an empty data folder it makes its keys and says what to
do with them; later it refuses to start without them.

Every flag but --config and --url-file may also stand in the configuration file, under its name, or in
the environment, as ENTREPOT_SERVE_ and its name; flags win over the environment, it over the file.`}
	settings := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	serveFlags(settings)
	c.Flags().AddFlagSet(settings)
	config := c.Flags().String("config", "", "YAML file with settings")
	urlFile := c.Flags().String("url-file", "", "write the server's URL to this file once it listens")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		loaded, err := loadConfig(*config, settings)
		if err != nil {
			return &usageError{err}
		}
		m := &Main{Config: loaded, Notice: cmd.ErrOrStderr(), Log: slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))}
		return serve(cmd, m, *urlFile)
	}
	return c
}

// serve runs m until it is interrupted or fails.
func serve(cmd *cobra.Command, m *Main, urlFile string) error {
	ctx := cmd.Context()
	err := m.Run(ctx)
	if err == nil {
		err = announce(cmd, m.URL, urlFile)
	}
	if err == nil {
		err = m.Wait(ctx)
	}
	err = errors.Join(err, m.Close())
	if urlFile != "" && m.URL != "" {
		if gone := os.Remove(urlFile); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// announce says where the server listens. The file appears whole: whoever waits for it may read it at
// once.
func announce(cmd *cobra.Command, url, urlFile string) error {
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "Listening on %s\n", url); err != nil {
		return err
	}
	if urlFile == "" {
		return nil
	}
	temp := urlFile + ".new"
	if err := os.WriteFile(temp, []byte(url+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(temp, urlFile)
}
