package cwtest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// The limits of PutMetricData.
const (
	maxData            = 1000
	maxRequestBytes    = 1 << 20
	maxValues          = 150
	maxDimensions      = 30
	maxNameLength      = 255
	maxDimensionLength = 1024
	maxMagnitude       = 0x1p360
	metricsBack        = 14 * 24 * time.Hour
	metricsAhead       = 2 * time.Hour
)

type metricDataInput struct {
	Namespace              *string
	MetricData             []datum
	EntityMetricData       []struct{ MetricData []datum }
	StrictEntityValidation *bool
}

type datum struct {
	MetricName        *string
	Dimensions        []dimension
	Timestamp         *timestamp
	Unit              *string
	StorageResolution *int
	Value             *number
	Values, Counts    []number
	StatisticValues   *statisticSet
}

type dimension struct{ Name, Value *string }

type statisticSet struct{ SampleCount, Sum, Minimum, Maximum *number }

// number is a float64 that JSON may hold as a string, where it has no number for it.
type number float64

func (n *number) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	*n = number(v)
	return err
}

// timestamp is a time of millisecond precision: a number of seconds, or text.
type timestamp struct{ time.Time }

func (t *timestamp) UnmarshalJSON(text []byte) error {
	var seconds float64
	if err := json.Unmarshal(text, &seconds); err == nil {
		t.Time = time.UnixMilli(int64(math.Round(seconds * 1000)))
		return nil
	}
	return json.Unmarshal(text, &t.Time)
}

func (t *timestamp) UnmarshalCBOR(data []byte) error {
	err := cbor.Unmarshal(data, &t.Time)
	t.Time = t.Time.Round(time.Millisecond)
	return err
}

func invalid(format string, args ...any) *failure {
	return &failure{
		code: "InvalidParameterValueException", query: "InvalidParameterValue",
		message: fmt.Sprintf(format, args...), status: http.StatusBadRequest,
	}
}

func missing(name string) *failure {
	return &failure{
		code: "MissingRequiredParameterException", query: "MissingParameter",
		message: "The parameter " + name + " is required.", status: http.StatusBadRequest,
	}
}

func combined(format string, args ...any) *failure {
	return &failure{
		code: "InvalidParameterCombinationException", query: "InvalidParameterCombination",
		message: fmt.Sprintf(format, args...), status: http.StatusBadRequest,
	}
}

