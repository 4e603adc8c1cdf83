package ledger

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"entrepot/privacy"
)

// budgetsFile is the table that TestBudgets writes when ENTREPOT_WRITE is set, and otherwise compares with what
// it counts.
const budgetsFile = "BUDGETS.md"

// TestBudgets counts how many questions a budget answers.
func TestBudgets(t *testing.T) {
	b := budgets{t: t, prices: map[string]privacy.Clocks{}}
	text := strings.Join([]string{budgetsHeader, b.equal(), b.mixed(), b.splits(), b.trace()}, "")
	if os.Getenv("ENTREPOT_WRITE") != "" {
		if err := os.WriteFile(budgetsFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(budgetsFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != text {
		t.Errorf("%s is not what was counted: run this test with ENTREPOT_WRITE=1 and look at what changed", budgetsFile)
	}
}

const budgetsHeader = `# How many questions a budget answers

Counted by the filter with the prices that questions have: COUNT(\*), one row per person, over public groups. Lifetimes (ε, δ) with δ = 10⁻⁶.
A question of 0.01 ε costs a hundredth of the lifetime's ε on Σε: its noise is the same wherever it is admitted, so that numbers in a row are
of equally accurate answers. Written by ` + "`ENTREPOT_WRITE=1 go test ./privacy/ledger -run TestBudgets`" + `; every test run counts again.

* *basic*: Σε alone, as in a pure account.
* *zCDP*: ρ = ε²/2 for each question, up to the largest ρ that is (ε, δ/2)-DP.
* *one clock*: Σd alone at one order, which has half of δ and is the best for small questions.
* *default*: what an account has unless its owner says otherwise: Σε, and Σd at two orders that have half of δ together. Whichever holds admits.
* *Gaussian*: the same account, when answers carry Gaussian noise of the variance that Laplace noise would have. It uses up Σε at once.
`

// lifetimes are the ε of the tables.
var lifetimes = []int64{1, 3, 10}

// budgets counts; it keeps the prices of questions, which do not depend on what was asked before.
type budgets struct {
	t      *testing.T
	prices map[string]privacy.Clocks
}

// thousandthsOf is that many thousandths of a lifetime's ε.
func thousandthsOf(a Account, n int64) privacy.Epsilon {
	return privacy.Epsilon(int64(a.Promise.Epsilon) / 1000 * n)
}

// laplace is the charge of a question of n thousandths of the lifetime.
func (b *budgets) laplace(a Account, n int64) Charge {
	return b.price(a, privacy.Loss{Epsilon: thousandthsOf(a, n)})
}

// gaussian is the charge of the same variance, 2/ε² = 1/2ρ.
func (b *budgets) gaussian(a Account, n int64) Charge {
	eps := float64(thousandthsOf(a, n)) / 1e12
	return b.price(a, privacy.Loss{Rho: privacy.Rho(eps * eps / 4 * 1e12), Mechanism: privacy.Gaussian})
}

func (b *budgets) price(a Account, loss privacy.Loss) Charge {
	key := fmt.Sprint(loss, a.Promise.Orders)
	price, ok := b.prices[key]
	if !ok {
		price = priced(b.t, a, loss).Loss
		b.prices[key] = price
	}
	return Charge{a.ID, price}
}

func (b *budgets) account(split split, eps int64) Account {
	return openWith(b.t, split.of(privacy.Epsilon(eps)*privacy.OneEpsilon), Terms{})
}

// split is a way to divide δ.
type split struct {
	name string
	of   func(eps privacy.Epsilon) Promise
}

// parted gives orders their shares of half of δ, in tenths; each lies so many tenths as far from 1 as the first,
// which is the best one for its share.
func parted(name string, shares []int64, distances []int64) split {
	return split{name, func(eps privacy.Epsilon) Promise {
		p := Promise{Kind: KindRenyi, Epsilon: eps, Delta: micro}
		first := micro / 2 * privacy.Delta(shares[0]) / 10
		for k := range shares {
			p.Shares[k] = micro / 2 * privacy.Delta(shares[k]) / 10
			p.Orders[k] = 1000 + (privacy.DefaultOrder(eps, first)-1000)*privacy.Order(distances[k])/10
		}
		return p
	}}
}

var (
	basic    = split{"basic", func(eps privacy.Epsilon) Promise { return Promise{Kind: KindPure, Epsilon: eps} }}
	oneClock = parted("one order", []int64{10}, []int64{10})
	standard = split{"default", func(eps privacy.Epsilon) Promise { return Promise{Kind: KindRenyi, Epsilon: eps, Delta: micro} }}
)

// equal is the table of equally accurate questions.
func (b *budgets) equal() string {
	var table strings.Builder
	table.WriteString("\n## Equal questions\n\n| ε | each question | basic | zCDP | one clock | default | Gaussian |\n|---|---|---|---|---|---|---|\n")
	for _, eps := range lifetimes {
		for _, n := range []int64{10, 50, 100} {
			plain, one, both := b.account(basic, eps), b.account(oneClock, eps), b.account(standard, eps)
			alone := one
			alone.Caps.Epsilon = 0
			fmt.Fprintf(&table, "| %d | %s | %d | %d | %d | %d | %d |\n", eps, thousandthsOf(both, n),
				admitted(b.t, plain, b.laplace(plain, n)), concentrated(one, thousandthsOf(one, n)),
				admitted(b.t, alone, b.laplace(alone, n)), admitted(b.t, both, b.laplace(both, n)), admitted(b.t, both, b.gaussian(both, n)))
		}
	}
	return table.String()
}

// concentrated is how many questions of ρ = ε²/2 fit the ρ that an order's cap allows: the largest that is
// (ε, δ)-DP, as the order is the best one.
func concentrated(a Account, each privacy.Epsilon) int {
	rho := float64(a.Caps.Renyi[0]) / 1e12 / a.Promise.Orders[0].Float()
	eps := float64(each) / 1e12
	return int(rho / (eps * eps / 2))
}

// mixed is the table of a few large questions among many small ones, in several orders.
func (b *budgets) mixed() string {
	const large, small = 3, 200
	var table strings.Builder
	fmt.Fprintf(&table, `
## Few large, many small

%d questions of 0.2 ε and %d of 0.01 ε are asked, in several orders; what does not fit is refused and the next one asked. Large + small ones
that were answered. A list of which everything is answered is answered in any order: clocks add up, and the one that holds at the end held all
along. The last row is the longest such list.

| ε | asked | basic | one order and Σε | default |
|---|---|---|---|---|
`, large, small)
	for _, eps := range lifetimes {
		for _, order := range []string{"large first", "large last", "interleaved", "shuffled"} {
			fmt.Fprintf(&table, "| %d | %s |", eps, order)
			for _, s := range []split{basic, oneClock, standard} {
				l, n := b.ask(b.account(s, eps), arrange(order, large, small))
				fmt.Fprintf(&table, " %d + %d |", l, n)
			}
			table.WriteString("\n")
		}
		fmt.Fprintf(&table, "| %d | all answered, in any order |", eps)
		for _, s := range []split{basic, oneClock, standard} {
			_, n := b.ask(b.account(s, eps), arrange("large first", large, 2000))
			fmt.Fprintf(&table, " %d + %d |", large, n)
		}
		table.WriteString("\n")
	}
	return table.String()
}

// arrange is a list of large (true) and small questions.
func arrange(order string, large, small int) []bool {
	list := make([]bool, large+small)
	switch order {
	case "large first":
		for i := range large {
			list[i] = true
		}
	case "large last":
		for i := range large {
			list[small+i] = true
		}
	default:
		for i := range large {
			list[(i+1)*small/(large+1)] = true
		}
	}
	if order == "shuffled" {
		rand.New(rand.NewPCG(4, 1)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	return list
}

// ask counts the large and small questions of a list that are admitted.
func (b *budgets) ask(a Account, list []bool) (large, small int) {
	big, little := b.laplace(a, 200), b.laplace(a, 10)
	for _, isLarge := range list {
		c, n := little, &small
		if isLarge {
			c, n = big, &large
		}
		if after, err := a.Admit(c, now); err == nil {
			a = after
			*n++
		}
	}
	return large, small
}

// workload is what an account answered before small questions are asked, and how small those are.
type workload struct {
	name   string
	before []int64 // thousandths of ε
	each   int64   // likewise
	noise  privacy.Mechanism
}

var workloads = []workload{
	{"0.01 ε", nil, 10, privacy.Laplace},
	{"0.03 ε", nil, 30, privacy.Laplace},
	{"0.01 ε, after one of 0.3 ε", []int64{300}, 10, privacy.Laplace},
	{"0.01 ε, after one of 0.6 ε", []int64{600}, 10, privacy.Laplace},
	{"0.01 ε, after three of 0.2 ε", []int64{200, 200, 200}, 10, privacy.Laplace},
	{"0.01 ε, after ten of 0.05 ε", []int64{50, 50, 50, 50, 50, 50, 50, 50, 50, 50}, 10, privacy.Laplace},
	{"0.03 ε, after one of 0.5 ε", []int64{500}, 30, privacy.Laplace},
	{"0.01 ε, Gaussian", nil, 10, privacy.Gaussian},
	{"0.01 ε, Gaussian, after one Laplace of 0.6 ε", []int64{600}, 10, privacy.Gaussian},
}

// splits is the table from which the default was chosen.
func (b *budgets) splits() string {
	all := []split{
		oneClock,
		standard,
		parted("5/10 + 5/10, ×2.5", []int64{5, 5}, []int64{10, 25}),
		parted("9/10 + 1/10, ×4", []int64{9, 1}, []int64{10, 40}),
		parted("5/10 + 5/10, ×4", []int64{5, 5}, []int64{10, 40}),
		parted("8/10 + 1/10 + 1/10, ×2.5, ×6", []int64{8, 1, 1}, []int64{10, 25, 60}),
	}
	var table strings.Builder
	table.WriteString(`
## The default split

Half of δ is for approximate steps, the rest for orders. How many equal questions are answered, after a few others, where that rest is
divided in several ways; ×2.5 is an order 2.5 times as far from 1 as the first, which is the best one for small questions. The last row is
what a column answers of the most in a row, on average. The default is 9/10 + 1/10, ×2.5: it gives up one in a hundred where all questions
are small, and answers 1.5 to 2 times as many after large ones. Equal shares answer about a tenth more again after large ones, and four to six in a
hundred less where all are small: the default is the division that hardly ever answers less than one order. A farther order is worse, a third one
adds nothing. An owner may give an account other orders and shares when it is opened.

| ε | questions of |`)
	for _, s := range all {
		name := s.name
		if name == standard.name {
			name = "9/10 + 1/10, ×2.5 (default)"
		}
		fmt.Fprintf(&table, " %s |", name)
	}
	table.WriteString("\n|---|---|" + strings.Repeat("---|", len(all)) + "\n")
	shares := make([]float64, len(all))
	for _, eps := range lifetimes {
		for _, w := range workloads {
			fmt.Fprintf(&table, "| %d | %s |", eps, w.name)
			counts := make([]int, len(all))
			for i, s := range all {
				counts[i] = b.after(b.account(s, eps), w)
				fmt.Fprintf(&table, " %d |", counts[i])
			}
			for i, n := range counts {
				shares[i] += float64(n) / float64(slices.Max(counts)) / float64(len(lifetimes)*len(workloads))
			}
			table.WriteString("\n")
		}
	}
	table.WriteString("| | of the most, on average |")
	for _, share := range shares {
		fmt.Fprintf(&table, " %.1f %% |", 100*share)
	}
	return table.String() + "\n"
}

// after counts the questions of a workload that an account answers.
func (b *budgets) after(a Account, w workload) int {
	for _, n := range w.before {
		after, err := a.Admit(b.laplace(a, n), now)
		if err != nil {
			b.t.Fatalf("%s: %v", w.name, err)
		}
		a = after
	}
	if w.noise == privacy.Gaussian {
		return admitted(b.t, a, b.gaussian(a, w.each))
	}
	return admitted(b.t, a, b.laplace(a, w.each))
}

// trace is the table of a realistic history: many people ask a thousand questions, some far more often than others.
func (b *budgets) trace() string {
	const asked, questions, exponent = 5000, 1000, 1.1
	var table strings.Builder
	fmt.Fprintf(&table, `
## A trace with repeats

%d times somebody asks one of %d questions, the k-th most popular in proportion to 1/k^%.1f. Of each hundred questions 90 are of
0.005 ε, nine of 0.02 ε and one of 0.1 ε. A question that was answered before is answered again from the stored release, at no charge.
Answers, and in how many of a hundred cases there was one; in brackets the different questions answered. Without repeats each asking is charged.

| ε | repeats | basic | one order and Σε | default |
|---|---|---|---|---|
`, asked, questions, exponent)
	for _, eps := range lifetimes {
		for _, free := range []bool{false, true} {
			name := "charged"
			if free {
				name = "free"
			}
			fmt.Fprintf(&table, "| %d | %s |", eps, name)
			for _, s := range []split{basic, oneClock, standard} {
				answers, different := b.popular(b.account(s, eps), asked, questions, exponent, free)
				fmt.Fprintf(&table, " %d, %.0f %% (%d) |", answers, 100*float64(answers)/asked, different)
			}
			table.WriteString("\n")
		}
	}
	return table.String()
}

// popular counts the answers of a trace, and the different questions among them.
func (b *budgets) popular(a Account, asked, questions int, exponent float64, free bool) (answers, different int) {
	r := rand.New(rand.NewPCG(4, 2))
	popularity := rand.NewZipf(r, exponent, 1, uint64(questions-1))
	sizes := make([]int64, questions)
	for i := range sizes {
		sizes[i] = 5
		if i%100 >= 90 {
			sizes[i] = 20
		}
		if i%100 == 99 {
			sizes[i] = 100
		}
	}
	r.Shuffle(len(sizes), func(i, j int) { sizes[i], sizes[j] = sizes[j], sizes[i] })
	known := make([]bool, questions)
	for range asked {
		i := popularity.Uint64()
		if free && known[i] {
			answers++
			continue
		}
		after, err := a.Admit(b.laplace(a, sizes[i]), now)
		if err != nil {
			continue
		}
		a = after
		answers++
		if !known[i] {
			known[i] = true
			different++
		}
	}
	return answers, different
}
