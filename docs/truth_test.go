package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What follows holds lists in the documentation against the code.

func TestReasonsForDropsAreListed(t *testing.T) {
	names := regexp.MustCompile(`(?s)reasonNames = \[reasons\]string\{(.*?)\n\}`).FindStringSubmatch(read(t, "../emf/account.go"))
	require.NotNil(t, names)
	assert.ElementsMatch(t, all(`"([^"]+)"`, names[1]), table(t, "drops.md", "reason"))

	options := read(t, "../sink/queuestats.go")
	assert.ElementsMatch(t, all(`Drop\w+ += "(\w+)"`, options), table(t, "guarantees.md", "reason"))
}

func TestOptionsAreListed(t *testing.T) {
	var options []string
	for _, file := range sources(t, "../emf") {
		options = append(options, all(`(?m)^func (With\w+)\(.*\) Option \{$`, read(t, file))...)
	}
	settings := strings.Join(table(t, "../README.md", "option of `emf.New`"), " ")
	assert.ElementsMatch(t, options, all("(With[A-Za-z]+)", settings))
}

// The map in CONTRIBUTING.md has every directory of Go files, and every file of package emf.
func TestMapIsComplete(t *testing.T) {
	text := read(t, "../CONTRIBUTING.md")
	seen := map[string]bool{}
	require.NoError(t, filepath.WalkDir("..", func(path string, _ os.DirEntry, err error) error {
		if dir := strings.TrimPrefix(filepath.Dir(path), "../"); filepath.Ext(path) == ".go" && !seen[dir] && !strings.HasPrefix(dir, "docs/snippet-") {
			seen[dir] = true
			mapped := false
			for up := dir; up != "." && !mapped; up = filepath.Dir(up) {
				mapped = strings.Contains(text, "\n    "+up+"/ ")
			}
			assert.True(t, mapped, "%s is not in the map", dir)
		}
		return err
	}))
	for _, dir := range all(`(?m)^    ([a-z0-9/]+)/ `, text) {
		assert.DirExists(t, filepath.Join("..", dir))
	}
	var files []string
	for _, file := range sources(t, "../emf") {
		files = append(files, filepath.Base(file))
	}
	inside := strings.Join(table(t, "../CONTRIBUTING.md", "file"), " ")
	assert.ElementsMatch(t, files, all("`([a-z]+\\.go)`", inside))
}

// Links between files lead somewhere, and so do references to documentation in comments.
func TestLinks(t *testing.T) {
	files, err := filepath.Glob("*.md")
	require.NoError(t, err)
	files = append(files, "../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md", "../testdata/README.md", "../internal/bench/README.md")
	for _, file := range files {
		for _, link := range all(`\]\(([^)\s]+)\)`, read(t, file)) {
			path, anchor, _ := strings.Cut(link, "#")
			if strings.Contains(path, "://") {
				continue
			}
			to := file
			if path != "" {
				to = filepath.Join(filepath.Dir(file), path)
			}
			if _, err := os.Stat(to); !assert.NoError(t, err, "%s: %s", file, link) || anchor == "" {
				continue
			}
			var headings []string
			for _, heading := range all(`(?m)^#+ (.*)$`, read(t, to)) {
				heading = regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(heading), "")
				headings = append(headings, strings.ReplaceAll(heading, " ", "-"))
			}
			assert.Contains(t, headings, anchor, "%s: %s", file, link)
		}
	}
	for _, dir := range []string{"../emf", "../emf/emftest", "../sink", "../sink/logevents", "../sink/metricdata", "../lift", "../middleware", "../cmd/emf"} {
		for _, file := range sources(t, dir) {
			for _, page := range all(`docs/([a-z]+\.md)`, read(t, file)) {
				assert.FileExists(t, page, file)
			}
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

// sources are the Go files in a directory, but for tests.
func sources(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	files = slices.DeleteFunc(files, func(file string) bool { return strings.HasSuffix(file, "_test.go") })
	require.NotEmpty(t, files)
	return files
}

// all returns what the group of a pattern matched, each time.
func all(pattern, text string) (list []string) {
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		list = append(list, match[1])
	}
	return list
}

// table returns the first cells of a table, without backquotes where that is all there is,
// below the heading of its first column.
func table(t *testing.T, file, heading string) (cells []string) {
	t.Helper()
	_, rows, found := strings.Cut(read(t, file), "\n| "+heading+" |")
	require.True(t, found, "%s has no table of %s", file, heading)
	for _, row := range strings.Split(rows, "\n")[2:] {
		if !strings.HasPrefix(row, "| ") {
			break
		}
		cell, _, _ := strings.Cut(row[2:], " |")
		if bare := strings.Trim(cell, "`"); !strings.Contains(bare, "`") {
			cell = bare
		}
		cells = append(cells, cell)
	}
	require.NotEmpty(t, cells)
	return cells
}
