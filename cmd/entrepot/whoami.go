package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"entrepot/access"
)

func whoamiCommand() *cobra.Command {
	c := &cobra.Command{Use: "whoami", Short: "Show who the token says you are", Args: cobra.NoArgs}
	return online(c, askTimeout, func(s *session, _ []string) error {
		var p access.Principal
		return s.ask(get("v1", "whoami"), &p, func() string {
			return fmt.Sprintf("%s of %s: %s\n", printable(p.ID), printable(p.Organisation), printable(join(p.Roles)))
		})
	})
}

// join lists words.
func join[T ~string](words []T) string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	return strings.Join(list, ", ")
}
