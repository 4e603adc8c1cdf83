package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"entrepot/datasets"
	"entrepot/sandbox"
)

func datasetCommand() *cobra.Command {
	return noun("dataset", "Tables: what their owner declared about them, and uploads",
		datasetRegister(), datasetUpload(), datasetList(), datasetGet(), datasetReport())
}

func datasetRegister() *cobra.Command {
	c := &cobra.Command{Use: "register -f FILE ORGANISATION.NAME", Short: "Declare a table: whose privacy, which columns, which bounds (owners)",
		Args: cobra.ExactArgs(1)}
	file := c.Flags().StringP("file", "f", "", "declaration, JSON or YAML; - for standard input")
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
		var d sandbox.Dataset
		return s.ask(send(http.MethodPut, text, contentType, "v1", "datasets", org, name), &d,
			func() string { return datasetText(d, s.width()) })
	})
}

func datasetList() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List the tables that you may see", Args: cobra.NoArgs}
	return online(c, askTimeout, func(s *session, _ []string) error {
		var list struct {
			Datasets []sandbox.Dataset `json:"datasets"`
		}
		return s.ask(get("v1", "datasets"), &list, func() string {
			t := table{columns: columns("dataset", ">version", "unit space", "columns", "description")}
			for _, d := range list.Datasets {
				names := []string{}
				for _, c := range d.Declaration.Columns {
					names = append(names, c.Name)
				}
				space := d.Declaration.UnitSpace
				if d.Declaration.Public {
					space = "(public)"
				}
				t.add(d.ID, strconv.FormatInt(d.Version, 10), space, join(names), d.Declaration.Description)
			}
			return t.text(s.width())
		})
	})
}

func datasetGet() *cobra.Command {
	c := &cobra.Command{Use: "get ORGANISATION.NAME", Short: "Show a table's declaration", Args: cobra.ExactArgs(1)}
	return online(c, askTimeout, func(s *session, args []string) error {
		org, name, err := pair("a dataset", ".", args[0])
		if err != nil {
			return err
		}
		var d sandbox.Dataset
		return s.ask(get("v1", "datasets", org, name), &d, func() string { return datasetText(d, s.width()) })
	})
}

func datasetReport() *cobra.Command {
	c := &cobra.Command{Use: "report ORGANISATION.NAME", Short: "Show what the newest upload's values had done to them (owners)", Args: cobra.ExactArgs(1)}
	return online(c, askTimeout, func(s *session, args []string) error {
		org, name, err := pair("a dataset", ".", args[0])
		if err != nil {
			return err
		}
		var v sandbox.Version
		return s.ask(get("v1", "datasets", org, name, "versions", "latest"), &v, func() string { return versionText(v, s.width()) })
	})
}

func datasetText(d sandbox.Dataset, limit int) string {
	var b strings.Builder
	state := fmt.Sprintf("version %d", d.Version)
	if d.Version == 0 {
		state = "no rows yet"
	}
	about := fmt.Sprintf("protects %s, at most %s rows each", d.Declaration.UnitSpace, groupedInt(d.Declaration.MaxRowsPerUnit))
	if d.Declaration.Public {
		about = "public facts, one row for each " + strings.Join(d.Declaration.Unique, ", ")
	}
	fmt.Fprintf(&b, "%s, %s; %s\n", printable(d.ID), state, printable(about))
	if d.Declaration.Description != "" {
		fmt.Fprintln(&b, printable(d.Declaration.Description))
	}
	t := table{columns: columns("column", "type", "role", "values", "category", "description")}
	for _, c := range d.Declaration.Columns {
		t.add(c.Name, string(c.Type), string(c.Role), valuesText(c), c.Category, c.Description)
	}
	b.WriteString("\n" + t.text(limit))
	return b.String()
}

// valuesText says which values a column may have.
func valuesText(c datasets.Column) string {
	parts := []string{}
	if !c.Lower.IsZero() {
		text := c.Lower.String() + " … " + c.Upper.String()
		if !c.Resolution.IsZero() {
			text += " by " + c.Resolution.String()
		}
		parts = append(parts, text)
	}
	if earliest, latest, ok := c.Moments(); ok {
		parts = append(parts, earliest+" … "+latest)
	}
	if len(c.Domain) > 0 {
		values := make([]string, len(c.Domain))
		for i, v := range c.Domain {
			values[i] = fmt.Sprint(v)
		}
		parts = append(parts, strings.Join(values, ", "))
	}
	if c.Nullable {
		parts = append(parts, "or NULL")
	}
	return strings.Join(parts, " ")
}
