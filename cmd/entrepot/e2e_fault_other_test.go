//go:build !(linux && amd64)

package main

import "testing"

func TestFaults(t *testing.T) {
	t.Skip("skipped: the process that fails system calls is written for Linux on amd64")
}
