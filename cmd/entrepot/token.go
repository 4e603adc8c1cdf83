package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"entrepot/access"
)

const defaultTokenLife = "30d"

func tokenCommand() *cobra.Command {
	c := &cobra.Command{Use: "token --data DIR --organisation ORG --name NAME --role ROLE", Short: "Issue a token, with the deployment's own key", Args: cobra.NoArgs,
		Long: fmt.Sprintf(`Issue a token for somebody of an organisation. It needs the deployment's keys, not its server, and
prints the token alone. A token cannot be called back before it expires: prefer short lives (at most %d days).`,
			int(access.MaxTokenLife/(24*time.Hour))),
		Example: `  export ENTREPOT_TOKEN=$(entrepot token --organisation lab_sg --name ada --role researcher --ttl 8h)`}
	f := c.Flags()
	data := f.String("data", "entrepot-data", "folder of the deployment")
	organisation := f.String("organisation", "", "whose member it is")
	name := f.String("name", "", "its name there")
	roles := f.StringSlice("role", nil, strings.Join(roleNames(), ", ")+"; several are allowed")
	choices(c, "role", roleNames()...)
	life := f.String("ttl", defaultTokenLife, "how long it is valid, such as 24h or 30d")
	audience := f.String("audience", defaultAudience, "the server's --audience")
	for _, required := range []string{"organisation", "name", "role"} {
		_ = c.MarkFlagRequired(required)
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := oneID("an organisation", *organisation); err != nil {
			return err
		}
		if err := oneID("a principal", *name); err != nil {
			return err
		}
		ttl, err := duration(*life)
		if err != nil {
			return err
		}
		keys, err := readKeyring(filepath.Join(*data, keysDir))
		if err != nil {
			return err
		}
		issuer, err := access.NewIssuer(keys.token, tokenIssuer, *audience, time.Now)
		if err != nil {
			return usage("%w", err)
		}
		token, err := issuer.Issue(access.Principal{ID: *organisation + "/" + *name, Organisation: *organisation, Roles: rolesOf(*roles)}, ttl)
		if err != nil {
			return usage("%w", err)
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), token)
		return err
	}
	return c
}

// defaultAudience is that of serveFlags.
const defaultAudience = "entrepot"

// duration reads days, which Go's durations do not have, or a Go duration.
func duration(s string) (time.Duration, error) {
	const longest = 10_000 // days, far above any limit and far below what overflows
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil || n > longest {
			return 0, usage("--ttl %q is not a number of days", printable(s))
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, usage("--ttl %q is not a duration such as 8h or 30d", printable(s))
	}
	return d, nil
}
