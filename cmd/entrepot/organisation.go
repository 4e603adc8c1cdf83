package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"entrepot/access"
)

func organisationCommand() *cobra.Command {
	return noun("organisation", "Partners, with the jurisdiction they are in", organisationPut(), organisationGet())
}

func organisationPut() *cobra.Command {
	c := &cobra.Command{Use: "put ORGANISATION", Short: "Register a partner, or change its title or jurisdiction (operators)", Args: cobra.ExactArgs(1),
		Example: `  entrepot organisation put kr_edu --title "Korean Education Institute" --jurisdiction KR`}
	title := c.Flags().String("title", "", "its name, for people")
	jurisdiction := c.Flags().String("jurisdiction", "", "ISO 3166-1 alpha-2 code, such as KR")
	c.MarkFlagsRequiredTogether("title", "jurisdiction")
	c.MarkFlagsOneRequired("title", "jurisdiction")
	return online(c, askTimeout, func(s *session, args []string) error {
		if err := oneID("an organisation", args[0]); err != nil {
			return err
		}
		var o access.Organisation
		return s.put(access.Organisation{ID: args[0], Title: *title, Jurisdiction: *jurisdiction}, &o,
			func() string { return organisationText(o) }, "v1", "organisations", args[0])
	})
}

func organisationGet() *cobra.Command {
	c := &cobra.Command{Use: "get ORGANISATION", Short: "Show a partner", Args: cobra.ExactArgs(1)}
	return online(c, askTimeout, func(s *session, args []string) error {
		if err := oneID("an organisation", args[0]); err != nil {
			return err
		}
		var o access.Organisation
		return s.ask(get("v1", "organisations", args[0]), &o, func() string { return organisationText(o) })
	})
}

func organisationText(o access.Organisation) string {
	return fmt.Sprintf("%s: %s, in %s\n", printable(o.ID), printable(o.Title), printable(o.Jurisdiction))
}
