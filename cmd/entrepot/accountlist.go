package main

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
)

// accountsText shows filter states: how far each clock has run, not a claim about what a release of
// the rest would be worth.
func accountsText(list []sandbox.AccountInfo, limit int) string {
	t := table{columns: columns("account", "kind", ">lifetime ε", ">lifetime δ", ">Σε of limit", ">Rényi of limit", ">Σδ of limit", ">failures", "state", "lasts until")}
	for _, a := range list {
		renyi, delta := "–", "–"
		if a.Kind == ledger.KindRenyi {
			renyi, delta = kindestRenyi(a), a.Spent.Delta.String()+" / "+a.Limits.Delta.String()
		}
		until := "–"
		if a.Forecast.Until != nil {
			until = a.Forecast.Until.Time().Format(time.DateOnly)
		}
		t.add(a.ID, string(a.Kind), a.Epsilon.String(), a.Delta.String(),
			a.Spent.Epsilon.String()+" / "+a.Limits.Epsilon.String(), renyi, delta,
			fmt.Sprintf("%d / %d", a.Failures, a.FailureAllowance), string(a.State), until)
	}
	return t.text(limit)
}

// kindestRenyi is the Rényi clock with the largest part of its limit left, since that one decides.
func kindestRenyi(a sandbox.AccountInfo) string {
	best, most := 0, -1.0
	for k := range ordersOf(a).All() {
		if left := float64(a.Room.Renyi[k]) / float64(max(1, a.Limits.Renyi[k])); left > most {
			best, most = k, left
		}
	}
	return clock(a.Spent.Renyi[best], a.Limits.Renyi[best])
}

// clock writes how far a computed clock has run: up, and its cap down, so that neither looks better
// than it is.
func clock(spent, limit privacy.Renyi) string { return renyiUp(spent) + " / " + renyiDown(limit) }

const renyiDigits = 1e4 // that are shown of a Rényi amount: four decimals

func renyiUp(d privacy.Renyi) string {
	if d == math.MaxInt64 { // which is no number but "inf"
		return d.String()
	}
	return strconv.FormatFloat(math.Ceil(float64(d)/1e12*renyiDigits)/renyiDigits, 'f', -1, 64)
}

func renyiDown(d privacy.Renyi) string {
	if d == math.MaxInt64 {
		return d.String()
	}
	return strconv.FormatFloat(math.Floor(float64(d)/1e12*renyiDigits)/renyiDigits, 'f', -1, 64)
}
