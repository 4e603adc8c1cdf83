package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// mergeBody is the body of PUT /v1/accounts/{org}/{space}/merges.
type mergeBody struct {
	With   string `json:"with"`
	Reason string `json:"reason"`
}

type mergeAnswer struct {
	Spaces  []string `json:"spaces"`
	Agreed  []string `json:"agreed"`
	InForce bool     `json:"in_force"`
}

func accountMerge() *cobra.Command {
	c := &cobra.Command{Use: "merge ORGANISATION/SPACE --with ORGANISATION/SPACE --reason WHY", Short: "Agree that two unit spaces hold the same people (owners)", Args: cobra.ExactArgs(1),
		Long: `Agree that another unit space holds the same people. With the two come all spaces that either is merged with
already. It is in force as soon as the owners of all of them have agreed, and never undone: privacy IDs are
hashed under one key, tables can be joined, and a question that touches one space is charged to
the accounts of all. Tables of spaces other than the first by name have to be uploaded again.`,
		Example: `  entrepot account merge kr_edu/student --with kr_edu/child --reason 'the same children in two registers'`}
	var b mergeBody
	c.Flags().StringVar(&b.With, "with", "", "the other unit space")
	c.Flags().StringVar(&b.Reason, "reason", "", "why, for the log")
	for _, name := range []string{"with", "reason"} {
		_ = c.MarkFlagRequired(name)
	}
	return online(c, askTimeout, func(s *session, args []string) error {
		org, space, err := pair("a unit space", "/", args[0])
		if err != nil {
			return err
		}
		var m mergeAnswer
		return s.put(b, &m, func() string { return mergeText(m) }, "v1", "accounts", org, space, "merges")
	})
}

func mergeText(m mergeAnswer) string {
	state := "waits for the other owners"
	if m.InForce {
		state = "in force; a question on one is charged to all"
	}
	return fmt.Sprintf("%s: agreed by %s; %s.\n", printable(strings.Join(m.Spaces, " and ")), printable(strings.Join(m.Agreed, ", ")), state)
}
