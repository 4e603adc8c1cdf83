package api

import (
	"strings"
	"testing"
)

func TestQueryIsAnsweredAndRepeated(t *testing.T) {
	h := newHouse(t).furnish()
	first := h.must(200, h.as("researcher", "POST", "/v1/queries", question))
	t.Log(first.Body)
	repeat := h.must(200, h.as("researcher", "POST", "/v1/queries", question))
	if want := strings.Replace(first.Body, `"repeat":false`, `"repeat":true`, 1); !strings.HasPrefix(repeat.Body, want[:40]) {
		t.Errorf("a repeat is %s\nthe first was %s", repeat.Body, first.Body)
	}
}
