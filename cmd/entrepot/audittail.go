package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// logEntry is an entry as the API shows it.
type logEntry struct {
	Index int64           `json:"index"`
	Time  time.Time       `json:"time"`
	Kind  audit.Kind      `json:"kind"`
	Actor string          `json:"actor"`
	Salt  string          `json:"salt"`
	Body  json.RawMessage `json:"body"`
}

// entryList is one page of them.
type entryList struct {
	Entries []logEntry `json:"entries"`
	Next    int64      `json:"next"` // -1 at the end of the log
}

const (
	tailLength  = 20
	mostEntries = 10_000 // that one command shows
	pageLength  = 1000   // the server's largest page
)

func auditTail() *cobra.Command {
	c := &cobra.Command{Use: "tail", Short: "Show the newest log entries that you may read", Args: cobra.NoArgs}
	from := c.Flags().Int64("from", -1, "entry to begin at (default: so that the newest are shown)")
	count := c.Flags().IntP("entries", "n", tailLength, "how many")
	return online(c, askTimeout, func(s *session, _ []string) error {
		if *count < 1 || *count > mostEntries {
			return usage("--entries is from 1 to %d", mostEntries)
		}
		list, err := s.tail(*from, *count)
		if err != nil {
			return err
		}
		raw, err := json.Marshal(list)
		if err != nil {
			return err
		}
		return s.show(raw, func() string { return entriesText(list.Entries, s.width()) })
	})
}

// tail reads count entries from an index, or the last count.
func (s *session) tail(from int64, count int) (entryList, error) {
	if from >= 0 {
		return s.entries(from, count)
	}
	size, err := s.logSize()
	if err != nil {
		return entryList{}, err
	}
	// An owner may read some of them only, so the window grows until it holds enough.
	for window := int64(count); ; window *= 4 {
		list, err := s.entries(max(0, size-window), -1)
		if err != nil {
			return entryList{}, err
		}
		if len(list.Entries) >= count || window >= size {
			list.Entries = list.Entries[max(0, len(list.Entries)-count):]
			return list, nil
		}
	}
}

