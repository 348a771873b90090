package cwtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The limits of the embedded metric format where they are not those of PutMetricData.
const (
	maxEMFValues     = 100
	maxEMFMetrics    = 100
	maxEMFDimension  = 250 // a name
	maxEMFNameLength = 1024
)

// Extraction counts what became of the events of STANDARD log groups. The two kinds of
// errors are those that CloudWatch counts in EMFParsingErrors and EMFValidationErrors.
type Extraction struct {
	Documents        int // events with metrics that are held
	Plain            int // events that are not in the embedded metric format
	ParsingErrors    int // events that look like it and are malformed
	ValidationErrors int // events of which a metric or all of them are missing
}

// Extraction returns what became of events.
func (s *Server) Extraction() Extraction {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.emf
}

// errParsing is what is wrong with the form of a document.
var errParsing = errors.New("not the embedded metric format")

// extract makes metrics of an event. The caller has the lock.
func (s *Server) extract(message string) {
	var root map[string]json.RawMessage
	if json.Unmarshal([]byte(message), &root) != nil || root["_aws"] == nil {
		s.emf.Plain++
		return
	}
	doc := document{root: root, now: s.now()}
	err := doc.read()
	switch {
	case errors.Is(err, errParsing):
		s.emf.ParsingErrors++
		return
	case err != nil:
		s.emf.ValidationErrors++
		return
	}
	if doc.incomplete {
		s.emf.ValidationErrors++
	}
	if len(doc.readings) > 0 {
		s.emf.Documents++
	}
	for _, r := range doc.readings {
		s.hold(r)
	}
}

// document is one on its way to metrics.
type document struct {
	root        map[string]json.RawMessage
	now         time.Time
	time        time.Time
	resolutions map[string]int
	readings    []reading
	incomplete  bool // something has no target
}

// object is a JSON object whose members are found by their exact names.
type object map[string]json.RawMessage

// member reads a required member.
func (o object) member(name string, into any) error {
	raw, there := o[name]
	if !there || string(raw) == "null" {
		return fmt.Errorf("%w: no %s", errParsing, name)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%w: %s: %w", errParsing, name, err)
	}
	return nil
}

