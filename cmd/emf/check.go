package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/liftemf/liftemf/emf"
)

// check is the command line of "emf check".
type check struct {
	Files         []string `arg:"" optional:"" name:"file" help:"Logs, of text or compressed by gzip; standard input if none is named, and for -."`
	Format        string   `default:"text" enum:"text,json" help:"Problems as text, or as JSON, one object a line: ${enum} (${default})."`
	Strict        bool     `help:"Every line must be a document. Without it lines that are none are skipped, since logs are mixed."`
	FailOnWarning bool     `help:"Warnings fail too."`
	Ignore        []string `placeholder:"RULE" help:"Rules not to report, such as timestamp-window for an old log."`
	Summary       string   `default:"text" enum:"text,json,none" help:"The summary on standard error: ${enum} (${default})."`
}

// Help is what "emf check --help" says beside the flags.
func (*check) Help() string {
	return `It reads logs and reports every rule of the embedded metric format that a line breaks, as "file:line: rule: message [severity at JSON pointer]". ` +
		`The exit code is 1 if there is an error. docs/rules.md lists the rules, and tells errors from warnings.

A line that is no document is skipped, unless it seems to have been meant as one: it is an object with "_aws" in it, or holds both _aws and CloudWatchMetrics, as a document does that was cut or wrapped in another.

Timestamps are judged as of now: that is right for a program that is running, and gives each old line the warning timestamp-window. For an old log, say --ignore timestamp-window.

  emf demo | emf check
  emf check --ignore timestamp-window,line-prefix exported/*.gz
  docker logs shop 2>&1 | emf check --format json | jq .rule`
}

// Validate is called by the parser.
func (cmd *check) Validate() error { return allExist(cmd.Files) }

// problem is a problem and where it is: a line of the command's JSON.
type problem struct {
	File string `json:"file"`
	Line int    `json:"line"`
	emf.Problem
}

// appendText appends the problem as compilers would write it.
func (p *problem) appendText(b []byte) []byte {
	b = fmt.Appendf(b, "%s:%d: %s: %s [%s", p.File, p.Line, p.Rule, visible(p.Message), p.Severity)
	if p.Path != "" {
		b = append(append(b, " at "...), visible(p.Path)...)
	}
	return append(b, "]\n"...)
}

// visible returns text with escapes for what is not printable: a log must not be able to
// break lines or to steer the terminal.
func visible(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) < 0 {
		return text
	}
	quoted := strconv.Quote(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// checked is what the check of a chunk finds.
type checked struct {
	output []byte
	checkSummary
}

// Run is the command.
func (cmd *check) Run(ctx context.Context, c *console) error {
	in := newInput(cmd.Files)
	done := showReading(c, in, true)
	total := newCheckSummary()
	err := inOrder(ctx, in, cmd.chunk, func(found checked) error {
		total.add(&found.checkSummary)
		_, err := c.documents.Write(found.output)
		return err
	})
	done()
	writeSummary(c.messages, cmd.Summary, &total)
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil: // half a log has no verdict
		return fmt.Errorf("%w: only the lines read so far were checked", errInterrupted)
	case total.Errors > 0, total.Warnings > 0 && cmd.FailOnWarning:
		return errFound
	}
	return nil
}

// errFound is the failure of a command that did what it should, and found something: its
// output says what.
var errFound = errors.New("problems were found")

// chunk checks the lines of a chunk.
func (cmd *check) chunk(c chunk) checked {
	found := checked{checkSummary: newCheckSummary()}
	line := c.line
	for text := range bytes.Lines(c.text) {
		found.Lines++
		var problems []emf.Problem
		document := cmd.Strict
		if c.cut {
			problems = tooLong
		} else {
			problems = emf.Check(text)
			document = document || isDocument(problems)
		}
		if document || meantAsDocument(text) {
			found.Documents++
		} else {
			found.Skipped++
			problems = nil
		}
		for _, p := range problems {
			if !cmd.ignores(p.Rule) {
				found.count(p)
				found.output = cmd.append(found.output, &problem{c.file, line, p})
			}
		}
		line++
	}
	return found
}

// tooLong is what is wrong with a line that was not read to its end.
var tooLong = []emf.Problem{{Rule: "document-size", Message: fmt.Sprintf("The line has more than %d bytes: split the document.", maxLine)}}

func (cmd *check) append(b []byte, p *problem) []byte {
	if cmd.Format == "text" {
		return p.appendText(b)
	}
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // it holds strings and numbers
	}
	return append(append(b, text...), '\n')
}

func (cmd *check) ignores(rule string) bool { return slices.Contains(cmd.Ignore, rule) }

// isDocument reports whether a line with these problems is a document, if not a sound one.
func isDocument(problems []emf.Problem) bool {
	return len(problems) != 1 || problems[0].Rule != "not-json" && problems[0].Rule != "not-emf"
}

// meantAsDocument reports whether a line that is no document seems to have been one before
// it was cut, wrapped or damaged. CloudWatch counts such lines in EMFParsingErrors.
func meantAsDocument(line []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("{")) && bytes.Contains(line, []byte(`"_aws"`)) ||
		bytes.Contains(line, []byte(`_aws`)) && bytes.Contains(line, []byte(`CloudWatchMetrics`))
}
