package main

import (
	"net/http"
	"testing"
)

// BenchmarkEstimate measures estimates on PISA Korea over REST from one client, the price of a loss and the loss of an
// accuracy: p50 and p99, and p50 as a ratio to a request that only verifies a token, in the same run. The aim
// is a p99 of 5 ms.
func BenchmarkEstimate(b *testing.B) {
	const (
		question = `{"project": "study", "sql": "SELECT gender, COUNT(*) AS students, AVG(math) AS maths FROM kr_edu.students GROUP BY gender", `
		wide     = `{"project": "study", "sql": "SELECT gender, COUNT(*) AS students, AVG(math) AS maths, STDDEV(math) AS spread, SUM(math) AS total FROM kr_edu.students GROUP BY gender", `
		requests = 1000
	)
	s := registerReal(b)
	c, token := &http.Client{}, s.researcher()
	always := func(text string) func(int) string { return func(int) string { return text } }
	for _, test := range []struct{ name, body string }{
		{"loss", question + `"loss": {"epsilon": "0.5"}}`},
		{"rho", question + `"loss": {"rho": "0.001", "gaussian_delta": "1e-9"}}`},
		{"accuracy", question + `"accuracy": {"half_width": {"students": 50, "maths": 5}}, "group_size": 2000}`},
		{"wide", wide + `"accuracy": {"half_width": {"students": 50, "maths": 5, "spread": 20, "total": 50000}}, "group_size": 2000}`},
	} {
		b.Run(test.name, func(b *testing.B) {
			reference := s.load(c, token, "GET", "/v1/whoami", always(""), 1, requests)
			s.load(c, token, "POST", "/v1/estimates", always(test.body), 1, 50)
			b.ResetTimer()
			for range b.N {
				took := s.load(c, token, "POST", "/v1/estimates", always(test.body), 1, requests)
				b.ReportMetric(milliseconds(took, 0.50), "p50_ms")
				b.ReportMetric(milliseconds(took, 0.99), "p99_ms")
				b.ReportMetric(milliseconds(took, 0.50)/milliseconds(reference, 0.50), "x_whoami_p50")
			}
		})
	}
}
