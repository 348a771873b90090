package middleware_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/lambdatest"
)

// answered is an invocation as its caller saw it, and what it is known to have recorded.
type answered struct {
	lambdatest.Result
	id, tenant string
	recorded   []string
}

// a document as a reader of the log sees it, and where it ends on standard output.
type document struct {
	members map[string]any
	metrics []emf.Metric
	end     int64
}

func (d *document) text(member string) string { s, _ := d.members[member].(string); return s }

// values returns the values of a metric in the document.
func (d *document) values(name string) (list []string) {
	for _, m := range d.metrics {
		if m.Name == name {
			for _, v := range m.Values {
				list = append(list, fmt.Sprint(v))
			}
		}
	}
	return list
}

func documents(t *testing.T, stdout string) (list []document) {
	t.Helper()
	var end int64
	for line := range strings.Lines(stdout) {
		end += int64(len(line))
		require.True(t, strings.HasSuffix(line, "\n"), "a line that is not complete: %q", line)
		d := document{end: end}
		for _, p := range emf.Check([]byte(line)) {
			require.Equal(t, emf.SeverityWarning, p.Severity, "%v: %s", p, line)
		}
		require.NoError(t, json.Unmarshal([]byte(line), &d.members))
		metrics, err := emf.Extract([]byte(line))
		require.NoError(t, err)
		// A metric under several sets of dimensions comes once for each: one tells its values.
		for _, m := range metrics {
			if !slices.ContainsFunc(d.metrics, func(other emf.Metric) bool { return other.Name == m.Name }) {
				d.metrics = append(d.metrics, m)
			}
		}
		list = append(list, d)
	}
	return list
}

// A compiled function and a Runtime API: 1,000 invocations, four at once, with errors, panics,
// streams and a time-out. Every value of every invocation that had time to run is on standard
// output, before the answer, exactly once, under the invocation's own id and tenant.
func TestThousandInvocations(t *testing.T) {
	const invocations, atOnce, hangs = 1000, 4, 500
	f := lambdatest.Deploy(t, lambdatest.Config{
		Program:     lambdatest.Build(t, "../internal/lambdatest/shop"),
		Timeout:     5 * time.Second,
		Concurrency: atOnce,
		Shutdown:    20 * time.Second,
		Env:         []string{"EARLY=2s", "DRAIN=yes"},
	})
	results := make([]answered, invocations)
	work := make(chan int)
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for i := range work {
				then := ""
				switch {
				case i == hangs:
					then = "hang"
				case i%111 == 110:
					then = "panic"
				case i%10 == 3:
					then = "fail"
				case i%10 == 5:
					then = "wait"
				case i%10 == 7:
					then = "stream"
				}
				id, tenant := fmt.Sprintf("id-%d", i), fmt.Sprintf("tenant-%d", i%7)
				payload := fmt.Sprintf(`{"Values":[%d,%d,%d],"Then":%q}`, 10*i, 10*i+1, 10*i+2, then)
				results[i] = answered{id: id, tenant: tenant, Result: f.Invoke(lambdatest.Invocation{RequestID: id, TenantID: tenant, Payload: payload})}
			}
		})
	}
	for i := range invocations {
		work <- i
	}
	close(work)
	group.Wait()
	f.Shutdown()

	byID := make(map[string]*answered, invocations)
	outcomes := make(map[lambdatest.Outcome]int)
	for i := range results {
		byID[results[i].id] = &results[i]
		outcomes[results[i].Outcome]++
	}
	for i := range results {
		// A process that a panic is about to end may be given one more, which it never sees.
		if a := &results[i]; a.Outcome == lambdatest.TimedOut && i != hangs {
			a.Outcome = lambdatest.Exited
		}
	}
	for _, line := range lambdatest.Lines(f.Stderr()) {
		var id, tenant, value string
		if n, _ := fmt.Sscanf(line, "recorded %s %s %s", &id, &tenant, &value); n == 3 {
			require.Equal(t, byID[id].tenant, tenant)
			byID[id].recorded = append(byID[id].recorded, value)
		}
	}
	t.Log(outcomes, f.Starts(), "processes")
	assert.Equal(t, lambdatest.TimedOut, results[hangs].Outcome)
	assert.GreaterOrEqual(t, outcomes[lambdatest.Failed], 90)
	assert.LessOrEqual(t, outcomes[lambdatest.Exited], 40, "they were in a process that another took with it")

	type written struct{ values, late []string }
	seen := make(map[string]*written)
	counts := make(map[string]map[string]int) // of the invocation's own metrics, by id
	colds, sum := 0, 0.0
	var lastWords []string
	for _, d := range documents(t, f.Stdout()) {
		id := d.text("request_id")
		if v, ok := d.members["sum"].(float64); ok {
			sum += v
		}
		if d.members["ColdStart"] != nil {
			colds++
			assert.NotEmpty(t, id)
			assert.Equal(t, "shop", d.text("function_name"))
			continue
		}
		if id == "" {
			assert.NotEmpty(t, slices.Concat(d.values("sum"), d.values("reads")), "%v", d.members)
			continue
		}
		if len(d.values("last.words")) > 0 { // after the early flush: written on SIGTERM
			lastWords = append(lastWords, id)
		}
		a := byID[id]
		require.NotNil(t, a, id)
		assert.Equal(t, a.tenant, d.text("TenantID"))
		assert.Equal(t, "$LATEST", d.text("function_version"))
		if seen[id] == nil {
			seen[id], counts[id] = new(written), make(map[string]int)
		}
		if w := seen[id]; d.end <= a.Logged || a.Outcome == lambdatest.TimedOut || a.Outcome == lambdatest.Exited {
			w.values = append(w.values, d.values("value")...)
		} else {
			w.late = append(w.late, d.values("value")...)
		}
		for _, name := range []string{"requests.total", "requests.errors", "requests.duration", "requests.timeouts"} {
			counts[id][name] += len(d.values(name))
		}
	}
	assert.LessOrEqual(t, colds, f.Starts())
	assert.GreaterOrEqual(t, colds, f.Starts()-outcomes[lambdatest.Exited])
	assert.Equal(t, []string{results[hangs].id}, lastWords)
	ended, all := 0.0, 0.0
	for _, a := range results {
		for _, v := range a.recorded {
			n, err := strconv.ParseFloat(v, 64)
			require.NoError(t, err)
			all += n
			if a.Outcome == lambdatest.Responded || a.Outcome == lambdatest.Failed {
				ended += n
			}
		}
	}
	assert.GreaterOrEqual(t, sum, ended)
	assert.LessOrEqual(t, sum, all)
	for i, a := range results {
		w := seen[a.id]
		if w == nil {
			w = new(written)
		}
		assert.Empty(t, w.late, "%s: after the answer", a.id)
		want := map[string]int{"requests.total": 1, "requests.errors": 0, "requests.duration": 1, "requests.timeouts": 0}
		switch a.Outcome {
		case lambdatest.Exited:
			assert.Subset(t, a.recorded, w.values, a.id)
			assert.Len(t, w.values, len(slices.Compact(slices.Sorted(slices.Values(w.values)))), a.id)
			continue
		case lambdatest.TimedOut:
			want["requests.duration"], want["requests.timeouts"] = 0, 1
		case lambdatest.Failed:
			want["requests.errors"] = 1
		}
		assert.Len(t, a.recorded, 3, a.id)
		assert.ElementsMatch(t, a.recorded, w.values, "%s %s", a.id, a.Outcome)
		if counts[a.id]["requests.timeouts"] == 1 && i != hangs { // on a machine that is busy
			want["requests.timeouts"] = 1
		}
		assert.Equal(t, want, counts[a.id], "%s %s", a.id, a.Outcome)
	}
}

