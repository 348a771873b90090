package emf

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"

	jsoniter "github.com/json-iterator/go"
)

// This is the one file of the package that writes with json-iterator.

// jsonText writes the values of properties: map keys in order, no escapes that only
// HTML needs.
var jsonText = jsoniter.Config{SortMapKeys: true}.Froze()

// json-iterator follows a value that contains itself until the stack is full, which no
// program survives. So a property may be nested maxDepth deep and have maxParts parts;
// one with more would not fit a document.
const (
	maxDepth = 64
	maxParts = 1 << 19
)

var errEndless = errors.New("nested too deeply, or contains itself")

// appendValue appends a property's value as JSON on one line. It fails for values that
// have no JSON form, NaN among them, and for those whose methods panic.
func appendValue(dst []byte, value any) (_ []byte, err error) {
	switch v := value.(type) {
	case nil:
		return append(dst, "null"...), nil
	case string:
		return appendString(dst, v), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case time.Duration:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case float64:
		if whyOut(v) == notFinite {
			return dst, errors.New(notFinite.String())
		}
		return appendNumber(dst, v), nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if parts := maxParts; endless(reflect.ValueOf(value), maxDepth, &parts) {
		return dst, errEndless
	}
	stream := jsonText.BorrowStream(nil)
	defer jsonText.ReturnStream(stream)
	stream.WriteVal(value)
	if stream.Error != nil {
		return dst, stream.Error
	}
	// A value's own MarshalJSON may have written anything.
	written := bytes.ToValidUTF8(stream.Buffer(), []byte("\ufffd"))
	var line bytes.Buffer
	if err := json.Compact(&line, written); err != nil {
		return dst, err
	}
	return append(dst, line.Bytes()...), nil
}

var (
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// endless reports whether v is nested more than depth deep or has more than parts parts.
func endless(v reflect.Value, depth int, parts *int) bool {
	if *parts--; depth < 0 || *parts < 0 {
		return true
	}
	if v.IsValid() && (v.Type().Implements(marshaler) || v.Type().Implements(textMarshaler)) {
		return false // what it refers to is its own business
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && endless(v.Elem(), depth-1, parts)
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			encoded := field.Anonymous || field.IsExported() && field.Tag.Get("json") != "-"
			if encoded && endless(v.Field(i), depth-1, parts) {
				return true
			}
		}
	case reflect.Slice, reflect.Array:
		if scalar(v.Type().Elem()) {
			return false
		}
		for i := range v.Len() {
			if endless(v.Index(i), depth-1, parts) {
				return true
			}
		}
	case reflect.Map:
		if scalar(v.Type().Elem()) {
			return false
		}
		for entries := v.MapRange(); entries.Next(); {
			if endless(entries.Value(), depth-1, parts) {
				return true
			}
		}
	}
	return false
}

func scalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
		return false
	}
	return true
}