// putMetricData holds all data, or none if one of them is not right.
func (s *Server) putMetricData(in *metricDataInput, size int) *failure {
	if size > maxRequestBytes {
		return &failure{
			code: "RequestEntityTooLargeException", query: "RequestEntityTooLarge",
			message: fmt.Sprintf("the request has %d bytes, and %d are allowed", size, maxRequestBytes), status: http.StatusRequestEntityTooLarge,
		}
	}
	if failure := checkNamespace(in.Namespace); failure != nil {
		return failure
	}
	data := in.MetricData
	if len(in.EntityMetricData) > 2 {
		return invalid("EntityMetricData has %d members, and 2 are allowed.", len(in.EntityMetricData))
	}
	for _, entity := range in.EntityMetricData {
		if in.StrictEntityValidation == nil {
			return missing("StrictEntityValidation")
		}
		data = append(slices.Clip(data), entity.MetricData...)
	}
	switch {
	case len(data) == 0:
		return missing("MetricData")
	case len(data) > maxData:
		return invalid("The collection MetricData must not have a size greater than %d.", maxData)
	}
	now := s.now()
	for i := range data {
		if failure := data[i].check(fmt.Sprintf("MetricData.member.%d.", i+1), now); failure != nil {
			return failure
		}
		if s.poison(*data[i].MetricName) {
			return invalid("The parameter MetricData.member.%d.MetricName is invalid.", i+1)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range data {
		s.hold(data[i].reading(*in.Namespace, now))
	}
	return nil
}

func checkNamespace(namespace *string) *failure {
	switch {
	case namespace == nil || *namespace == "":
		return missing("Namespace")
	case len(*namespace) > maxNameLength:
		return invalid("The parameter Namespace must be shorter than %d characters.", maxNameLength+1)
	case strings.HasPrefix(*namespace, ":"), !plainASCII(*namespace):
		return invalid("The value %q for parameter Namespace is invalid.", *namespace)
	case strings.TrimSpace(*namespace) == "":
		return invalid("The parameter Namespace must not be blank.")
	}
	return nil
}

func plainASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// check finds what is not right with a datum whose members are called at and then their name.
func (d *datum) check(at string, now time.Time) *failure {
	switch {
	case d.MetricName == nil || *d.MetricName == "":
		return missing(at + "MetricName")
	case len(*d.MetricName) > maxNameLength:
		return invalid("%sMetricName must be shorter than %d characters.", at, maxNameLength+1)
	case strings.TrimSpace(*d.MetricName) == "":
		return invalid("%sMetricName must not be blank.", at)
	}
	if d.Unit != nil && !slices.Contains(units, *d.Unit) {
		return invalid("The parameter %sUnit must be a value in the set %v.", at, units)
	}
	if r := d.StorageResolution; r != nil && *r != 1 && *r != 60 {
		return invalid("The parameter %sStorageResolution must be 1 or 60.", at)
	}
	if t := d.Timestamp; t != nil {
		if t.Before(now.Add(-metricsBack)) {
			return invalid("The parameter %sTimestamp must specify a time no more than two weeks in the past.", at)
		}
		if t.After(now.Add(metricsAhead)) {
			return invalid("The parameter %sTimestamp must specify a time no more than two hours in the future.", at)
		}
	}
	if failure := d.checkDimensions(at); failure != nil {
		return failure
	}
	return d.checkValues(at)
}

func (d *datum) checkDimensions(at string) *failure {
	if len(d.Dimensions) > maxDimensions {
		return invalid("The collection %sDimensions must not have a size greater than %d.", at, maxDimensions)
	}
	seen := make(map[string]bool, len(d.Dimensions))
	for i, dim := range d.Dimensions {
		at := fmt.Sprintf("%sDimensions.member.%d.", at, i+1)
		for _, part := range []struct {
			name, text string
			most       int
			missing    bool
		}{
			{at + "Name", deref(dim.Name), maxNameLength, dim.Name == nil},
			{at + "Value", deref(dim.Value), maxDimensionLength, dim.Value == nil},
		} {
			switch {
			case part.missing, part.text == "":
				return missing(part.name)
			case len(part.text) > part.most:
				return invalid("%s must be shorter than %d characters.", part.name, part.most+1)
			case strings.TrimSpace(part.text) == "":
				return invalid("%s must have a visible character.", part.name)
			case !plainASCII(part.text):
				return invalid("%s must be ASCII without control characters.", part.name)
			}
		}
		if strings.HasPrefix(*dim.Name, ":") {
			return invalid("%sName must not start with a colon.", at)
		}
		if seen[*dim.Name] {
			return invalid("%sName is given twice.", at)
		}
		seen[*dim.Name] = true
	}
	return nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (d *datum) checkValues(at string) *failure {
	given := 0
	for _, there := range []bool{d.Value != nil, len(d.Values) > 0, d.StatisticValues != nil} {
		if there {
			given++
		}
	}
	switch {
	case given == 0 && len(d.Counts) == 0:
		return missing(at + "Value")
	case given > 1:
		return combined("Give only one of %[1]sValue, %[1]sValues and %[1]sStatisticValues.", at)
	case len(d.Counts) > 0 && len(d.Values) != len(d.Counts):
		return invalid("%[1]sValues and %[1]sCounts must be as long as each other.", at)
	case len(d.Values) > maxValues:
		return invalid("The collection %sValues must not have a size greater than %d.", at, maxValues)
	}
	if d.Value != nil {
		return checkNumber(at+"Value", *d.Value)
	}
	for i, v := range d.Values {
		if failure := checkNumber(fmt.Sprintf("%sValues.member.%d", at, i+1), v); failure != nil {
			return failure
		}
	}
	for i, n := range d.Counts {
		name := fmt.Sprintf("%sCounts.member.%d", at, i+1)
		if failure := checkNumber(name, n); failure != nil {
			return failure
		}
		if n < 0 {
			return invalid("%s must not be negative.", name)
		}
	}
	if set := d.StatisticValues; set != nil {
		return set.check(at + "StatisticValues.")
	}
	return nil
}

func (set *statisticSet) check(at string) *failure {
	for _, part := range []struct {
		name string
		v    *number
	}{{"SampleCount", set.SampleCount}, {"Sum", set.Sum}, {"Minimum", set.Minimum}, {"Maximum", set.Maximum}} {
		if part.v == nil {
			return missing(at + part.name)
		}
		if failure := checkNumber(at+part.name, *part.v); failure != nil {
			return failure
		}
	}
	if *set.SampleCount < 0 || *set.Minimum > *set.Maximum {
		return invalid("%[1]sMaximum must not be below %[1]sMinimum, and %[1]sSampleCount not below 0.", at)
	}
	return nil
}

func checkNumber(name string, v number) *failure {
	if f := float64(v); math.IsNaN(f) || math.Abs(f) > maxMagnitude {
		return invalid("The value %v for parameter %s is invalid.", f, name)
	}
	return nil
}

// reading is what a datum that is right says.
func (d *datum) reading(namespace string, now time.Time) reading {
	r := reading{
		namespace: namespace, name: *d.MetricName, dimensions: make(map[string]string, len(d.Dimensions)),
		unit: "None", resolution: 60, time: now,
	}
	for _, dim := range d.Dimensions {
		r.dimensions[*dim.Name] = *dim.Value
	}
	if d.Unit != nil {
		r.unit = *d.Unit
	}
	if d.StorageResolution != nil {
		r.resolution = *d.StorageResolution
	}
	if d.Timestamp != nil {
		r.time = d.Timestamp.Time
	}
	switch {
	case d.Value != nil:
		r.values = []float64{float64(*d.Value)}
	case d.StatisticValues != nil:
		set := d.StatisticValues
		r.set = &StatisticSet{float64(*set.SampleCount), float64(*set.Sum), float64(*set.Minimum), float64(*set.Maximum)}
	}
	for _, v := range d.Values {
		r.values = append(r.values, float64(v))
	}
	for _, n := range d.Counts {
		r.counts = append(r.counts, float64(n))
	}
	return r
}

var units = []string{
	"Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes",
	"Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count",
	"Bytes/Second", "Kilobytes/Second", "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second",
	"Bits/Second", "Kilobits/Second", "Megabits/Second", "Gigabits/Second", "Terabits/Second", "Count/Second", "None",
}