// A process that is frozen between invocations loses nothing of what is recorded while a
// response is streamed, though it may be late.
func TestFrozenProcess(t *testing.T) {
	f := lambdatest.Deploy(t, lambdatest.Config{
		Program:  lambdatest.Build(t, "../internal/lambdatest/shop"),
		Timeout:  time.Minute,
		Freeze:   true,
		Shutdown: 20 * time.Second,
		Env:      []string{"DRAIN=yes"},
	})
	const invocations = 50
	for range invocations {
		result := f.Invoke(lambdatest.Invocation{Payload: `{"Then":"stream"}`})
		require.Equal(t, lambdatest.Responded, result.Outcome)
		require.Equal(t, "streamed", result.Payload)
	}
	f.Shutdown()
	require.Equal(t, 1, f.Starts())
	reads, total := 0.0, 0.0
	for _, d := range documents(t, f.Stdout()) {
		v, _ := d.members["reads"].(float64)
		reads += v
		v, _ = d.members["requests.total"].(float64)
		total += v
	}
	assert.Equal(t, float64(invocations), total)
	assert.Equal(t, float64(strings.Count(f.Stderr(), "read\n")), reads)
	assert.GreaterOrEqual(t, reads, float64(invocations))
}

// Without SIGTERM the early flush is all there is between a time-out and SIGKILL.
func TestKilledAtTheDeadline(t *testing.T) {
	f := lambdatest.Deploy(t, lambdatest.Config{
		Program: lambdatest.Build(t, "../internal/lambdatest/shop"),
		Timeout: 5 * time.Second,
		Env:     []string{"EARLY=3s"},
	})
	result := f.Invoke(lambdatest.Invocation{RequestID: "id", TenantID: "acme", Payload: `{"Values":[1,2],"Then":"hang"}`})
	require.Equal(t, lambdatest.TimedOut, result.Outcome)
	require.Equal(t, lambdatest.Responded, f.Invoke(lambdatest.Invocation{RequestID: "next", Payload: "{}"}).Outcome)
	require.Equal(t, 2, f.Starts())
	var values []string
	sum := 0.0
	for _, d := range documents(t, f.Stdout()) {
		v, _ := d.members["sum"].(float64)
		sum += v
		if d.text("request_id") == "id" && d.members["ColdStart"] == nil {
			values = append(values, d.values("value")...)
			assert.Equal(t, "acme", d.text("TenantID"))
			assert.Equal(t, 1.0, d.members["requests.timeouts"])
			assert.Nil(t, d.members["last.words"])
		}
	}
	assert.Equal(t, []string{"1", "2"}, values)
	assert.Equal(t, 3.0, sum)
}
