package main

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"entrepot/sandbox"
)

func releaseCommand() *cobra.Command {
	return noun("release", "Answers that were given: they cost nothing to read again", releaseList(), releaseGet())
}

func releaseList() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List questions that were admitted, what they cost and what became of them, newest first", Args: cobra.NoArgs,
		Long: `List admitted questions, newest first: your own, an owner's also those about its unit spaces, and for
managers, regulators and operators all of them. The last line says how to go on, where there are more.`}
	filters := map[string]*string{}
	for name, help := range map[string]string{"account": "only questions that were charged to this account, ORGANISATION/SPACE", "project": "only questions in this project",
		"principal": "only questions that this one asked, ORGANISATION/NAME", "state": "only questions that are released, failed or charged"} {
		filters[name] = c.Flags().String(name, "", help)
	}
	before := c.Flags().Int64("before", 0, "only questions charged before this log entry")
	count := c.Flags().IntP("lines", "n", 50, "how many at most, up to 200")
	choices(c, "state", string(sandbox.Released), string(sandbox.Failed), string(sandbox.Charged))
	return online(c, askTimeout, func(s *session, _ []string) error {
		r := get("v1", "releases")
		r.query = url.Values{"limit": {strconv.Itoa(*count)}}
		for name, value := range filters {
			if *value != "" {
				r.query.Set(name, *value)
			}
		}
		if *before > 0 {
			r.query.Set("before", strconv.FormatInt(*before, 10))
		}
		var list struct {
			Releases []sandbox.ReleaseInfo `json:"releases"`
			Next     int64                 `json:"next"`
		}
		return s.ask(r, &list, func() string { return historyText(list.Releases, list.Next, s.width()) })
	})
}

func historyText(list []sandbox.ReleaseInfo, next int64, limit int) string {
	t := table{columns: columns("release", "time", "who", "project", "purpose", "charged", "question")}
	for _, r := range list {
		id := r.ID
		if r.State != sandbox.Released {
			id = r.Query + " (" + string(r.State) + ")"
		}
		charged := []string{}
		for _, c := range r.Charged {
			charged = append(charged, chargeText(c.Account, c.Clocks))
		}
		t.add(id, r.Time, r.Principal, r.Project, r.Purpose, strings.Join(charged, "; "), r.Question)
	}
	text := t.text(limit)
	if next > 0 {
		text += fmt.Sprintf("There are more: --before %d\n", next)
	}
	return text
}

func releaseGet() *cobra.Command {
	c := &cobra.Command{Use: "get RELEASE", Short: "Show a release by its id or its question's", Args: cobra.ExactArgs(1)}
	return online(c, askTimeout, func(s *session, args []string) error {
		if !strings.HasPrefix(args[0], "rel_") && !strings.HasPrefix(args[0], "qry_") {
			return usage("%q is not the id of a release (rel_…) or a question (qry_…)", printable(args[0]))
		}
		var a sandbox.Answer
		return s.ask(get("v1", "releases", args[0]), &a, func() string { return answerText(a, s.width()) })
	})
}
