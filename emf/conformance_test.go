package emf

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	conformanceDir = filepath.Join("..", "testdata", "conformance")
	samplesDir     = filepath.Join("..", "testdata", "samples")
	schemaFile     = filepath.Join("..", "testdata", "schema", "emf.schema.json")
)

// conformanceMetric is a metric as the corpus writes it.
type conformanceMetric struct {
	Namespace  string                 `json:"namespace"`
	Name       string                 `json:"name"`
	Dimensions [][2]string            `json:"dimensions"`
	Unit       Unit                   `json:"unit"`
	Resolution Resolution             `json:"resolution"`
	Timestamp  int64                  `json:"timestamp"`
	Values     []float64              `json:"values,omitempty"`
	Counts     []float64              `json:"counts,omitempty"`
	Statistics *conformanceStatistics `json:"statistics,omitempty"`
}

type conformanceStatistics struct {
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
	Sum   float64 `json:"sum"`
	Count float64 `json:"count"`
}

func conformanceMetrics(metrics []Metric) []conformanceMetric {
	list := []conformanceMetric{}
	for _, m := range metrics {
		c := conformanceMetric{
			Namespace: m.Namespace, Name: m.Name, Dimensions: [][2]string{}, Unit: m.Unit, Resolution: m.Resolution,
			Timestamp: m.Time.UnixMilli(), Values: m.Values, Counts: m.Counts,
		}
		for _, d := range m.Dimensions {
			c.Dimensions = append(c.Dimensions, [2]string{d.Name, d.Value})
		}
		if m.Stats != nil {
			c.Statistics = &conformanceStatistics{m.Stats.Min, m.Stats.Max, m.Stats.Sum, m.Stats.Count}
		}
		list = append(list, c)
	}
	return list
}

// marshalMetrics writes one metric a line.
func marshalMetrics(t *testing.T, metrics []Metric) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("[")
	for i, m := range conformanceMetrics(metrics) {
		if i > 0 {
			b.WriteString(",")
		}
		line, err := json.Marshal(m)
		require.NoError(t, err)
		b.WriteString("\n")
		b.Write(line)
	}
	b.WriteString("\n]\n")
	return b.Bytes()
}

// writeConformance rewrites the corpus from its table. What Extract returns is written
// as it is: read the difference before committing it.
func writeConformance(t *testing.T) {
	old, err := filepath.Glob(filepath.Join(conformanceDir, "*.json"))
	require.NoError(t, err)
	for _, file := range old {
		require.NoError(t, os.Remove(file))
	}
	for _, c := range conformanceCases() {
		file := filepath.Join(conformanceDir, c.name)
		require.NoError(t, os.WriteFile(file+".json", []byte(c.line+"\n"), 0o644))
		if strings.HasPrefix(c.name, "error_") {
			continue
		}
		metrics, err := Extract([]byte(c.line))
		require.NoError(t, err, c.name)
		require.NoError(t, os.WriteFile(file+".metrics.json", marshalMetrics(t, metrics), 0o644))
	}
}

// conformanceLines returns the corpus: lines by the names of their files.
func conformanceLines(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(conformanceDir, "*.json"))
	require.NoError(t, err)
	lines := make(map[string][]byte)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if strings.HasSuffix(name, ".metrics") {
			continue
		}
		line, err := os.ReadFile(file)
		require.NoError(t, err)
		lines[name] = line
	}
	require.GreaterOrEqual(t, len(lines), 150)
	return lines
}

// The corpus is for other projects too, so what they read must be what is checked here.
// UPDATE_CONFORMANCE=1 rewrites it from conformanceCases.
func TestConformanceIsCurrent(t *testing.T) {
	if os.Getenv("UPDATE_CONFORMANCE") != "" {
		writeConformance(t)
	}
	lines := conformanceLines(t)
	for _, c := range conformanceCases() {
		assert.Equal(t, c.line+"\n", string(lines[c.name]), c.name)
		delete(lines, c.name)
	}
	for name := range lines {
		t.Errorf("%s has no case in conformanceCases", name)
	}
}

