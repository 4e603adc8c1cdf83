package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// maxToken is the longest token file [bytes].
const maxToken = 16 << 10

const (
	defaultURL  = "http://127.0.0.1:8080"
	askTimeout  = 2 * time.Minute // of a command that waits for one answer
	bulkTimeout = 12 * time.Hour  // of one that moves a table or the log
)

// session is what a command that talks to the server is given.
type session struct {
	ctx    context.Context
	client *client
	json   bool // print what the server sent
	in     io.Reader
	out    io.Writer
	err    io.Writer
}

// addConnection declares how the server is reached. The flags are the root's, so that they may stand
// before a command as well as after it.
func addConnection(f *pflag.FlagSet) {
	f.String("url", "", "the server (default $ENTREPOT_URL or "+defaultURL+")")
	f.String("token-file", "", "file with the token (default $ENTREPOT_TOKEN)")
	f.Bool("insecure", false, "send the token over plain http to another machine")
	f.Bool("json", false, "print what the server sent")
	f.Duration("timeout", 0, "for the whole command (default 2m, uploads and exports 12h)")
}

// online makes c a command that talks to the server.
func online(c *cobra.Command, timeout time.Duration, run func(s *session, args []string) error) *cobra.Command {
	c.RunE = func(cmd *cobra.Command, args []string) error {
		s, limit, err := connect(cmd)
		if err != nil {
			return err
		}
		defer s.client.close()
		if limit == 0 {
			limit = timeout
		}
		var cancel context.CancelFunc
		s.ctx, cancel = context.WithTimeout(cmd.Context(), limit)
		defer cancel()
		err = run(s, args)
		if p, ok := asProblem(err); ok {
			p.json = s.json
		}
		return err
	}
	return c
}

// connect reads the flags of addConnection and the environment. Nothing is sent.
func connect(cmd *cobra.Command) (*session, time.Duration, error) {
	f := cmd.Flags()
	base, err1 := f.GetString("url")
	tokenFile, err2 := f.GetString("token-file")
	insecure, err3 := f.GetBool("insecure")
	asJSON, err4 := f.GetBool("json")
	limit, err5 := f.GetDuration("timeout")
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, 0, err
	}
	if limit < 0 {
		return nil, 0, usage("--timeout must be positive, e.g. 30s")
	}
	token, err := readToken(tokenFile)
	if err != nil {
		return nil, 0, err
	}
	c, err := newClient(firstOf(base, os.Getenv("ENTREPOT_URL"), defaultURL), token, insecure)
	return &session{client: c, json: asJSON, in: cmd.InOrStdin(), out: cmd.OutOrStdout(), err: cmd.ErrOrStderr()}, limit, err
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// readToken takes the token from a file or the environment, never from an argument: other users of
// the machine can read those.
func readToken(path string) (string, error) {
	text := os.Getenv("ENTREPOT_TOKEN")
	where := "ENTREPOT_TOKEN"
	if path != "" {
		b, err := readFile(path, maxToken)
		if err != nil {
			return "", err
		}
		text, where = string(b), path
	}
	token := strings.TrimSpace(text)
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", usage("%s does not hold a token: a token is one word", where)
	}
	if path != "" && token == "" {
		return "", usage("%s is empty", where)
	}
	return token, nil
}

// ask makes a request and decodes its answer into v, then prints it: as it came with --json, else as
// render writes it.
func (s *session) ask(r call, v any, render func() string) error {
	raw, _, err := s.client.fetch(s.ctx, r, v)
	if err != nil {
		return err
	}
	return s.show(raw, render)
}

// show prints an answer that was read.
func (s *session) show(raw []byte, render func() string) error {
	if s.json {
		return s.print(strings.TrimRight(string(raw), "\n") + "\n")
	}
	return s.print(render())
}

func (s *session) print(text string) error {
	_, err := io.WriteString(s.out, text)
	return err
}

// width is that of the terminal that the answer goes to; 0 when it goes elsewhere.
func (s *session) width() int { return terminalWidth(s.out) }

// put sends v as JSON and prints the answer.
func (s *session) put(body, answer any, render func() string, path ...string) error {
	r, err := sendJSON(http.MethodPut, body, path...)
	if err != nil {
		return err
	}
	return s.ask(r, answer, render)
}

// indented is a document for people.
func indented(v any) string {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err.Error() + "\n"
	}
	return printableLines(string(b)) + "\n"
}
