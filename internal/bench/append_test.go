package main

import (
	"strconv"
	"sync"
	"time"
)

// The encoders in this file are what a patient person would write by hand for one
// document that is known in advance.

const namespace = "shop/checkout"

const (
	service = "checkout-api"
	region  = "eu-central-1"
)

var fixed = []struct{ name, value string }{{"Service", service}, {"Region", region}}

// sample is one event: a document of three dimensions, two properties, five metrics.
type sample struct {
	tenant, request, route string

	requests, bytes float64
	latency, lookup float64
	queries         [10]float64

	// What the encoder with a cache has at hand.
	dims []byte
}

// samplesOf returns events of n tenants in turn; values and properties differ even if
// there is one tenant only.
func samplesOf(n int) []sample {
	all := make([]sample, max(n, 64))
	next := 0
	thousandths := func() float64 { next++; return float64(int(latency(next)*1000)) / 1000 }
	for i := range all {
		s := &all[i]
		s.tenant = tenant(i % n)
		s.request = "5f1d7a84-3c2b-4e0f-9a6d-" + strconv.Itoa(100000000000+i*7919)
		s.route = "/v1/carts/{cart}/items"
		s.requests, s.bytes = 1, float64(1000+i%64*137)
		s.latency, s.lookup = thousandths(), thousandths()
		for j := range s.queries {
			s.queries[j] = thousandths()
		}
		s.dims = s.appendDimensions(nil)
	}
	return all
}

// appendString appends a JSON string.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		if c < ' ' {
			dst = append(dst, `\u00`...)
			dst = append(dst, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		} else {
			dst = append(dst, '\\', c)
		}
		start = i + 1
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendKey(dst []byte, key string) []byte { return append(appendString(dst, key), ':') }

func appendNumber(dst []byte, v float64) []byte { return strconv.AppendFloat(dst, v, 'g', -1, 64) }

func appendMember(dst []byte, key string, v float64) []byte {
	return append(appendNumber(appendKey(dst, key), v), ',')
}

func appendMetric(dst []byte, name, unit string) []byte {
	dst = appendString(appendKey(append(dst, '{'), "Name"), name)
	if unit != "" {
		dst = appendKey(append(dst, ','), "Unit")
		dst = appendString(dst, unit)
	}
	return append(dst, '}', ',')
}

// appendDirective appends all up to the metrics.
func appendDirective(dst []byte, at time.Time, tenantName string) []byte {
	dst = append(appendKey(append(dst, '{'), "_aws"), '{')
	dst = strconv.AppendInt(appendKey(dst, "Timestamp"), at.UnixMilli(), 10)
	dst = append(appendKey(append(dst, ','), "CloudWatchMetrics"), '[', '{')
	dst = appendString(appendKey(dst, "Namespace"), namespace)
	dst = append(appendKey(append(dst, ','), "Dimensions"), '[', '[')
	for _, d := range fixed {
		dst = append(appendString(dst, d.name), ',')
	}
	dst = append(appendString(dst, tenantName), ']', ']', ',')
	return append(appendKey(dst, "Metrics"), '[')
}

func endDirective(dst []byte) []byte { return append(dst[:len(dst)-1], `]}]},`...) }

func (s *sample) appendDimensions(dst []byte) []byte {
	for _, d := range fixed {
		dst = append(appendString(appendKey(dst, d.name), d.value), ',')
	}
	return append(appendString(appendKey(dst, "TenantID"), s.tenant), ',')
}

// appendEvent writes a sample with every key and string escaped.
func appendEvent(dst []byte, at time.Time, s *sample) []byte {
	dst = appendDirective(dst, at, "TenantID")
	dst = appendMetric(dst, "Requests", "Count")
	dst = appendMetric(dst, "BytesSent", "Bytes")
	dst = appendMetric(dst, "Latency", "Milliseconds")
	dst = appendMetric(dst, "LookupTime", "Milliseconds")
	dst = appendMetric(dst, "QueryTime", "Milliseconds")
	dst = endDirective(dst)
	dst = s.appendDimensions(dst)
	dst = append(appendString(appendKey(dst, "RequestID"), s.request), ',')
	dst = append(appendString(appendKey(dst, "Route"), s.route), ',')
	dst = appendMember(dst, "Requests", s.requests)
	dst = appendMember(dst, "BytesSent", s.bytes)
	dst = appendMember(dst, "Latency", s.latency)
	dst = appendMember(dst, "LookupTime", s.lookup)
	dst = append(appendKey(dst, "QueryTime"), '[')
	for _, v := range s.queries {
		dst = append(appendNumber(dst, v), ',')
	}
	dst[len(dst)-1] = ']'
	return append(dst, '}')
}

const (
	cachedHead = `{"_aws":{"Timestamp":`
	cachedBody = `,"CloudWatchMetrics":[{"Namespace":"shop/checkout","Dimensions":[["Service","Region","TenantID"]],"Metrics":[` +
		`{"Name":"Requests","Unit":"Count"},{"Name":"BytesSent","Unit":"Bytes"},{"Name":"Latency","Unit":"Milliseconds"},` +
		`{"Name":"LookupTime","Unit":"Milliseconds"},{"Name":"QueryTime","Unit":"Milliseconds"}]}]},`
)

// appendEventCached writes a sample with the directive, the keys and the dimensions at
// hand.
func appendEventCached(dst []byte, at time.Time, s *sample) []byte {
	dst = append(dst, cachedHead...)
	dst = strconv.AppendInt(dst, at.UnixMilli(), 10)
	dst = append(dst, cachedBody...)
	dst = append(dst, s.dims...)
	dst = appendString(append(dst, `"RequestID":`...), s.request)
	dst = appendString(append(dst, `,"Route":`...), s.route)
	dst = appendNumber(append(dst, `,"Requests":`...), s.requests)
	dst = appendNumber(append(dst, `,"BytesSent":`...), s.bytes)
	dst = appendNumber(append(dst, `,"Latency":`...), s.latency)
	dst = appendNumber(append(dst, `,"LookupTime":`...), s.lookup)
	dst = append(dst, `,"QueryTime":[`...)
	for _, v := range s.queries {
		dst = append(appendNumber(dst, v), ',')
	}
	dst[len(dst)-1] = ']'
	return append(dst, '}')
}

// writer is where encoders put their documents: one at a time, as lines must not mix.
type writer struct {
	mu    sync.Mutex
	write func([]byte)
}

func (w *writer) Write(doc []byte) (int, error) {
	w.mu.Lock()
	w.write(doc)
	w.mu.Unlock()
	return len(doc), nil
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}
