//go:build !unix

package main

import "io"

// terminalWidth is 0: tables are not fitted and no progress is shown here.
func terminalWidth(io.Writer) int { return 0 }
