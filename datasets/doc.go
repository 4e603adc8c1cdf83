// Package datasets turns an owner's table into canonical rows: it reads what the owner declares about
// the table, and maps an upload onto the declaration.
//
// # What it promises
//
// A declaration is a set of public facts. ParseDeclaration accepts only what means one thing: unknown
// keys, keys given twice and keys that differ only in case are errors, numbers are exact decimals,
// and bounds lie on the grid of their resolution. Nothing in it is ever computed from rows.
//
// A table holds rows of privacy units, or it is declared public: facts about nobody, such as one row
// for each country and year, which nothing protects and no budget pays for. Public is the owner's word;
// it cannot be checked. What is checked is that its rows have different keys.
//
// Ingest is a total map, unit by unit. What becomes of a row depends on the declaration, the key of
// the unit space and that row alone; which rows of a unit are kept depends on that unit's own rows
// alone. Removing all rows of one privacy ID changes no other unit's stored rows, but for the
// ordinal _ord, which is a position in the file. The order of the upload does not matter, nor does
// its format: the same rows give the same bytes. Rules, each with its test in TestTotalMap,
// TestCanonicalForm, TestCanonicalRows or TestPublicTable:
//
//	privacy ID     canonical form (Unicode NFC; then outer white space, case and leading zeros as
//	               declared; an int64 is its decimal digits), then the first 128 bits of HMAC-SHA256
//	               under the unit space's key. Without one (NULL, empty, unusable): the row is dropped.
//	number         the exact decimal; a float64 stands for the shortest decimal that reads back as it,
//	               so 0.15 is the same in Parquet and CSV. Text is [+-]digits[.digits][e…].
//	float64        value / resolution rounded half away from zero, exactly, then clamped.
//	int64          whole numbers only, 7.0 among them; 7.5 → NULL. A coarser resolution rounds as above.
//	out of range   clamped to the nearer bound, however large, 1e999 as text among them. A key without
//	               bounds has none to clamp to: beyond int64 → NULL.
//	NaN, ±Inf      NULL; minus zero is zero.
//	string         any value as its text; invalid UTF-8, a NUL, more than 1,024 bytes → NULL.
//	bool           true/false, t/f, yes/no, y/n in any case, 1/0; anything else → NULL.
//	date           a date, a timestamp's UTC day, or YYYY-MM-DD; outside years 1 … 9999 → NULL.
//	timestamp      to UTC microseconds, finer digits cut off; without a zone it is UTC; ISO 8601 text;
//	               outside years 1 … 9999 → NULL.
//	earliest,      where declared, an earlier or later date or timestamp is clamped to the nearer of them;
//	latest         one outside years 1 … 9999 is NULL even so.
//	cannot be cast NULL.
//	NULL           in a column that is not declared nullable, the row is dropped. In CSV an empty
//	               field is NULL, and for other types than string one of white space.
//	public table   has no privacy ID: no row is dropped for want of one, and none for being too many.
//	many rows      of a unit's rows, the max_rows_per_unit first by (hash of unit and content, content)
//	               are kept. The hash has no key.
//	hidden         columns are not read; they may be missing. Undeclared columns are dropped.
//
// A public table is refused where two rows, as they would be stored, agree in all columns of
// Declaration.Unique (ErrDuplicates): a join on those columns then finds at most one row, and multiplies
// nothing that a unit contributes. Rows that are alike altogether are duplicates, too. This is decided
// over the whole upload, by sorting, in the memory that any other upload has.
//
// The canonical file is Parquet: UnitColumn, OrdinalColumn, RankColumn, then keys and measures in
// declared order, sorted by unit and rank; a measure is its steps as INT64, a timestamp has no zone
// and is UTC. A public table has no UnitColumn; its rows are sorted by the values of
// Declaration.Unique, OrdinalColumn numbers them from 0, and RankColumn is 1. The file appears whole
// or not at all, and durably. The original privacy IDs are in no file that is left, the temporary ones
// included.
//
// The Report is exact and quotes cells. It is for the owner alone. Errors quote no cell, but for the
// keys of a public table's duplicates, and no name that only the file has. Still, strict mode, refusing
// a file and reading one are the owner's own acts, outside what analysts are promised: an error may
// tell the owner that some row is damaged.
//
// # What it does not promise
//
// A hostile file cannot make Ingest panic, loop over pages, exceed its memory limits by what it claims
// to hold, or leave a partial file. But Arrow's decoders are other people's code, with assembly
// and with decompressors that trust a frame's size; what they might do to the process is bounded by
// running Ingest in one of its own, with limits on memory and time. A CSV or IPC file that was cut
// is detected where its format makes that possible: CSV cut between two rows is not.
//
// # Who may call it
//
// The use cases that register datasets, on behalf of the owner. It imports nothing of privacy, access
// or sandbox: a table knows nothing of who asks.
package datasets
