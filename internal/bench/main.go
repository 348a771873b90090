// Command bench measures liftemf beside other ways of doing the same and prints one
// table of ratios. The benchmarks are in the tests of this package, the explanations in
// README.md.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// oneCPU are rows in which nothing contends.
const oneCPU = "^Benchmark(Flush|Heap|New)$"

func main() {
	passes := flag.Int("passes", 10, "how often everything is measured, one pass after the other")
	each := flag.String("benchtime", "100ms", "time for each measurement, as go test -benchtime")
	rows := flag.String("bench", ".", "rows to measure, as go test -bench")
	quick := flag.Bool("quick", false, "3 passes of 20ms: to see that it works, not to quote")
	raw := flag.String("raw", "", "write the benchmarks' output to this file too, for benchstat")
	flag.Parse()
	if *quick {
		*passes, *each = 3, "20ms"
	}
	if err := run(*passes, *each, *rows, *raw); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(passes int, each, rows, raw string) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "bench.test")
	if out, err := exec.Command("go", "test", "-c", "-o", binary, ".").CombinedOutput(); err != nil {
		return fmt.Errorf("building the benchmarks: %w\n%s", err, out)
	}

	contended, err := contendedRows(binary)
	if err != nil {
		return err
	}

	var output bytes.Buffer
	begin := time.Now()
	for pass := range passes {
		fmt.Fprintf(os.Stderr, "\rpass %d of %d, %s", pass+1, passes, time.Since(begin).Round(time.Second))
		for _, part := range [][]string{
			{"-test.skip", oneCPU, "-test.cpu", "1,2"},
			{"-test.skip", contended, "-test.cpu", "1"},
		} {
			args := append([]string{"-test.run", "^$", "-test.bench", rows, "-test.benchtime", each}, part...)
			cmd := exec.Command(binary, args...)
			cmd.Stdout, cmd.Stderr = &output, os.Stderr
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("%v: %w\n%s", cmd.Args, err, output.Bytes())
			}
		}
	}
	fmt.Fprintln(os.Stderr)
	if raw != "" {
		if err := os.WriteFile(raw, output.Bytes(), 0o666); err != nil {
			return err
		}
	}
	if err := parse(&output).print(os.Stdout, passes); err != nil || rows != "." {
		return err
	}
	return printSizes(os.Stdout)
}

// contendedRows matches the benchmarks other than those of oneCPU.
func contendedRows(binary string) (string, error) {
	out, err := exec.Command(binary, "-test.list", "^Benchmark").Output()
	if err != nil {
		return "", fmt.Errorf("listing the benchmarks: %w", err)
	}
	single := regexp.MustCompile(oneCPU)
	names := slices.DeleteFunc(strings.Fields(string(out)), single.MatchString)
	return "^(" + strings.Join(names, "|") + ")$", nil
}
