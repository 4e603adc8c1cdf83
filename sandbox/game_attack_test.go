package sandbox_test

import (
	"context"
	"sync"

	"entrepot/access"
	"entrepot/privacy"
)

// strategies are the attacker's. Each ends with an account that has no room for its question.
var strategies = map[string]func(*game){
	// The whole account at once, then everything again in vain.
	"one question": func(g *game) {
		for range 3 {
			g.ask(researcher, gameAll, epsilon(1), fresh)
			g.ask(researcher, gameAll, epsilon(1))
		}
	},
	"averaging": func(g *game) {
		for g.ask(researcher, gameAll, epsilon(8), fresh) {
		}
	},
	"differencing": func(g *game) {
		for g.ask(researcher, gameAll, epsilon(6), fresh) && g.ask(peer, gameRest, epsilon(6), fresh) {
		}
	},
	// Every answer is asked for again under its key, under other keys, and by another login.
	"retries": func(g *game) {
		for more := true; more; {
			k := g.key()
			more = g.ask(researcher, gameAll, epsilon(4), fresh, key(k))
			if more {
				g.ask(researcher, gameAll, epsilon(4), fresh, key(k))
				g.ask(researcher, gameAll, epsilon(4), key(g.key()))
				g.ask(logins[1], gameAll, epsilon(4), key(k))
			}
		}
	},
	// The asker hangs up while rows are read, and asks again under the key.
	"timeouts": func(g *game) {
		for more := true; more; {
			k := g.key()
			gone, cancel := context.WithCancel(ctx)
			g.collect.Store(func() { cancel() })
			_, err := g.Submit(gone, researcher, g.question(gameAll, epsilon(4), fresh, key(k)))
			g.collect.Store(func() {})
			cancel()
			more = err == nil
			g.ask(researcher, gameAll, epsilon(4), fresh, key(k))
			g.ask(researcher, gameAll, epsilon(4), key(g.key()))
		}
	},
	"bursts": func(g *game) {
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() { g.ask(logins[i], gameAll, epsilon(3), fresh) })
		}
		all.Wait()
	},
	"two logins": func(g *game) {
		for _, who := range []access.Principal{logins[0], logins[1]} {
			for g.ask(who, gameAll, epsilon(2), fresh, key(g.key())) {
			}
		}
	},
	"new versions": func(g *game) {
		for more := true; more; {
			more = g.ask(researcher, gameAll, epsilon(3))
			g.version()
		}
	},
	// Gaussian noise lives on the Rényi clocks; a pure account refuses it.
	"gaussian noise": func(g *game) {
		for g.ask(researcher, gameAll, privacy.Loss{Rho: 5e9, Mechanism: privacy.Gaussian}, fresh) {
		}
		g.ask(researcher, gameAll, epsilon(1), fresh)
	},
	// One large question, then small ones by whoever still gets an answer.
	"large, then small": func(g *game) {
		g.ask(logins[0], gameAll, privacy.Loss{Epsilon: 6 * privacy.OneEpsilon / 10}, fresh)
		for g.ask(logins[1], gameAll, epsilon(20), fresh) {
		}
	},
	// Everybody asks one question with all of the budget.
	"crowd": func(g *game) {
		for _, who := range logins {
			g.ask(who, gameAll, epsilon(1), fresh)
		}
	},
	"small crowd": func(g *game) {
		for _, who := range logins[:smallCrowd] {
			g.ask(who, gameAll, epsilon(1), fresh)
		}
	},
}
