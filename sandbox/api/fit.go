package api

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"entrepot/sandbox"
)

// decodeJSON reads a JSON object into a generated request type, strictly.
func decodeJSON(body []byte, into any) error {
	object, err := readJSON(body)
	if err != nil {
		return err
	}
	return fit(object, reflect.ValueOf(into).Elem(), "")
}

// fit stores a value of the tree, found at path, in a Go value of the same shape. Members of a struct
// are needed unless their tag says omitempty, which is how the generator writes what is optional.
func fit(value any, into reflect.Value, path string) error {
	if value == nil {
		return invalidAt(path, "null is not a value here; leave the member out.")
	}
	if into.Type() == reflect.TypeFor[Decimal]() {
		return fitDecimal(value, into, path)
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		return fit(value, into.Elem(), path)
	case reflect.Struct:
		if object, ok := value.(members); ok {
			return fitObject(object, into, path)
		}
	case reflect.Map:
		if object, ok := value.(members); ok {
			return fitMap(object, into, path)
		}
	case reflect.Slice:
		if list, ok := value.([]any); ok {
			return fitList(list, into, path)
		}
	case reflect.String:
		if text, ok := value.(string); ok {
			into.SetString(text)
			return notEmpty(text, path)
		}
	case reflect.Bool:
		if b, ok := value.(bool); ok {
			into.SetBool(b)
			return nil
		}
	case reflect.Int64:
		if number, ok := value.(json.Number); ok {
			return fitWhole(number, into, path)
		}
	}
	return invalidAt(path, "it is "+kindOf(value)+"; "+wanted(into.Kind())+" is wanted.")
}

func fitObject(object members, into reflect.Value, path string) error {
	fields, needed, names := map[string]int{}, map[string]bool{}, []string{}
	for i := range into.NumField() {
		name, options, _ := strings.Cut(into.Type().Field(i).Tag.Get("json"), ",")
		fields[name], needed[name] = i, options != "omitempty"
		names = append(names, name)
	}
	for _, m := range object {
		field, known := fields[m.name]
		if !known {
			return invalidAt(join(path, m.name), "no such member"+suggestion(m.name, names))
		}
		delete(needed, m.name)
		if err := fit(m.value, into.Field(field), join(path, m.name)); err != nil {
			return err
		}
	}
	for _, name := range names {
		if needed[name] {
			return invalidAt(join(path, name), "it is missing.")
		}
	}
	return nil
}

// fitMap is for objects whose members the caller names.
func fitMap(object members, into reflect.Value, path string) error {
	into.Set(reflect.MakeMap(into.Type()))
	for _, m := range object {
		v := reflect.New(into.Type().Elem()).Elem()
		if err := fit(m.value, v, join(path, m.name)); err != nil {
			return err
		}
		into.SetMapIndex(reflect.ValueOf(m.name), v)
	}
	return nil
}

func fitList(list []any, into reflect.Value, path string) error {
	values := reflect.MakeSlice(into.Type(), len(list), len(list))
	for i, value := range list {
		if err := fit(value, values.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	into.Set(values)
	return nil
}

// fitDecimal keeps the digits as they are written; who uses them reads them exactly.
func fitDecimal(value any, into reflect.Value, path string) error {
	switch v := value.(type) {
	case string:
		into.SetString(v)
		return notEmpty(v, path)
	case json.Number:
		into.SetString(v.String())
		return nil
	default:
		return invalidAt(path, "it is "+kindOf(value)+"; a decimal number is wanted.")
	}
}

// fitWhole reads digits only: 1.0 and 1e3 are not how a number of rows is written.
func fitWhole(number json.Number, into reflect.Value, path string) error {
	n, err := strconv.ParseInt(number.String(), 10, 64)
	if err != nil {
		return invalidAt(path, "a whole number in digits, at most 9223372036854775807, is wanted.")
	}
	into.SetInt(n)
	return nil
}

// notEmpty refuses "", which would pass for a member that was left out.
func notEmpty(text, path string) error {
	if text == "" {
		return invalidAt(path, "it is empty.")
	}
	return nil
}

// within checks a number of the request against its least and largest value.
func within(path string, n, least, largest int64) error {
	if n < least || n > largest {
		return &sandbox.Error{Code: sandbox.CodeInvalid, Public: fmt.Sprintf("%s: it must be from %d to %d.", path, least, largest)}
	}
	return nil
}

func kindOf(value any) string {
	switch value.(type) {
	case members:
		return "an object"
	case []any:
		return "a list"
	case string:
		return "text"
	case json.Number:
		return "a number"
	case bool:
		return "true or false"
	}
	return "null"
}

func wanted(kind reflect.Kind) string {
	switch kind {
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice:
		return "a list"
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	}
	return "a whole number"
}
