package main

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	passes := `goos: linux
cpu: A processor
BenchmarkCounterInc/liftemf         	100	10.0 ns/op	0 B/op	0 allocs/op
BenchmarkCounterInc/liftemf-2       	100	30.0 ns/op	0 B/op	0 allocs/op
BenchmarkCounterInc/slow            	100	20.0 ns/op	0 B/op	0 allocs/op
BenchmarkCounterInc/slow-2          	100	20.0 ns/op	0 B/op	0 allocs/op
BenchmarkCounterInc/fast-native     	100	8.0 ns/op	0 B/op	0 allocs/op
BenchmarkCounterInc/floor:add       	100	5.0 ns/op	0 B/op	0 allocs/op
BenchmarkHeap/5/liftemf             	1	84.54 B/series	0 ns/op
BenchmarkHeap/5/slow                	1	640.0 B/series	0 ns/op
PASS
BenchmarkCounterInc/liftemf         	100	12.0 ns/op	0 B/op	0 allocs/op
BenchmarkFlush/1000/liftemf         	1	2000000 ns/op	650.00 MB/s	0 B/op	0 allocs/op
`
	var out strings.Builder
	if err := parse(strings.NewReader(passes)).print(&out, 2); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"A processor",
		"| CounterInc | 1 | 11 ns | 0 | 0 | fast-native | 8 ns | **1.38** | add | 5 ns | **2.20** | ≤ 1 × peer, 0 allocs | **missed** |",
		"| CounterInc | 2 | 30 ns | 0 | 0 | slow | 20 ns | **1.50** | | | | ≤ 1 × peer, 0 allocs | **missed** |",
		"| Heap/5 | 1 | 85 B | | | slow | 640 B | **0.13** | | | | < 200 B | met |",
		"| Flush/1000 | 1 | 2 ms, 650 MB/s | 0 | 0 | | | | | | | ≥ 700 MB/s | **missed** |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
