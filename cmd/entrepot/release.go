package main

import (
	"strings"

	"github.com/spf13/cobra"

	"entrepot/sandbox"
)

func releaseCommand() *cobra.Command {
	return noun("release", "Answers that were given: they cost nothing to read again", releaseList(), releaseGet())
}

func releaseList() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List the releases that you may read, newest first", Args: cobra.NoArgs}
	return online(c, askTimeout, func(s *session, _ []string) error {
		var list struct {
			Releases []sandbox.ReleaseInfo `json:"releases"`
		}
		return s.ask(get("v1", "releases"), &list, func() string {
			t := table{columns: columns("release", "time", "who", "project", "charged")}
			for _, r := range list.Releases {
				charged := []string{}
				for _, c := range r.Charged {
					charged = append(charged, chargeText(c.Account, c.Clocks))
				}
				t.add(r.ID, r.Time, r.Principal, r.Project, strings.Join(charged, "; "))
			}
			return t.text(s.width())
		})
	})
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
