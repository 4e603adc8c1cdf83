package datasets

// Table is where the rows of one version of a dataset are.
type Table struct {
	Declaration Declaration
	File        string // canonical Parquet
}