// logSize is the number of entries by the log's checkpoint; 0 for those who may not read it, whose
// entries are few.
func (s *session) logSize() (int64, error) {
	r := get("v1", "audit", "checkpoint")
	r.accept = "text/plain"
	text, _, err := s.client.fetch(s.ctx, r, nil)
	if p, ok := asProblem(err); ok && p.Code == sandbox.CodeForbidden {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	c, err := audit.PeekCheckpoint(text)
	return c.Size, err
}

// entries reads count entries, page by page; -1 for all there are, of which the last mostEntries are
// kept.
func (s *session) entries(from int64, count int) (entryList, error) {
	list := entryList{Entries: []logEntry{}, Next: from}
	for list.Next >= 0 && (count < 0 || len(list.Entries) < count) {
		limit := pageLength
		if count >= 0 {
			limit = min(limit, count-len(list.Entries))
		}
		r := get("v1", "audit", "entries")
		r.query = url.Values{"from": {strconv.FormatInt(list.Next, 10)}, "limit": {strconv.Itoa(limit)}}
		var page entryList
		if _, _, err := s.client.fetch(s.ctx, r, &page); err != nil {
			return entryList{}, err
		}
		if page.Next >= 0 && page.Next <= list.Next {
			return entryList{}, fmt.Errorf("%s sends the log in circles, at entry %d", s.client.base, list.Next)
		}
		list.Entries, list.Next = append(list.Entries, page.Entries...), page.Next
		list.Entries = list.Entries[max(0, len(list.Entries)-mostEntries):]
	}
	return list, nil
}

func entriesText(list []logEntry, limit int) string {
	t := table{columns: columns(">entry", "time", "kind", "who", "what")}
	for _, e := range list {
		t.add(strconv.FormatInt(e.Index, 10), e.Time.UTC().Format(time.RFC3339), string(e.Kind), e.Actor, e.what())
	}
	return t.text(limit)
}

// what is the gist of an entry's body.
func (e logEntry) what() string {
	var b struct {
		Resource string          `json:"resource"`
		Revision int64           `json:"revision"`
		Account  ledger.Account  `json:"account"`
		Query    string          `json:"query"`
		Project  string          `json:"project"`
		Verdict  string          `json:"verdict"`
		Rule     string          `json:"rule"`
		Reason   string          `json:"reason"`
		Question string          `json:"question"`
		Charges  []ledger.Charge `json:"charges"`
		Release  string          `json:"release"`
		Frozen   []string        `json:"frozen"`
		Witness  string          `json:"witness"`
	}
	if err := json.Unmarshal(e.Body, &b); err != nil {
		return "not readable"
	}
	switch e.Kind {
	case audit.KindAccount:
		text := fmt.Sprintf("%s opened, %s, ε %s δ %s", b.Account.ID, b.Account.Promise.Kind, b.Account.Promise.Epsilon, b.Account.Promise.Delta)
		if b.Reason != "" {
			text += ": " + b.Reason
		}
		return text
	case audit.KindAmendment, audit.KindAllocation:
		return e.changed()
	case audit.KindRecovery:
		return e.recovered(b.Witness, b.Frozen, b.Reason)
	case audit.KindDecision:
		return fmt.Sprintf("%s in %s by %s: %s — %s", b.Verdict, b.Project, b.Rule, b.Reason, b.Question)
	case audit.KindCharge:
		charged := make([]string, len(b.Charges))
		for i, c := range b.Charges {
			charged[i] = chargeText(c.Account, c.Loss)
		}
		return fmt.Sprintf("%s in %s by %s: %s", strings.Join(charged, ", "), b.Project, b.Rule, b.Question)
	case audit.KindRelease:
		return fmt.Sprintf("%s answers %s", b.Release, b.Query)
	case audit.KindRepeat:
		return fmt.Sprintf("%s again, in %s", b.Release, b.Project)
	case audit.KindFailure:
		if len(b.Frozen) > 0 {
			return fmt.Sprintf("%s gave no answer; froze %s", b.Query, strings.Join(b.Frozen, ", "))
		}
		return fmt.Sprintf("%s gave no answer", b.Query)
	default:
		return fmt.Sprintf("%s revision %d", b.Resource, b.Revision)
	}
}

// changed is the gist of a change of an account or an allocation. before or after is missing where there
// was, or is, none.
func (e logEntry) changed() string {
	type state struct {
		ID       string         `json:"id"`
		Account  string         `json:"account"`
		Name     string         `json:"name"`
		Revision int64          `json:"revision"`
		Promises int64          `json:"promises"`
		Promise  ledger.Promise `json:"promise"`
		Scope    ledger.Scope   `json:"scope"`
	}
	var b struct {
		Reason string `json:"reason"`
		Before *state `json:"before"`
		After  *state `json:"after"`
	}
	if err := json.Unmarshal(e.Body, &b); err != nil || b.Before == nil && b.After == nil {
		return "not readable"
	}
	switch before, after := b.Before, b.After; {
	case after == nil:
		return fmt.Sprintf("%s takes allocation %s away: %s", before.Account, before.Name, b.Reason)
	case e.Kind == audit.KindAllocation:
		return fmt.Sprintf("%s allocates %s to %s (revision %d): %s", after.Account, after.Name, scopeText(after.Scope), after.Revision, b.Reason)
	case before != nil && before.Promises != after.Promises:
		return fmt.Sprintf("%s makes a new promise, ε %s δ %s after ε %s δ %s: %s", after.ID, after.Promise.Epsilon, after.Promise.Delta,
			before.Promise.Epsilon, before.Promise.Delta, b.Reason)
	default:
		return fmt.Sprintf("%s has other terms (revision %d): %s", after.ID, after.Revision, b.Reason)
	}
}

// recovered is the gist of a restart after a loss.
func (e logEntry) recovered(witness string, frozen []string, reason string) string {
	text := "went on after a loss"
	switch c, err := audit.PeekCheckpoint([]byte(witness)); {
	case err != nil:
		text += " of which no checkpoint is known"
	case c.Size > e.Index:
		text += fmt.Sprintf(" of entries %d to %d", e.Index, c.Size-1)
	}
	if len(frozen) > 0 {
		text += "; froze " + strings.Join(frozen, ", ")
	}
	return text + ": " + reason
}
