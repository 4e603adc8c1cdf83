package main

import (
	"strings"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
)

func scopeText(s ledger.Scope) string {
	var list []string
	for _, part := range []struct{ name, value string }{{"project", s.Project}, {"organisation", s.Organisation}, {"researcher", s.Researcher}} {
		if part.value != "" {
			list = append(list, part.name+" "+part.value)
		}
	}
	return strings.Join(list, ", ")
}

// spentText is what was spent of an allocation, on the clocks that it caps.
func spentText(x sandbox.AllocationInfo) string {
	return clockList(x.Orders, func(k int) string {
		return ifCapped(x.Caps.Renyi[k], renyiUp(x.Spent.Renyi[k]))
	}, ifCapped(x.Caps.Epsilon, x.Spent.Epsilon.String()), ifCapped(x.Caps.Delta, x.Spent.Delta.String()))
}

func ifCapped[A ~int64](limit A, text string) string {
	if limit == privacy.Unlimited {
		return ""
	}
	return text
}

// capsText lists the clocks that are capped; "" for none.
func capsText(c privacy.Clocks, orders privacy.Orders) string {
	return clockList(orders, func(k int) string { return ifCapped(c.Renyi[k], renyiDown(c.Renyi[k])) },
		ifCapped(c.Epsilon, c.Epsilon.String()), ifCapped(c.Delta, c.Delta.String()))
}

// amountsText lists the clocks that are above 0.
func amountsText(c privacy.Clocks, orders privacy.Orders) string {
	positive := func(n int64, text string) string {
		if n == 0 {
			return ""
		}
		return text
	}
	return clockList(orders, func(k int) string { return positive(int64(c.Renyi[k]), renyiUp(c.Renyi[k])) },
		positive(int64(c.Epsilon), c.Epsilon.String()), positive(int64(c.Delta), c.Delta.String()))
}

// clockList names the clocks that have a text.
func clockList(orders privacy.Orders, renyi func(k int) string, epsilon, delta string) string {
	var list []string
	add := func(name, text string) {
		if text != "" {
			list = append(list, name+" "+text)
		}
	}
	add("ε", epsilon)
	for k, order := range orders.All() {
		add("Rényi "+order.String()+":", renyi(k))
	}
	add("δ", delta)
	return strings.Join(list, ", ")
}
