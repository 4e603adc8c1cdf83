package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes. Scripts rely on them; rootHelp tells them.
const (
	exitOK         = 0
	exitFailed     = 1
	exitUsage      = 2
	exitRefused    = 3
	exitExhausted  = 4
	exitUnverified = 5
)

const rootHelp = `Entrepot is a data-sharing sandbox: owners register tables, researchers ask SQL questions over
REST and get differentially private aggregates, and everything that was released is in a log that
can be verified offline. This program is the server and the client of its API.

Client commands talk to --url or ENTREPOT_URL with the token in ENTREPOT_TOKEN or --token-file.
They print tables, or with --json what the server sent. SSL_CERT_FILE names a private authority.

Exit codes:
  0  done
  1  the server or the network failed, or a file could not be read or written
  2  the command line is wrong; nothing was sent
  3  the server refused: invalid, denied, not found, conflict …
  4  the privacy budget does not cover it, or the account is frozen
  5  verification failed: the log is not evidence of anything`

// execute runs one command line and returns the exit code. It uses nothing of the process but the
// environment and what the commands are told to open.
func execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(append([]string{}, args...))
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	running := false
	watch(root, &running)
	command, err := root.ExecuteContextC(ctx)
	if err != nil && !running {
		err = &usageError{err}
	}
	report(stderr, command, err)
	return exitCode(err)
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{Use: "entrepot", Short: "Differentially private answers from data that stay where they are", Long: rootHelp,
		SilenceErrors: true, SilenceUsage: true, Version: version(), SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	addConnection(root.PersistentFlags())
	root.AddGroup(&cobra.Group{ID: groupAsk, Title: "Asking:"}, &cobra.Group{ID: groupOwn, Title: "Owning and overseeing:"},
		&cobra.Group{ID: groupRun, Title: "Running a server:"})
	addGroup(root, groupAsk, queryCommand(), estimateCommand(), releaseCommand(), whoamiCommand())
	addGroup(root, groupOwn, organisationCommand(), projectCommand(), datasetCommand(), policyCommand(), accountCommand(), auditCommand())
	addGroup(root, groupRun, serveCommand(), tokenCommand(), backupCommand(), recoverCommand(), demoCommand())
	root.AddCommand(versionCommand())
	return root
}

// The groups of the root help.
const (
	groupAsk = "ask"
	groupOwn = "own"
	groupRun = "run"
)

func addGroup(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
		root.AddCommand(c)
	}
}

// noun makes a command that only holds others.
func noun(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }} // never: Args always refuses
	c.AddCommand(commands...)
	c.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			names := []string{}
			for _, sub := range commands {
				names = append(names, sub.Name())
			}
			return fmt.Errorf("%s needs one of its commands: %s", cmd.CommandPath(), strings.Join(names, ", "))
		}
		hint := ""
		if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
			hint = "; did you mean " + like[0] + "?"
		}
		return fmt.Errorf("%s has no command %q%s", cmd.CommandPath(), printable(args[0]), hint)
	}
	return c
}

// choices lets a shell complete a flag's value.
func choices(c *cobra.Command, flag string, values ...string) {
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// watch notes when a command begins to run: an error before that is one of the command line.
func watch(c *cobra.Command, running *bool) {
	if run := c.RunE; run != nil {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			*running = true
			return run(cmd, args)
		}
	}
	if run := c.Run; run != nil {
		c.Run = func(cmd *cobra.Command, args []string) {
			*running = true
			run(cmd, args)
		}
	}
	for _, sub := range c.Commands() {
		watch(sub, running)
	}
}

// usageError means that the command line is wrong and that nothing was sent or changed.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

// Unwrap gives what is wrong.
func (e *usageError) Unwrap() error { return e.err }

func isUsage(err error) bool {
	_, ok := errors.AsType[*usageError](err)
	return ok
}

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// errUnverified means that evidence did not hold. Rely on nothing that it says.
var errUnverified = errors.New("verification failed")

func exitCode(err error) int {
	p, refused := asProblem(err)
	switch {
	case err == nil:
		return exitOK
	case isUsage(err):
		return exitUsage
	case refused:
		return p.exitCode()
	case errors.Is(err, errUnverified):
		return exitUnverified
	default:
		return exitFailed
	}
}

// report tells on stderr why a command failed.
func report(stderr io.Writer, command *cobra.Command, err error) {
	p, refused := asProblem(err)
	switch {
	case err == nil:
	case refused:
		fmt.Fprint(stderr, p.text())
	case isUsage(err):
		fmt.Fprintf(stderr, "entrepot: %s\nSee %s --help.\n", printableLines(err.Error()), command.CommandPath())
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "entrepot: interrupted")
	default:
		fmt.Fprintf(stderr, "entrepot: %s\n", printableLines(err.Error()))
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version of this program", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "entrepot", version())
			return err
		}}
}

// version is what the build knows about itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = " " + s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = " modified"
		}
	}
	return strings.Trim(info.Main.Version, "()") + revision + dirty + " " + info.GoVersion
}
