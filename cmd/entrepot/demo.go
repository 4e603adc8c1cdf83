package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"entrepot/access"
)

//go:embed demo/*.yaml
var demoFiles embed.FS

// demoPeople are who acts in the demonstration, each with a token of its own.
var demoPeople = []access.Principal{
	{ID: "platform/admin", Organisation: "platform", Roles: []access.Role{access.Operator, access.Manager}},
	{ID: "kr_edu/data_office", Organisation: "kr_edu", Roles: []access.Role{access.Owner}},
	{ID: "uk_uni/data_office", Organisation: "uk_uni", Roles: []access.Role{access.Owner}},
	{ID: "sg_lab/mina", Organisation: "sg_lab", Roles: []access.Role{access.Researcher}},
}

// demoCommand runs a server with generated tables of three organisations and asks across a border.
// Every step is a command that the reader could type.
func demoCommand() *cobra.Command {
	var addr string
	var stay bool
	c := &cobra.Command{Use: "demo", Short: "Start a server with generated tables and ask one question across a border", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			dir, err := os.MkdirTemp("", "entrepot-demo-")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
			d := &demo{dir: dir, out: cmd.OutOrStdout(), err: cmd.ErrOrStderr()}
			d.main = Main{Notice: io.Discard, Log: slog.New(slog.NewTextHandler(d.err, &slog.HandlerOptions{Level: slog.LevelWarn})),
				Config: Config{Data: filepath.Join(dir, "data"), Addr: addr, Audience: "entrepot", Deadline: 30 * time.Second,
					MemoryMB: 1024, Threads: 2, Parallel: 4, UploadLimit: 1 << 30, Rate: 50, Burst: 200}}
			defer func() { err = errors.Join(err, d.main.Close()) }()
			if err := d.main.Run(cmd.Context()); err != nil {
				return err
			}
			if err := d.play(cmd.Context()); err != nil {
				return err
			}
			if !stay {
				return nil
			}
			d.invite()
			return d.main.Wait(cmd.Context())
		}}
	c.Flags().StringVar(&addr, "addr", "127.0.0.1:8080", "address to listen on")
	c.Flags().BoolVar(&stay, "stay", isTerminal(os.Stdout), "keep serving until interrupted; by default on a terminal")
	return c
}

// demo is one demonstration.
type demo struct {
	main     Main
	dir      string
	out, err io.Writer
}

// The questions of the demonstration.
const (
	demoAcross = `SELECT gender, COUNT(*) AS students, AVG(math) AS maths FROM kr_edu.students GROUP BY gender`
	demoMany   = `SELECT module, COUNT(DISTINCT learner_id) AS learners, AVG(score) AS score FROM uk_uni.assessments GROUP BY module`
	demoSmall  = `SELECT region, COUNT(*) AS students FROM kr_edu.students GROUP BY region ORDER BY students DESC`
)

