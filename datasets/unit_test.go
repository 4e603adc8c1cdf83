package datasets

import (
	"crypto/hmac"
	"crypto/sha256"
	"testing"
)

func TestCanonicalForm(t *testing.T) {
	upper, lower := IDForm{Case: "upper"}, IDForm{Case: "lower"}
	zeros := IDForm{StripLeadingZeros: true}
	tests := []struct {
		form     IDForm
		in, want string
	}{
		{IDForm{}, " a\t", "a"}, {IDForm{}, "\u00a0a\u3000", "a"}, {IDForm{KeepSpace: true}, " a ", " a "}, {IDForm{}, "  ", ""},
		{IDForm{}, "e\u0301", "\u00e9"}, {IDForm{}, "\u1112\u1161\u11ab", "\ud55c"}, {IDForm{}, "Ab", "Ab"},
		{lower, "ÀB", "àb"}, {upper, "àß", "Àß"}, {lower, "E\u0301", "\u00e9"},
		{zeros, "007", "7"}, {zeros, "000", "0"}, {zeros, " 00A7 ", "A7"}, {zeros, "", ""}, {zeros, "700", "700"}, {IDForm{}, "007", "007"},
	}
	for _, test := range tests {
		if got := test.form.apply(test.in); got != test.want {
			t.Errorf("%+v of %q: %q, want %q", test.form, test.in, got, test.want)
		}
	}
}

func TestUnitIDs(t *testing.T) {
	mac := hmac.New(sha256.New, testKey)
	mac.Write([]byte("7"))
	want := unitID(mac.Sum(nil)[:16])
	text := Column{Name: "id", Type: String, Role: PrivacyID, Form: &IDForm{StripLeadingZeros: true}}
	number := Column{Name: "id", Type: Int64, Role: PrivacyID}
	tests := []struct {
		column Column
		v      value
		ok     bool
	}{
		{text, value{kind: textual, text: " 007 "}, true}, {text, value{kind: whole, whole: 7}, true}, {text, value{kind: real, real: 7}, true},
		{number, value{kind: whole, whole: 7}, true}, {number, value{kind: textual, text: "+7.0"}, true}, {number, value{kind: real, real: 7}, true},
		{text, value{kind: missing}, false}, {text, value{kind: textual, text: "  "}, false}, {text, value{kind: textual, text: ""}, false},
		{text, value{kind: textual, text: "\xff"}, false}, {text, value{kind: textual, text: "a\x00"}, false},
		{number, value{kind: textual, text: "seven"}, false}, {number, value{kind: real, real: 7.5}, false}, {number, value{kind: missing}, false},
	}
	for _, test := range tests {
		u, err := newUnits(test.column, testKey)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second comes from memory
			id, _, ok := u.unit(&test.v)
			if ok != test.ok || ok && id != want {
				t.Errorf("%s %+v: %x, %t", test.column.Type, test.v, id, ok)
			}
		}
	}
	a, _ := newUnits(number, testKey)
	b, _ := newUnits(number, append([]byte("another"), testKey...))
	seven := value{kind: whole, whole: 7}
	x, _, _ := a.unit(&seven)
	if y, _, _ := b.unit(&seven); x == y {
		t.Error("two keys give one ID")
	}
}
