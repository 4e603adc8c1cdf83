package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// sameQuestion is asked fresh each time: decided, charged, computed, drawn and stored, with two durable
// transactions.
func sameQuestion(int) string {
	return benchQuestion("")
}

// newQuestion is one that nobody asked before, so that its SQL is unknown, too.
func newQuestion(i int) string {
	return benchQuestion(fmt.Sprintf("WHERE math > %d.%02d", 200+i/100, i%100))
}

func benchQuestion(where string) string {
	return fmt.Sprintf(`{"project": "study", "fresh": true, "loss": {"epsilon": "0.0003"},
		"sql": "SELECT gender, COUNT(*) AS students, AVG(math) AS maths FROM kr_edu.students %s GROUP BY gender"}`, where)
}

// BenchmarkRelease measures PISA Korea (5,444 rows) over REST at 1, 8 and 64 clients, which run in the same process:
// p50 and p99 of fresh releases, releases per second with every one durable, the time of all processors that one
// costs, clients included, and p50 as a ratio to a request that only verifies a token, in the same run. fsync_% is
// the share of time in which a thread is within fsync.
func BenchmarkRelease(b *testing.B) {
	for _, question := range []struct {
		name string
		body func(i int) string
	}{{"same", sameQuestion}, {"new", newQuestion}} {
		for _, clients := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("question=%s/clients=%d", question.name, clients), func(b *testing.B) {
				s := registerReal(b)
				c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
				token, requests := s.researcher(), 1000
				nothing := func(int) string { return "" }
				s.load(c, token, "GET", "/v1/whoami", nothing, clients, 100)
				reference := s.load(c, token, "GET", "/v1/whoami", nothing, clients, requests)
				next := 0
				ask := func(n int) []time.Duration {
					first := next
					next += n
					return s.load(c, token, "POST", "/v1/queries", func(i int) string { return question.body(first + i) }, clients, n)
				}
				ask(100)
				b.ResetTimer()
				for range b.N {
					begun, used := time.Now(), processorTime()
					took := ask(requests)
					b.ReportMetric(float64(requests)/time.Since(begun).Seconds(), "releases/s")
					b.ReportMetric((processorTime()-used).Seconds()*1000/float64(requests), "cpu_ms")
					b.ReportMetric(milliseconds(took, 0.50), "p50_ms")
					b.ReportMetric(milliseconds(took, 0.99), "p99_ms")
					b.ReportMetric(milliseconds(took, 0.50)/milliseconds(reference, 0.50), "x_whoami_p50")
				}
				b.StopTimer()
				syncing := watchSyncs()
				ask(requests)
				if share, ok := syncing(); ok {
					b.ReportMetric(100*share, "fsync_%")
				}
			})
		}
	}
}

// processorTime is what this process has used of all processors.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkWarmStart measures a start on a data folder that exists: from Run to the first answer.
func BenchmarkWarmStart(b *testing.B) {
	first := registerReal(b)
	data := first.main.Config.Data
	if err := first.main.Close(); err != nil {
		b.Fatal(err)
	}
	first.main.store, first.main.engine, first.main.server = nil, nil, nil
	b.ResetTimer()
	for range b.N {
		begun := time.Now()
		s := startAt(b, data)
		s.must("GET", "/healthz", "", nil)
		b.ReportMetric(float64(time.Since(begun).Microseconds())/1000, "warm_start_ms")
		if err := s.main.Close(); err != nil {
			b.Fatal(err)
		}
		s.main.store, s.main.engine, s.main.server = nil, nil, nil
	}
}

// load sends so many requests from so many clients and returns how long each took, sorted.
func (s *server) load(c *http.Client, token, method, path string, body func(i int) string, clients, requests int) []time.Duration {
	s.Helper()
	took, all := make([]time.Duration, requests), sync.WaitGroup{}
	for client := range clients {
		all.Go(func() {
			for i := client; i < requests; i += clients {
				begun := time.Now()
				if err := s.once(c, token, method, path, body(i)); err != nil {
					s.Error(err)
					return
				}
				took[i] = time.Since(begun)
			}
		})
	}
	all.Wait()
	slices.Sort(took)
	return took
}
func (s *server) once(c *http.Client, token, method, path, body string) error {
	r, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := c.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, answer)
	}
	return err
}

func milliseconds(sorted []time.Duration, quantile float64) float64 {
	return float64(sorted[int(quantile*float64(len(sorted)-1))].Microseconds()) / 1000
}