func (d *demo) play(ctx context.Context) error {
	if err := d.prepare(); err != nil {
		return err
	}
	quiet, shown := io.Discard, d.out
	admin, kr, uk, mina := demoPeople[0], demoPeople[1], demoPeople[2], demoPeople[3]
	for _, step := range []struct {
		say  string
		who  access.Principal
		out  io.Writer
		exit int
		args []string
	}{
		{"Three partners join: a Korean and a British data owner, a lab in Singapore.", admin, quiet, 0, []string{"organisation", "put", "kr_edu", "--title", "Education office", "--jurisdiction", "KR"}},
		{"", admin, quiet, 0, []string{"organisation", "put", "uk_uni", "--title", "University", "--jurisdiction", "GB"}},
		{"", admin, quiet, 0, []string{"organisation", "put", "sg_lab", "--title", "Learning lab", "--jurisdiction", "SG"}},
		{"The owners declare their (generated) tables, upload rows, and set policies and budgets.", kr, quiet, 0, []string{"dataset", "register", "kr_edu.students", "-f", d.file("students.yaml")}},
		{"", kr, quiet, 0, []string{"dataset", "upload", "kr_edu.students", d.file("students.csv")}},
		{"", kr, quiet, 0, []string{"policy", "put", "kr_edu.students", "-f", d.file("students-policy.yaml")}},
		{"", kr, quiet, 0, []string{"account", "open", "kr_edu/student", "--epsilon", "10", "--delta", "1e-6"}},
		{"", uk, quiet, 0, []string{"dataset", "register", "uk_uni.assessments", "-f", d.file("assessments.yaml")}},
		{"", uk, quiet, 0, []string{"dataset", "upload", "uk_uni.assessments", d.file("assessments.csv")}},
		{"", uk, quiet, 0, []string{"policy", "put", "uk_uni.assessments", "-f", d.file("assessments-policy.yaml")}},
		{"", uk, quiet, 0, []string{"account", "open", "uk_uni/learner", "--epsilon", "10", "--delta", "1e-6"}},
		{"The programme opens two projects: research, and one whose purpose is marketing.", admin, quiet, 0, []string{"project", "put", "maths_gap", "-f", d.file("maths_gap.yaml")}},
		{"", admin, quiet, 0, []string{"project", "put", "tutoring_ads", "-f", d.file("tutoring_ads.yaml")}},
		{"Mina, in Singapore, asks about students in Korea.", mina, shown, 0, []string{"query", "--project", "maths_gap", "--epsilon", "1", demoAcross}},
		{"Again: the same release, free.", mina, shown, 0, []string{"query", "--project", "maths_gap", "--epsilon", "1", demoAcross}},
		{"Regions have no public list, so small ones stay hidden (this needs δ).", mina, shown, 0, []string{"query", "--project", "maths_gap", "--epsilon", "1", "--delta", "1e-8", demoSmall}},
		{"About learners in Britain, who have several rows each.", mina, shown, 0, []string{"query", "--project", "maths_gap", "--epsilon", "1", demoMany}},
		{"Her first question, asked for marketing, is denied with its reason, and logged.", mina, shown, exitRefused, []string{"query", "--project", "tutoring_ads", "--epsilon", "1", demoAcross}},
		{"The programme manager takes the log away and checks it offline: entries, tree, signature, every charge.", admin, shown, 0, []string{"audit", "export", d.file("log.export")}},
		{"", admin, shown, 0, []string{"audit", "verify", d.file("log.export"), "--key", d.verifierKey()}},
	} {
		if step.say != "" {
			fmt.Fprintf(d.out, "\n# %s\n", step.say)
		}
		if step.out == d.out {
			fmt.Fprintf(d.out, "$ entrepot %s\n", commandLine(step.args))
		}
		args := append([]string{"--url", d.main.URL, "--token-file", d.tokenFile(step.who)}, step.args...)
		errs := step.out
		if step.out == quiet {
			errs = d.err
		}
		if code := execute(ctx, args, strings.NewReader(""), step.out, errs); code != step.exit {
			return fmt.Errorf("%s ended with %d, expected %d", commandLine(step.args), code, step.exit)
		}
	}
	return nil
}

// prepare writes the documents, the tables and the tokens that the commands name.
func (d *demo) prepare() error {
	names, err := fs.Glob(demoFiles, "demo/*.yaml")
	if err != nil {
		return err
	}
	files := map[string][]byte{"students.csv": demoStudents(), "assessments.csv": demoAssessments()}
	for _, name := range names {
		if files[filepath.Base(name)], err = demoFiles.ReadFile(name); err != nil {
			return err
		}
	}
	issuer, err := access.NewIssuer(d.main.keys.token, tokenIssuer, d.main.Config.Audience, time.Now)
	if err != nil {
		return err
	}
	for _, p := range demoPeople {
		token, err := issuer.Issue(p, 24*time.Hour)
		if err != nil {
			return err
		}
		files[filepath.Base(d.tokenFile(p))] = []byte(token)
	}
	for name, content := range files {
		if err := os.WriteFile(d.file(name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) file(name string) string { return filepath.Join(d.dir, name) }

func (d *demo) tokenFile(p access.Principal) string {
	return d.file(strings.ReplaceAll(p.ID, "/", "-") + ".token")
}

func (d *demo) verifierKey() string {
	signer, err := d.main.keys.signer()
	if err != nil {
		return ""
	}
	return signer.VerifierKey()
}

func (d *demo) invite() {
	fmt.Fprintf(d.out, `
# The server runs at %[1]s until you press Ctrl-C. In another terminal:
export ENTREPOT_URL=%[1]s ENTREPOT_TOKEN=$(cat %[2]s)
./bin/entrepot dataset list
./bin/entrepot estimate --project maths_gap --epsilon 0.5 "SELECT AVG(math) AS maths FROM kr_edu.students WHERE gender = 'female'"
./bin/entrepot query --project maths_gap --epsilon 0.5 "SELECT AVG(math) AS maths FROM kr_edu.students WHERE gender = 'female'"
./bin/entrepot account list
`, d.main.URL, d.tokenFile(demoPeople[3]))
}

// commandLine writes arguments as a shell would read them.
func commandLine(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		if strings.ContainsAny(a, " *()'+") {
			a = `"` + a + `"`
		}
		quoted[i] = a
	}
	return strings.Join(quoted, " ")
}
