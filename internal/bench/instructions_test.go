package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

const (
	instructionsFile = "testdata/instructions.txt"
	// tolerance is how much more than what the file says is let through, beside one
	// instruction: hashes differ from run to run, and with them how far a look-up goes.
	tolerance = 1.05
)

// TestInstructions holds how many instructions each kind of work takes against what it took:
// unlike time, they are the same on a busy machine. UPDATE_GOLDEN=1 rewrites the file.
func TestInstructions(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	valgrind, err := exec.LookPath("valgrind")
	if err != nil {
		t.Skip("valgrind is missing: apt-get install valgrind")
	}
	update := os.Getenv("UPDATE_GOLDEN") != ""
	compiler, want := readInstructions(t)
	here := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	if !update && compiler != here {
		t.Skipf("%s was written with %q, this is %q: UPDATE_GOLDEN=1 rewrites it", instructionsFile, compiler, here)
	}
	binary := filepath.Join(t.TempDir(), "work")
	if out, err := exec.Command("go", "build", "-o", binary, "./work").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	names, err := exec.Command(binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	var file strings.Builder
	fmt.Fprintf(&file, "# Instructions for each, counted by valgrind; UPDATE_GOLDEN=1 go test -run TestInstructions . rewrites this.\n# %s\n", here)
	for name := range strings.Lines(string(names)) {
		name = strings.TrimSpace(name)
		got := instructions(t, valgrind, binary, name)
		fmt.Fprintf(&file, "%s\t%.1f\n", name, got)
		t.Logf("%-22s %9.1f", name, got)
		switch before, ok := want[name]; {
		case update:
		case !ok:
			t.Errorf("%s is not in %s: UPDATE_GOLDEN=1 adds it", name, instructionsFile)
		case got > before*tolerance+1:
			t.Errorf("%s takes %.1f instructions, it took %.1f", name, got, before)
		case got < before/tolerance-1:
			t.Logf("%s takes %.1f instructions, it took %.1f: UPDATE_GOLDEN=1 keeps it there", name, got, before)
		}
	}
	if update {
		if err := os.WriteFile(instructionsFile, []byte(file.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

var collected = regexp.MustCompile(`(?m)Collected : (\d+)`)

// instructions returns how many instructions one piece of work takes: the difference between
// doing it many times and few times.
func instructions(t *testing.T, valgrind, binary, name string) float64 {
	t.Helper()
	count := func(n int) float64 {
		cmd := exec.Command(valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", binary, name, strconv.Itoa(n))
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=off", "GODEBUG=asyncpreemptoff=1") // callgrind fails at signals
		out, err := cmd.CombinedOutput()
		m := collected.FindSubmatch(out)
		if err != nil || m == nil {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
		}
		v, _ := strconv.ParseFloat(string(m[1]), 64)
		return v
	}
	const few, many, cheap = 2000, 12_000, 2000
	base := count(few)
	each := (count(many) - base) / (many - few)
	if each < cheap { // so much that what differs from run to run does not matter
		each = (count(25*many) - base) / (25*many - few)
	}
	return each
}

// readInstructions returns the compiler and platform that the file is for, and what it says.
func readInstructions(t *testing.T) (compiler string, want map[string]float64) {
	t.Helper()
	want = make(map[string]float64)
	f, err := os.Open(instructionsFile)
	if os.IsNotExist(err) {
		return "", want
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if comment, ok := strings.CutPrefix(lines.Text(), "# "); ok {
			compiler = comment // the last one
			continue
		}
		name, value, _ := strings.Cut(lines.Text(), "\t")
		if want[name], err = strconv.ParseFloat(value, 64); err != nil {
			t.Fatalf("%s: %v", instructionsFile, err)
		}
	}
	return compiler, want
}
