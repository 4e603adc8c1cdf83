package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// benchQuestion is asked fresh each time: decided, charged, computed, drawn and stored, with two durable
// transactions.
var benchQuestion = `{"project": "study", "fresh": true, "loss": {"epsilon": "0.0003"},
  "sql": "SELECT gender, COUNT(*) AS students, AVG(math) AS maths FROM kr_edu.students GROUP BY gender"}`

// BenchmarkRelease measures PISA Korea (5,444 rows) over REST at 1, 8 and 64 clients: p50 and p99 of fresh
// releases, releases per second with every one durable, and p50 as a ratio to a request that only
// verifies a token, in the same run.
func BenchmarkRelease(b *testing.B) {
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			s := registerReal(b)
			c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
			token, requests := s.researcher(), 1000
			s.load(c, token, "GET", "/v1/whoami", "", clients, 100)
			reference := s.load(c, token, "GET", "/v1/whoami", "", clients, requests)
			s.load(c, token, "POST", "/v1/queries", benchQuestion, clients, 100)
			b.ResetTimer()
			for range b.N {
				begun := time.Now()
				took := s.load(c, token, "POST", "/v1/queries", benchQuestion, clients, requests)
				b.ReportMetric(float64(requests)/time.Since(begun).Seconds(), "releases/s")
				b.ReportMetric(milliseconds(took, 0.50), "p50_ms")
				b.ReportMetric(milliseconds(took, 0.99), "p99_ms")
				b.ReportMetric(milliseconds(took, 0.50)/milliseconds(reference, 0.50), "x_whoami_p50")
			}
		})
	}
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
func (s *server) load(c *http.Client, token, method, path, body string, clients, requests int) []time.Duration {
	s.Helper()
	took, all := make([]time.Duration, requests), sync.WaitGroup{}
	for client := range clients {
		all.Go(func() {
			for i := client; i < requests; i += clients {
				begun := time.Now()
				if err := s.once(c, token, method, path, body); err != nil {
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
