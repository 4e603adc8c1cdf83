package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// watchSyncs looks every 5 ms whether a thread of this process is within fsync or fdatasync. It returns what
// ends that and tells how often one was.
func watchSyncs() (end func() (share float64, ok bool)) {
	stop, result := make(chan struct{}), make(chan [2]int)
	go func() {
		var looks, hits int
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				result <- [2]int{looks, hits}
				return
			case <-tick.C:
				looks++
				if syncing() {
					hits++
				}
			}
		}
	}()
	return func() (float64, bool) {
		close(stop)
		n := <-result
		return float64(n[1]) / float64(max(n[0], 1)), n[0] > 0
	}
}

// syncing reports whether a thread is within fsync or fdatasync.
func syncing() bool {
	threads, err := filepath.Glob("/proc/self/task/*/syscall")
	if err != nil {
		return false
	}
	for _, path := range threads {
		call, _ := os.ReadFile(path) // a thread may have ended
		number, _, _ := strings.Cut(string(call), " ")
		if number == fmt.Sprint(syscall.SYS_FSYNC) || number == fmt.Sprint(syscall.SYS_FDATASYNC) {
			return true
		}
	}
	return false
}