func TestConformance(t *testing.T) {
	for name, line := range conformanceLines(t) {
		t.Run(name, func(t *testing.T) {
			verdict, rest, _ := strings.Cut(name, "_")
			rule, _, _ := strings.Cut(rest, "_")
			problems := checkAt(line, time.UnixMilli(conformanceTime))
			metrics, err := Extract(line)
			switch verdict {
			case "ok":
				assert.Empty(t, problems)
			case "warning", "error":
				require.NotEmpty(t, problems)
				worst := SeverityWarning
				for _, p := range problems {
					assert.Equal(t, rule, p.Rule, "breaks another rule: %v", p)
					worst = min(worst, p.Severity)
				}
				assert.Equal(t, verdict, worst.String())
			default:
				t.Fatalf("unknown verdict %q", verdict)
			}
			file := filepath.Join(conformanceDir, name+".metrics.json")
			if verdict == "error" {
				var invalid InvalidError
				require.True(t, errors.As(err, &invalid), "Extract returned %v", err)
				assert.True(t, hasError(invalid.Problems))
				assert.ErrorContains(t, err, rule)
				assert.Nil(t, metrics)
				assert.NoFileExists(t, file)
				return
			}
			require.NoError(t, err)
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(marshalMetrics(t, metrics)))
		})
	}
}

// Every pointer leads somewhere: to what breaks the rule, or what lacks a member.
func TestConformancePaths(t *testing.T) {
	for name, line := range conformanceLines(t) {
		for _, p := range checkAt(line, time.UnixMilli(conformanceTime)) {
			if p.Rule == ruleNotJSON || p.Rule == ruleInvalidUTF8 || p.Rule == ruleLoneSurrogate {
				continue // encoding/json cannot read the key, or replaces it
			}
			var doc any
			decoder := json.NewDecoder(bytes.NewReader(line[linePrefix(line):]))
			decoder.UseNumber()
			require.NoError(t, decoder.Decode(&doc))
			_, found := followPointer(doc, p.Path)
			assert.True(t, found, "%s: %v", name, p)
		}
	}
}

// followPointer looks up a JSON pointer.
func followPointer(value any, pointer string) (any, bool) {
	if pointer == "" {
		return value, true
	}
	for _, part := range strings.Split(pointer, "/")[1:] {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		switch v := value.(type) {
		case map[string]any:
			next, ok := v[part]
			if !ok {
				return nil, false
			}
			value = next
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(v) {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// Rules in code, in the corpus and in the documentation are the same.
func TestRulesAreDocumentedAndBroken(t *testing.T) {
	inCode := rulesInCode(t)

	inCorpus := map[string]bool{}
	for name := range conformanceLines(t) {
		if verdict, rest, _ := strings.Cut(name, "_"); verdict != "ok" {
			rule, _, _ := strings.Cut(rest, "_")
			inCorpus[rule] = true
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "docs", "rules.md"))
	require.NoError(t, err)
	inDocs := map[string]bool{}
	for _, match := range regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\|").FindAllSubmatch(text, -1) {
		assert.False(t, inDocs[string(match[1])], "docs/rules.md has %s twice", match[1])
		inDocs[string(match[1])] = true
	}
	for _, rule := range inCode {
		assert.True(t, inCorpus[rule], "no file in testdata/conformance breaks %s", rule)
		assert.True(t, inDocs[rule], "docs/rules.md lacks %s", rule)
		delete(inCorpus, rule)
		delete(inDocs, rule)
	}
	assert.Empty(t, inCorpus, "in testdata/conformance, but not in rules.go")
	assert.Empty(t, inDocs, "in docs/rules.md, but not in rules.go")
}

// rulesInCode returns the values of the constants named rule... in rules.go.
func rulesInCode(t *testing.T) (rules []string) {
	file, err := parser.ParseFile(token.NewFileSet(), "rules.go", nil, 0)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && strings.HasPrefix(spec.Names[0].Name, "rule") {
			rule, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			rules = append(rules, rule)
		}
		return true
	})
	require.NotEmpty(t, rules)
	return rules
}

// AWS's schema never rejects what Check accepts.
func TestConformanceAgainstSchema(t *testing.T) {
	schema := loadSchema(t)
	refused := 0
	for name, line := range conformanceLines(t) {
		if err := againstSchema(schema, line); err != nil {
			refused++
			assert.True(t, hasError(checkAt(line, time.UnixMilli(conformanceTime))), "%s: %v", name, err)
		}
	}
	assert.Greater(t, refused, 40, "the schema refuses next to nothing: is it applied?")
}

func loadSchema(t *testing.T) *jsonschema.Schema {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7)
	schema, err := compiler.Compile(schemaFile)
	require.NoError(t, err)
	return schema
}

func againstSchema(schema *jsonschema.Schema, line []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(line[linePrefix(line):]))
	if err != nil {
		return err
	}
	return schema.Validate(doc)
}

func hasError(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Severity == SeverityError })
}
