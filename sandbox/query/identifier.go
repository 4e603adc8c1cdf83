package query

import "strings"

// identifier writes a name, in quotes where SQL would read it as something else.
func identifier(name string) string {
	if isKeyword(name) {
		return `"` + name + `"`
	}
	return name
}

// isKeyword tells whether a name is one of PostgreSQL's key words that cannot stand for a column
// without quotes, or change meaning there.
func isKeyword(name string) bool {
	switch name {
	case "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "between",
		"bigint", "binary", "bit", "boolean", "both", "case", "cast", "char", "character", "check", "coalesce", "collate",
		"collation", "column", "concurrently", "constraint", "create", "cross", "current_catalog", "current_date",
		"current_role", "current_schema", "current_time", "current_timestamp", "current_user", "dec", "decimal", "default",
		"deferrable", "desc", "distinct", "do", "else", "end", "except", "exists", "extract", "false", "fetch", "float",
		"for", "foreign", "freeze", "from", "full", "grant", "greatest", "group", "grouping", "having", "ilike", "in",
		"initially", "inner", "inout", "int", "integer", "intersect", "interval", "into", "is", "isnull", "join", "json",
		"json_array", "json_arrayagg", "json_exists", "json_object", "json_objectagg", "json_query", "json_scalar",
		"json_serialize", "json_table", "json_value", "lateral", "leading", "least", "left", "like", "limit", "localtime",
		"localtimestamp", "merge_action", "national", "natural", "nchar", "none", "normalize", "not", "notnull", "null",
		"nullif", "numeric", "offset", "on", "only", "or", "order", "out", "outer", "overlaps", "overlay", "placing",
		"position", "precision", "primary", "real", "references", "returning", "right", "row", "select", "session_user",
		"setof", "similar", "smallint", "some", "substring", "symmetric", "system_user", "table", "tablesample", "then",
		"time", "timestamp", "to", "trailing", "treat", "trim", "true", "union", "unique", "user", "using", "values",
		"varchar", "variadic", "verbose", "when", "where", "window", "with", "xmlattributes", "xmlconcat", "xmlelement",
		"xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize", "xmltable":
		return true
	}
	return false
}

// isID tells whether a name is an id: [a-z][a-z0-9_]*, at most 63 bytes.
func isID(name string) bool {
	if name == "" || len(name) > 63 || name[0] < 'a' || name[0] > 'z' {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// quote writes a text constant.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
