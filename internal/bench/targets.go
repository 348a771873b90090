package main

// noise is how much more than a limit is still taken for it.
const noise = 1.05

// target is what a row should reach. Limits that are 0 are none.
type target struct {
	row      string
	text     string
	peer     float64 // at most this ratio to the best peer
	value    float64 // at most this much, in ns or bytes; only for one CPU
	rate     float64 // at least so many MB/s
	added    float64 // at most this share of what the best peer adds to the floor
	noAllocs bool
}

// targets are the project's own, in the order of the table; a row that is not listed
// comes last.
var targets = []target{
	{row: "CounterInc", text: "≤ 1 × peer, 0 allocs", peer: 1, noAllocs: true},
	{row: "CounterAdd", text: "0 allocs", noAllocs: true},
	{row: "GaugeSet", text: "≤ 1 × peer, 0 allocs", peer: 1, noAllocs: true},
	{row: "HistogramObserve", text: "≤ 1 × peer, 0 allocs", peer: 1, noAllocs: true},
	{row: "WithTenant/1000", text: "< 30 ns, 0 allocs", value: 30, noAllocs: true},
	{row: "WithTenant/100000", text: "< 60 ns, 0 allocs", value: 60, noAllocs: true},
	{row: "RecorderCounter/5", text: "< 30 ns, 0 allocs", value: 30, noAllocs: true},
	{row: "RecorderCounter/50", text: "< 30 ns, 0 allocs", value: 30, noAllocs: true},
	{row: "TenantCounter/1000", text: "0 allocs", noAllocs: true},
	{row: "TenantCounter/100000", text: "0 allocs", noAllocs: true},
	{row: "LiftCounter", text: "< 120 ns", value: 120},
	{row: "LiftRequest", text: "adds < 0.2 of what Lift adds", added: 0.2},
	{row: "Event/1", text: "< 1.3 × append, 0 allocs", peer: 1.3, noAllocs: true},
	{row: "Event/10000", text: "< 1.3 × append, 0 allocs", peer: 1.3, noAllocs: true},
	{row: "Flush/1000", text: "≥ 700 MB/s", rate: 700},
	{row: "Flush/100000", text: "≥ 700 MB/s, < 1 s", rate: 700, value: 1e9},
	{row: "New", text: "< 100 µs", value: 100_000},
	{row: "Heap/1", text: "< 200 B", value: 200},
	{row: "Heap/5", text: "< 200 B", value: 200},
}

// judge returns the row's target and whether it is met.
func (r *row) judge() (text, verdict string) {
	for _, t := range targets {
		if t.row != r.name || t.value > 0 && r.cpus > 1 {
			continue
		}
		ours := r.contestant(us)
		switch {
		case t.peer > 0 && r.ratio(false) > t.peer*noise,
			t.value > 0 && ours.median(r.unit()) > t.value*noise,
			t.rate > 0 && ours.median("MB/s")*noise < t.rate,
			t.added > 0 && r.added() > t.added*noise,
			t.noAllocs && ours.median("allocs/op") > 0:
			return t.text, "**missed**"
		}
		return t.text, "met"
	}
	return "", ""
}