func (d *document) read() error {
	var metadata object
	if err := object(d.root).member("_aws", &metadata); err != nil {
		return err
	}
	var at json.Number
	var directives []object
	if err := errors.Join(metadata.member("Timestamp", &at), metadata.member("CloudWatchMetrics", &directives)); err != nil {
		return err
	}
	ms, err := at.Float64()
	if err != nil || ms != math.Trunc(ms) || strings.HasPrefix(string(metadata["Timestamp"]), `"`) {
		return fmt.Errorf("%w: Timestamp", errParsing)
	}
	d.time = time.UnixMilli(int64(ms))
	if d.time.Before(d.now.Add(-metricsBack)) || d.time.After(d.now.Add(metricsAhead)) {
		return errors.New("the timestamp is too old or too new")
	}
	d.resolutions = make(map[string]int)
	for _, directive := range directives {
		if err := d.directive(directive); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) directive(o object) error {
	var namespace string
	var sets [][]string
	var metrics []object
	if err := errors.Join(o.member("Namespace", &namespace), o.member("Dimensions", &sets), o.member("Metrics", &metrics)); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(namespace); n < 1 || n > maxEMFNameLength || strings.HasPrefix(namespace, ":") ||
		strings.TrimSpace(namespace) == "" || hasControl(namespace) {
		return fmt.Errorf("namespace %q", namespace)
	}
	if len(sets) == 0 {
		return errors.New("no dimension set")
	}
	if len(metrics) > maxEMFMetrics {
		return fmt.Errorf("%d metrics", len(metrics))
	}
	var under []map[string]string
	for _, set := range sets {
		dimensions, err := d.dimensions(set)
		if err != nil {
			return err
		}
		if dimensions != nil {
			under = append(under, dimensions)
		}
	}
	for _, m := range metrics {
		r, err := d.metric(m)
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		r.namespace = namespace
		for _, dimensions := range under {
			r.dimensions = dimensions
			d.readings = append(d.readings, *r)
		}
	}
	return nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// dimensions returns the set's names and values; nil if one has no target.
func (d *document) dimensions(set []string) (map[string]string, error) {
	if len(set) > maxDimensions {
		return nil, fmt.Errorf("%d dimensions", len(set))
	}
	dimensions := make(map[string]string, len(set))
	for _, name := range set {
		if n := utf8.RuneCountInString(name); n < 1 || n > maxEMFDimension || strings.TrimSpace(name) == "" || strings.HasPrefix(name, ":") || hasControl(name) {
			return nil, fmt.Errorf("dimension name %q", name)
		}
		raw, there := d.root[name]
		if !there {
			d.incomplete = true
			return nil, nil
		}
		var value string
		if raw[0] != '"' || json.Unmarshal(raw, &value) != nil {
			return nil, fmt.Errorf("dimension %q is not a string", name)
		}
		if n := utf8.RuneCountInString(value); strings.TrimSpace(value) == "" || n > maxDimensionLength || hasControl(value) {
			return nil, fmt.Errorf("the value of dimension %q", name)
		}
		dimensions[name] = value
	}
	return dimensions, nil
}

// metric returns a reading without namespace and dimensions; nil if it has no target or no
// values.
func (d *document) metric(o object) (*reading, error) {
	r := &reading{unit: "None", resolution: 60, time: d.time}
	if err := o.member("Name", &r.name); err != nil {
		return nil, err
	}
	if n := utf8.RuneCountInString(r.name); n < 1 || n > maxEMFNameLength || strings.ContainsAny(r.name, "\r\n") {
		return nil, fmt.Errorf("metric name %q", r.name)
	}
	if o["Unit"] != nil {
		if err := o.member("Unit", &r.unit); err != nil {
			return nil, err
		}
	}
	if o["StorageResolution"] != nil {
		var resolution float64
		if err := o.member("StorageResolution", &resolution); err != nil {
			return nil, err
		}
		r.resolution = int(resolution)
		if float64(r.resolution) != resolution {
			r.resolution = 0
		}
	}
	if !slices.Contains(units, r.unit) || r.resolution != 1 && r.resolution != 60 {
		return nil, fmt.Errorf("unit or resolution of %q", r.name)
	}
	if before, there := d.resolutions[r.name]; there && before != r.resolution {
		return nil, fmt.Errorf("two resolutions of %q", r.name)
	}
	d.resolutions[r.name] = r.resolution
	raw, there := d.root[r.name]
	if !there {
		d.incomplete = true
		return nil, nil
	}
	if err := r.target(raw); err != nil {
		return nil, fmt.Errorf("metric %q: %w", r.name, err)
	}
	if len(r.values) == 0 && r.set == nil {
		return nil, nil
	}
	return r, nil
}

// target reads a number, an array, {"Values","Counts"} or a statistic set.
func (r *reading) target(raw json.RawMessage) error {
	var err error
	switch raw[0] {
	case '[':
		r.values, err = numbersOf(raw)
	case '{':
		err = r.distribution(raw)
	default:
		var v float64
		v, err = numberOf(raw)
		r.values = []float64{v}
	}
	if err == nil && len(r.values) > maxEMFValues {
		err = fmt.Errorf("%d values", len(r.values))
	}
	return err
}

func numbersOf(raw json.RawMessage) ([]float64, error) {
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil || raw[0] != '[' {
		return nil, errors.New("not an array")
	}
	numbers := make([]float64, len(elements))
	for i, element := range elements {
		var err error
		if numbers[i], err = numberOf(element); err != nil {
			return nil, err
		}
	}
	return numbers, nil
}

func numberOf(raw json.RawMessage) (float64, error) {
	var v float64
	if raw[0] == 'n' { // null, which Unmarshal takes for a 0
		return 0, errors.New("not a number")
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return 0, err
	}
	if math.Abs(v) > maxMagnitude {
		return 0, fmt.Errorf("%v is out of range", v)
	}
	return v, nil
}

func (r *reading) distribution(raw json.RawMessage) error {
	var o object
	if err := json.Unmarshal(raw, &o); err != nil {
		return err
	}
	var err error
	if o["Values"] == nil {
		if o["Counts"] != nil {
			return errors.New("counts without values")
		}
		var parts [4]float64
		for i, name := range []string{"Count", "Sum", "Min", "Max"} {
			if o[name] == nil {
				return fmt.Errorf("no %s", name)
			}
			if parts[i], err = numberOf(o[name]); err != nil {
				return err
			}
		}
		r.set = &StatisticSet{parts[0], parts[1], parts[2], parts[3]}
		if r.set.SampleCount < 0 {
			return errors.New("a count below 0")
		}
		return nil
	}
	if r.values, err = numbersOf(o["Values"]); err != nil || o["Counts"] == nil {
		return err
	}
	if r.counts, err = numbersOf(o["Counts"]); err != nil {
		return err
	}
	if len(r.counts) != len(r.values) || slices.ContainsFunc(r.counts, func(n float64) bool { return n < 0 }) {
		return errors.New("not one count for each value")
	}
	return nil
}
