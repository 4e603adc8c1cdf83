package main

import (
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"entrepot/access"
)

func projectCommand() *cobra.Command {
	return noun("project", "What partners work on together: no project, no question", projectPut(), projectGet())
}

func projectPut() *cobra.Command {
	c := &cobra.Command{Use: "put PROJECT", Short: "Open a project or change it (managers)", Args: cobra.ExactArgs(1),
		Long: "Open a project or change it, from a JSON or YAML document or from flags. What is put replaces what was there.",
		Example: `  entrepot project put maths_gap -f maths_gap.yaml
  entrepot project put maths_gap --title "Maths gap" --member kr_edu,lab_sg --purpose dpv:ScientificResearch \
    --dataset kr_edu.students --from 2026-01-01 --until 2027-01-01`}
	f := c.Flags()
	file := f.StringP("file", "f", "", "document to put, - for standard input")
	title := f.String("title", "", "its name, for people")
	members := f.StringSlice("member", nil, "organisations that take part")
	purpose := f.String("purpose", "", "a purpose of the Data Privacy Vocabulary, such as dpv:ScientificResearch")
	datasets := f.StringSlice("dataset", nil, "datasets it may ask of, organisation.name")
	agreements := f.StringArray("agreement", nil, `what it puts to work, such as "KSDPA 14.25"`)
	from := f.String("from", "", "first day, or time (RFC 3339)")
	until := f.String("until", "", "day, or time, at which it has ended")
	for _, name := range []string{"title", "member", "purpose", "dataset", "agreement", "from", "until"} {
		c.MarkFlagsMutuallyExclusive("file", name)
	}
	c.MarkFlagsOneRequired("file", "title")
	return online(c, askTimeout, func(s *session, args []string) error {
		if err := oneID("a project", args[0]); err != nil {
			return err
		}
		var j access.Project
		show := func() string { return projectText(j) }
		if *file != "" {
			text, contentType, err := s.document(*file)
			if err != nil {
				return err
			}
			return s.ask(send(http.MethodPut, text, contentType, "v1", "projects", args[0]), &j, show)
		}
		p := access.Project{ID: args[0], Title: *title, Members: *members, Purpose: *purpose, Datasets: *datasets, Agreements: *agreements}
		var err error
		if p.NotBefore, err = day("--from", *from); err != nil {
			return err
		}
		if p.NotAfter, err = day("--until", *until); err != nil {
			return err
		}
		return s.put(p, &j, show, "v1", "projects", args[0])
	})
}

// day reads a date, as its midnight in UTC, or a time.
func day(flag, s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, usage("%s %q is neither a day like 2026-01-31 nor a time like 2026-01-31T00:00:00Z", flag, s)
	}
	return t.UTC(), nil
}

func projectGet() *cobra.Command {
	c := &cobra.Command{Use: "get PROJECT", Short: "Show a project", Args: cobra.ExactArgs(1)}
	return online(c, askTimeout, func(s *session, args []string) error {
		if err := oneID("a project", args[0]); err != nil {
			return err
		}
		var j access.Project
		return s.ask(get("v1", "projects", args[0]), &j, func() string { return projectText(j) })
	})
}

func projectText(j access.Project) string {
	t := table{columns: columns("project", printable(j.ID))}
	t.add("title", j.Title)
	t.add("purpose", j.Purpose)
	t.add("members", join(j.Members))
	t.add("datasets", join(j.Datasets))
	t.add("agreements", join(j.Agreements))
	t.add("from", j.NotBefore.UTC().Format(time.RFC3339))
	t.add("until", j.NotAfter.UTC().Format(time.RFC3339))
	return t.text(0)
}
