package datasets

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// DomainValues returns a key's declared public values in declared order, as the Go values that
// stand for them everywhere: string, int64, bool; a date as "2006-01-02"; a timestamp as RFC 3339 in
// UTC with microseconds only where they are not zero. It is nil where no domain is declared, and
// leaves out values that Validate refuses.
func (c Column) DomainValues() []any {
	if c.Domain == nil {
		return nil
	}
	values := make([]any, 0, len(c.Domain))
	for _, v := range c.Domain {
		if canonical, err := domainValue(c.Type, v); err == nil {
			values = append(values, canonical)
		}
	}
	return values
}

func (c Column) checkDomain(p *columnProblems) {
	if c.Domain != nil && len(c.Domain) == 0 {
		p.add("domain is empty; list the public values, or remove it")
	}
	if len(c.Domain) > MaxDomain {
		p.add("domain has %d values; at most %d can be declared", len(c.Domain), MaxDomain)
		return
	}
	low, high, _, _, bounded := c.Grid()
	seen := make(map[any]int, len(c.Domain))
	for i, raw := range c.Domain {
		v, err := domainValue(c.Type, raw)
		if err != nil {
			p.add("domain[%d]: %w", i, err)
			continue
		}
		if j, twice := seen[v]; twice {
			p.add("domain[%d] and domain[%d] are the same value %v", j, i, show(v))
		}
		seen[v] = i
		if n, ok := v.(int64); ok && bounded && (n < low || n > high) {
			p.add("domain[%d]: %d is outside lower %s and upper %s; rows are clamped to those, so none could have it", i, n, c.Lower, c.Upper)
		}
	}
}

func show(v any) any {
	if s, ok := v.(string); ok {
		return strconv.Quote(shorten(s))
	}
	return v
}

// domainValue makes one domain value canonical for a type, or says what to write.
func domainValue(t Type, v any) (any, error) {
	if v == nil {
		return nil, errors.New("null cannot be in a domain; remove it (rows without a value are not counted)")
	}
	s, isText := v.(string)
	switch t {
	case String:
		if !isText {
			return nil, fmt.Errorf("%v is not text; write it in quotes", show(v))
		}
		return s, storable(s)
	case Int64:
		return domainInt(v)
	case Bool:
		if b, ok := v.(bool); ok {
			return b, nil
		}
		return nil, fmt.Errorf("%v is not a boolean; write true or false", show(v))
	case Date:
		if days, ok := parseDate(s); isText && ok {
			return formatDate(days), nil
		}
		return nil, fmt.Errorf("%v is not a date; write it as text such as \"2026-01-31\"", show(v))
	case Timestamp:
		if micros, ok := parseInstant(s); isText && ok {
			return formatInstant(micros), nil
		}
		return nil, fmt.Errorf("%v is not a timestamp; write it as text such as \"2026-01-31T12:00:00Z\"", show(v))
	}
	return nil, fmt.Errorf("a %s column has no domain; remove it", t)
}

// storable refuses text that ingest would turn into NULL.
func storable(s string) error {
	switch {
	case len(s) > maxText:
		return fmt.Errorf("text of %d bytes; ingest keeps at most %d", len(s), maxText)
	case !utf8.ValidString(s):
		return errors.New("text that is not valid UTF-8")
	case strings.IndexByte(s, 0) >= 0:
		return errors.New("text with a NUL byte")
	}
	return nil
}

// domainInt accepts whatever a decoder may have made of a whole number.
func domainInt(v any) (any, error) {
	switch n := v.(type) {
	case int64:
		return n, nil
	case int:
		return int64(n), nil
	case float64:
		if n == math.Trunc(n) && math.Abs(n) < maxSteps {
			return int64(n), nil
		}
	case json.Number:
		if whole, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
			return whole, nil
		}
	}
	return nil, fmt.Errorf("%v is not a whole number that fits int64; write digits without quotes", show(v))
}
