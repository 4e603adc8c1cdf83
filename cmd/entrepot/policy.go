package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"entrepot/access"
	"entrepot/sandbox"
)

func policyCommand() *cobra.Command {
	return noun("policy", "Who may ask what of a table, and why", policyPut(), policyGet(), policyExplain())
}

func policyPut() *cobra.Command {
	c := &cobra.Command{Use: "put -f FILE ORGANISATION.NAME", Short: "Decide who may ask what of a table (owners)", Args: cobra.ExactArgs(1),
		Long: `Put a policy document in force. It replaces the policy that is in force; with --if-match only while
that is still the revision you read (policy get and policy put print it).`}
	file := c.Flags().StringP("file", "f", "", "policy, JSON or YAML; - for standard input")
	match := c.Flags().String("if-match", "", `revision that is replaced, 0 for a first policy (default: the one in force)`)
	_ = c.MarkFlagRequired("file")
	return online(c, askTimeout, func(s *session, args []string) error {
		org, name, err := pair("a dataset", ".", args[0])
		if err != nil {
			return err
		}
		text, contentType, err := s.document(*file)
		if err != nil {
			return err
		}
		path := []string{"v1", "datasets", org, name, "policy"}
		tag, err := s.policyTag(*match, path)
		if err != nil {
			return err
		}
		r := send(http.MethodPut, text, contentType, path...)
		if tag != "" {
			r.header = http.Header{"If-Match": {tag}}
		}
		var now struct {
			Dataset  string `json:"dataset"`
			Revision int64  `json:"revision"`
		}
		return s.ask(r, &now, func() string {
			return fmt.Sprintf("The policy of %s is at revision %d.\n", printable(now.Dataset), now.Revision)
		})
	})
}

// policyTag is the ETag of the policy to replace, "" for a first one.
func (s *session) policyTag(match string, path []string) (string, error) {
	switch {
	case match == "0":
		return "", nil
	case match != "":
		return `"` + strings.Trim(match, `"`) + `"`, nil
	}
	_, header, err := s.client.fetch(s.ctx, get(path...), nil)
	if p, ok := asProblem(err); ok && p.Code == sandbox.CodeNotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return header.Get("ETag"), nil
}

func policyGet() *cobra.Command {
	c := &cobra.Command{Use: "get ORGANISATION.NAME", Short: "Show the policy in force (owners, managers, regulators)", Args: cobra.ExactArgs(1)}
	return online(c, askTimeout, func(s *session, args []string) error {
		org, name, err := pair("a dataset", ".", args[0])
		if err != nil {
			return err
		}
		var p access.Policy
		raw, header, err := s.client.fetch(s.ctx, get("v1", "datasets", org, name, "policy"), &p)
		if err != nil {
			return err
		}
		return s.show(raw, func() string { return policyText(p, header.Get("ETag"), s.width()) })
	})
}

func policyText(p access.Policy, tag string, limit int) string {
	text := fmt.Sprintf("Revision %s; groups of fewer than %d units are never listed.\n", printable(strings.Trim(tag, `"`)), max(1, p.PreThreshold))
	if p.Description != "" {
		text += printableLines(p.Description) + "\n"
	}
	t := table{columns: columns("rule", "effect", "organisations", "roles", "jurisdictions", "purposes", "projects", "actions", ">max ε", "valid")}
	for _, r := range p.Rules {
		limit := ""
		if r.MaxEpsilonPerQuery > 0 {
			limit = r.MaxEpsilonPerQuery.String()
		}
		t.add(r.ID, string(r.Effect), join(r.Organisations), join(r.Roles), join(r.Jurisdictions), join(r.Purposes),
			join(r.Projects), join(r.Actions), limit, period(r.NotBefore, r.NotAfter))
	}
	return text + "\n" + t.text(limit)
}
