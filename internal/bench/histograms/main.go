// Command histograms measures what histograms lose and what they take, and writes the tables
// and the plot of docs/histograms.md:
//
//	go -C internal/bench run ./histograms
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	docs := flag.String("docs", "../../docs", "the directory of histograms.md")
	most := flag.Int("most", 10_000_000, "the largest number of values")
	flag.Parse()
	if err := run(*docs, *most); err != nil {
		fmt.Fprintln(os.Stderr, "histograms:", err)
		os.Exit(1)
	}
}

func run(docs string, most int) error {
	path := filepath.Join(docs, "histograms.md")
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, table := range []struct {
		name  string
		print func(*bytes.Buffer)
	}{
		{"memory", printMemory},
		{"precision", printPrecision},
		{"hosts", printHosts},
		{"errors", func(b *bytes.Buffer) { printErrors(b, most) }},
	} {
		var text bytes.Buffer
		table.print(&text)
		if page, err = replace(page, table.name, text.Bytes()); err != nil {
			return err
		}
	}
	if err := plotErrors(filepath.Join(docs, "histograms.svg")); err != nil {
		return err
	}
	return os.WriteFile(path, page, 0o644)
}

// replace puts text between the marks of that name.
func replace(page []byte, name string, text []byte) ([]byte, error) {
	begin, end := []byte("<!-- "+name+" -->\n"), []byte("<!-- end -->")
	from := bytes.Index(page, begin)
	if from < 0 {
		return nil, fmt.Errorf("no mark %q", name)
	}
	from += len(begin)
	to := bytes.Index(page[from:], end)
	if to < 0 {
		return nil, fmt.Errorf("no end behind the mark %q", name)
	}
	return bytes.Join([][]byte{page[:from], text, page[from+to:]}, []byte("\n")), nil
}
