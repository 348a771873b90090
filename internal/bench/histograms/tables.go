package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"github.com/liftemf/liftemf/internal/distribution"
)

var readQuantiles = []float64{0.5, 0.75, 0.9, 0.95, 0.99, 0.999}

const readHeader = " p50 | p75 | p90 | p95 | p99 | p99.9 |"

func printErrors(b *bytes.Buffer, most int) {
	fmt.Fprintln(b, "| data | values |"+readHeader+" worst from p10 | sum | entries |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, shape := range shapes {
		for _, n := range []int{10, 101, 10_000, 1_000_000, 10_000_000} {
			if n > most {
				continue
			}
			values := sample(shape.make, 1, n)
			entries := entriesOf(taken(values))
			var exact, got, size float64
			for _, v := range values {
				exact += v
				size += math.Abs(v)
			}
			for _, e := range entries {
				got += e.Value * float64(e.Count)
			}
			slices.Sort(values)
			fmt.Fprintf(b, "| %s | %d |", shape.name, n)
			for _, q := range readQuantiles {
				fmt.Fprintf(b, " %.2f %% |", off(values, entries, q))
			}
			fmt.Fprintf(b, " %.1f %% | %.0e | %d |\n", worst(values, entries), math.Abs(got-exact)/size, len(entries))
		}
	}
}

func printHosts(b *bytes.Buffer) {
	fmt.Fprintln(b, "| hosts | spread |"+readHeader+"\n|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, n := range []int{3, 5, 50, 200} {
		for _, spread := range []float64{0.2, 1} {
			values, merged := hosts(n, spread)
			fmt.Fprintf(b, "| %d | %v |", n, spread)
			for _, q := range readQuantiles {
				fmt.Fprintf(b, " %.2f %% |", off(values, merged, q))
			}
			fmt.Fprintln(b)
		}
	}
}

func printPrecision(b *bytes.Buffer) {
	fmt.Fprintln(b, "| data | precision | entries | documents | worst from p10 |\n|---|--:|--:|--:|--:|")
	row := func(name, precision string, sorted []float64, entries []distribution.Entry) {
		documents := (len(entries) + distribution.MaxEntries - 1) / distribution.MaxEntries
		fmt.Fprintf(b, "| %s | %s | %d | %d | %.2f %% |\n", name, precision, len(entries), documents, worst(sorted, entries))
	}
	for _, shape := range shapes[:6] {
		values := sample(shape.make, 2, 100_000)
		sorted := slices.Sorted(slices.Values(values))
		row(shape.name, "default", sorted, entriesOf(taken(values)))
		for _, p := range []float64{0.05, 0.02, 0.01} {
			row(shape.name, fmt.Sprint(p), sorted, taken(values).Within(p))
		}
	}
}
