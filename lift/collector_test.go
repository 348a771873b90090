package lift_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/lift"
)

// tags is short for what callers pass.
type tags = map[string]string

func TestTagsAreDimensions(t *testing.T) {
	for name, c := range map[string]struct {
		opts []lift.Option
		tags []tags
		want tags
	}{
		"no map":                      {nil, nil, tags{}},
		"a nil map":                   {nil, []tags{nil}, tags{}},
		"only nil maps":               {nil, []tags{nil, nil}, tags{}},
		"an empty map":                {nil, []tags{{}}, tags{}},
		"one map":                     {nil, []tags{{"method": "GET", "path": "/"}}, tags{"method": "GET", "path": "/"}},
		"several maps":                {nil, []tags{{"a": "1"}, nil, {"b": "2"}}, tags{"a": "1", "b": "2"}},
		"a later map wins":            {nil, []tags{{"a": "1", "b": "1"}, {"b": "2"}, {"a": "3"}}, tags{"a": "3", "b": "2"}},
		"empty values are left out":   {nil, []tags{{"a": "", "b": "2"}}, tags{"b": "2"}},
		"empty values take nothing":   {nil, []tags{{"a": "1"}, {"a": ""}}, tags{"a": "1"}},
		"blank values are left out":   {nil, []tags{{"a": "  ", "b": "2"}}, tags{"b": "2"}},
		"not ASCII":                   {nil, []tags{{"città": "Zürich"}}, tags{"citt_": "Z_rich"}},
		"tenant_id is TenantID":       {nil, []tags{{"tenant_id": "t1", "Zone": "z"}}, tags{"TenantID": "t1", "Zone": "z"}},
		"no tenant":                   {nil, []tags{{"tenant_id": "", "method": "GET"}}, tags{"method": "GET"}},
		"its own name wins":           {nil, []tags{{"tenant_id": "t1", "TenantID": "t2"}}, tags{"TenantID": "t2"}},
		"a tag without a name":        {nil, []tags{{"": "x", "method": "GET"}}, tags{"method": "GET"}},
		"nothing but that":            {nil, []tags{{"": "x"}}, tags{}},
		"three for one dimension":     {[]lift.Option{lift.WithTagAlias("z", "x"), lift.WithTagAlias("a", "x")}, []tags{{"a": "1", "z": "2", "x": "3"}}, tags{"x": "3"}},
		"three, two of them empty":    {[]lift.Option{lift.WithTagAlias("z", "x"), lift.WithTagAlias("a", "x")}, []tags{{"a": "1", "z": "", "x": "", "y": "2"}}, tags{"x": "1", "y": "2"}},
		"unless it is empty":          {nil, []tags{{"tenant_id": "t1", "TenantID": ""}}, tags{"TenantID": "t1"}},
		"an alias in a later map":     {nil, []tags{{"TenantID": "t2"}, {"tenant_id": "t1"}}, tags{"TenantID": "t1"}},
		"another alias":               {[]lift.Option{lift.WithTagAlias("tenant_id", "Tenant")}, []tags{{"tenant_id": "t1"}}, tags{"Tenant": "t1"}},
		"no alias":                    {[]lift.Option{lift.WithTagAlias("tenant_id", "")}, []tags{{"tenant_id": "t1"}}, tags{"tenant_id": "t1"}},
		"the first of two aliases":    {[]lift.Option{lift.WithTagAlias("z", "x"), lift.WithTagAlias("a", "x")}, []tags{{"a": "1", "z": "2"}}, tags{"x": "2"}},
		"two names that are swapped":  {[]lift.Option{lift.WithTagAlias("a", "b"), lift.WithTagAlias("b", "a")}, []tags{{"a": "1", "b": "2"}}, tags{"a": "2", "b": "1"}},
		"as many as CloudWatch takes": {nil, []tags{many(30)}, many(30)},
		"more, as properties":         {nil, []tags{many(40)}, many(30)},
	} {
		t.Run(name, func(t *testing.T) {
			for range 5 { // map order must not matter
				m, e, sink := collector(t, c.opts...)
				for range 3 { // the keys of the maps are known from the second time on
					m.Counter("n", c.tags...).Inc()
				}
				require.NoError(t, m.Flush())
				require.Equal(t, c.want, sink.one(t).dimensions)
				require.EqualValues(t, 3, requireLaw(t, e).Delivered)
			}
		})
	}
}

func many(n int) tags {
	m := tags{}
	for i := range n {
		m[fmt.Sprintf("tag%02d", i)] = "v"
	}
	return m
}

// More kinds of maps than are remembered, values that come and go, and keys of the same
// number that are others.
func TestManyShapesOfTags(t *testing.T) {
	m, _, sink := collector(t)
	for round := range 3 {
		for i := range 12 {
			key := fmt.Sprint("k", i)
			m.Counter("n", tags{key: "1", "tenant_id": "t"}).Inc()
			m.Counter("n", tags{key: "1", "tenant_id": ""}).Inc()
			m.Counter("n", tags{key: fmt.Sprint(round), "b": "", "TenantID": "t"}).Inc()
		}
	}
	require.NoError(t, m.Flush())
	got := map[string]float64{}
	for _, d := range sink.documents(t) {
		got[fmt.Sprint(d.dimensions)] += d.sum("n")
	}
	want := map[string]float64{}
	for i := range 12 {
		want[fmt.Sprintf("map[TenantID:t k%d:0]", i)] = 1
		want[fmt.Sprintf("map[TenantID:t k%d:1]", i)] = 4
		want[fmt.Sprintf("map[TenantID:t k%d:2]", i)] = 1
		want[fmt.Sprintf("map[k%d:1]", i)] = 3
	}
	require.Equal(t, want, got)
}

// Which of two tags becomes a dimension depends on values, and so must not be learnt.
func TestShapesOfTagsForOneDimension(t *testing.T) {
	m, _, sink := collector(t)
	for range 3 {
		m.Counter("n", tags{"tenant_id": "a", "TenantID": "b"}).Add(1)
		m.Counter("n", tags{"tenant_id": "a", "TenantID": ""}).Add(10)
		m.Counter("n", tags{"tenant_id": "", "TenantID": "b"}).Add(100)
		m.Counter("n", tags{"tenant_id": "", "TenantID": ""}).Add(1000)
	}
	require.NoError(t, m.Flush())
	got := map[string]float64{}
	for _, d := range sink.documents(t) {
		got[d.dimensions["TenantID"]] += d.sum("n")
	}
	require.Equal(t, map[string]float64{"a": 30, "b": 303, "": 3000}, got)
}

func TestMapsStayTheCallers(t *testing.T) {
	m, _, sink := collector(t)
	shared := tags{"method": "GET"}
	counter := m.Counter("n", shared)
	copied := m.WithTags(shared)
	entries := []*lift.MetricEntry{{Name: "batch", Value: 1, Tags: shared}}
	require.NoError(t, m.RecordBatch(entries))
	shared["method"] = "POST"
	counter.Inc()
	copied.RecordSuccess("op")
	require.NoError(t, m.Flush())
	require.Equal(t, tags{"method": "POST"}, shared)
	require.Equal(t, tags{"method": "GET"}, sink.one(t).dimensions)

	m.Counter("n", shared).Inc()
	require.NoError(t, m.Flush())
	require.Equal(t, tags{"method": "POST"}, sink.documents(t)[1].dimensions)
}

func TestTheSameHandle(t *testing.T) {
	m, _, _ := collector(t)
	require.Same(t, m.Counter("n", tags{"a": "1", "b": "2"}), m.Counter("n", tags{"a": "1"}, tags{"b": "2"}))
	require.Same(t, m.Histogram("h", tags{"a": "1"}), m.WithTag("a", "1").Histogram("h"))
	require.Same(t, m.Gauge("g", tags{"TenantID": "1"}), m.WithTenant("1").Gauge("g"))
}

func TestHandles(t *testing.T) {
	m, e, sink := collectorOf(t, []emf.Option{emf.WithDimensions(emf.Dim("Service", "api"))})
	m.Counter("requests.total").Inc()
	m.Counter("requests.total").Add(2)
	m.Counter("balance").Add(-1.5)
	m.Histogram("basket").Observe(3)
	m.Histogram("basket").Observe(1)
	active := m.Gauge("requests.active")
	active.Inc()
	active.Inc()
	active.Dec()
	active.Add(3)
	m.Gauge("level").Set(1)
	m.Gauge("level").Set(7)
	require.NoError(t, m.Flush())
	d := sink.one(t)
	require.Equal(t, tags{"Service": "api"}, d.dimensions)
	require.Equal(t, map[string]any{
		"requests.total": 3.0, "balance": -1.5, "basket": []any{3.0, 1.0}, "requests.active": 4.0, "level": 7.0,
	}, d.members)
	require.Equal(t, tags{
		"requests.total": "Count", "balance": "Count", "basket": "", "requests.active": "Count", "level": "",
	}, d.units)
	require.Equal(t, noon.UnixMilli(), d.at)
	requireLaw(t, e)
}

func TestCopies(t *testing.T) {
	m, _, sink := collectorOf(t, []emf.Option{emf.WithDimensions(emf.Dim("Env", "prod"))})
	var c lift.ObservabilityCollector = m
	c.WithTag("a", "1").WithTags(tags{"b": "2"}).WithTag("a", "3").Counter("n", tags{"b": "4", "c": "5"}).Inc()
	m.WithDimensions(tags{"Env": "test"}).WithTenant("t1").RecordCount("n", 1)
	m.WithTenant("").WithDimensions(nil).RecordCount("n", 1)
	c.WithTag("tenant_id", "").RecordSuccess("op")
	require.NoError(t, m.Flush())
	docs := sink.documents(t)
	require.Len(t, docs, 3)
	require.Equal(t, tags{"Env": "prod", "a": "3", "b": "4", "c": "5"}, docs[0].dimensions)
	require.Equal(t, tags{"Env": "test", "TenantID": "t1"}, docs[1].dimensions)
	require.Equal(t, tags{"Env": "prod"}, docs[2].dimensions)
	require.Equal(t, map[string]any{"n": 1.0, "op.success": 1.0}, docs[2].members)
}

func TestCopiesRecordUnderTheEmittersTenantDimension(t *testing.T) {
	m, _, sink := collectorOf(t, []emf.Option{emf.WithTenantDimension("Customer")}, lift.WithTagAlias("tenant_id", "Customer"))
	m.WithTenant("t1").RecordCount("n", 1)
	m.Counter("n", tags{"tenant_id": "t1"}).Inc()
	require.NoError(t, m.Flush())
	d := sink.one(t)
	require.Equal(t, tags{"Customer": "t1"}, d.dimensions)
	require.Equal(t, 2.0, d.sum("n"))
}

func TestRecord(t *testing.T) {
	for name, c := range map[string]struct {
		record func(m *lift.Collector)
		metric string
		value  any
		unit   string
	}{
		"count":                   {func(m *lift.Collector) { m.RecordCount("n", 3) }, "n", 3.0, "Count"},
		"negative count":          {func(m *lift.Collector) { m.RecordCount("n", -3) }, "n", -3.0, "Count"},
		"counts":                  {func(m *lift.Collector) { m.RecordCount("n", 3); m.RecordCount("n", 4) }, "n", 7.0, "Count"},
		"duration":                {func(m *lift.Collector) { m.RecordDuration("d", 999*time.Microsecond) }, "d", 0.999, "Milliseconds"},
		"long duration":           {func(m *lift.Collector) { m.RecordDuration("d", time.Hour) }, "d", 3.6e6, "Milliseconds"},
		"gauge":                   {func(m *lift.Collector) { m.RecordGauge("g", 1.5); m.RecordGauge("g", 2.5) }, "g", 2.5, ""},
		"gauge of bytes":          {func(m *lift.Collector) { m.RecordGauge("queue.size", 2) }, "queue.size", 2.0, "Bytes"},
		"gauge, then RecordGauge": {func(m *lift.Collector) { m.Gauge("queue.size").Set(1); m.RecordGauge("queue.size", 2) }, "queue.size", 2.0, "Bytes"},
		"RecordGauge, then gauge": {func(m *lift.Collector) { m.RecordGauge("queue.size", 2); m.Gauge("queue.size").Inc() }, "queue.size", 3.0, "Bytes"},
		"latency":                 {func(m *lift.Collector) { m.RecordLatency("pay", 1500*time.Microsecond) }, "pay.latency", 1.5, "Milliseconds"},
		"error":                   {func(m *lift.Collector) { m.RecordError("pay"); m.RecordError("pay") }, "pay.errors", 2.0, "Count"},
		"success":                 {func(m *lift.Collector) { m.RecordSuccess("pay") }, "pay.success", 1.0, "Count"},
		"metric":                  {func(m *lift.Collector) { m.RecordMetric("m", 2, emf.GigabitsPerSecond) }, "m", 2.0, "Gigabits/Second"},
		"metrics":                 {func(m *lift.Collector) { m.RecordMetric("m", 2, emf.Count); m.RecordMetric("m", 1, emf.Count) }, "m", []any{2.0, 1.0}, "Count"},
		"without unit":            {func(m *lift.Collector) { m.RecordMetric("m.size", 2, "") }, "m.size", 2.0, "Bytes"},
		"with no unit":            {func(m *lift.Collector) { m.RecordMetric("m.size", 2, emf.None) }, "m.size", 2.0, ""},
		"unknown unit":            {func(m *lift.Collector) { m.RecordMetric("m", 2, "Parsecs") }, "m", 2.0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m, e, sink := collector(t)
			c.record(m)
			require.NoError(t, m.Flush())
			d := sink.one(t)
			require.Equal(t, map[string]any{c.metric: c.value}, d.members)
			require.Equal(t, tags{c.metric: c.unit}, d.units)
			require.Zero(t, requireLaw(t, e).Dropped)
		})
	}
}

func TestWhatIsDroppedIsCounted(t *testing.T) {
	m, e, sink := collector(t)
	zero := 0.0
	m.RecordMetric("nan", zero/zero, emf.Count)
	m.Gauge("inf").Set(1 / zero)
	m.Histogram("far").Observe(1e300)
	m.Counter("").Inc()
	m.Counter(strings.Repeat("x", 256)).Inc()
	m.Counter("method", tags{"method": "GET"}).Inc()
	m.Histogram("n").Observe(1)
	m.Counter("n").Inc() // another kind
	m.RecordMetric("n", 1, emf.Bytes)
	m.Counter("good").Inc()
	require.NoError(t, m.Flush())
	require.Equal(t, map[string]any{"n": 1.0, "good": 1.0}, sink.one(t).members)
	s := requireLaw(t, e)
	require.Equal(t, map[string]uint64{"not finite": 2, "out of range": 1, "bad name": 2, "conflict": 3}, s.Drops)
	require.EqualValues(t, 8, m.GetStats().MetricsDropped)
}

func TestDeltaGauges(t *testing.T) {
	m, _, sink := collector(t, lift.WithDeltaGauges("websocket.connections.active", "other"))
	g := m.Gauge("websocket.connections.active", tags{"route_key": "$connect"})
	g.Inc()
	g.Inc()
	g.Dec()
	g.Add(2.5)
	g.Set(10)
	m.Gauge("requests.active").Inc()
	require.NoError(t, m.Flush())
	docs := sink.documents(t)
	require.Equal(t, map[string]any{"websocket.connections.active": 13.5}, docs[0].members)
	require.Equal(t, tags{"websocket.connections.active": "Count"}, docs[0].units)
	require.Equal(t, map[string]any{"requests.active": 1.0}, docs[1].members)

	m.Gauge("websocket.connections.active", tags{"route_key": "$connect"}).Dec()
	require.NoError(t, m.Flush())
	require.Equal(t, -1.0, sink.documents(t)[2].members["websocket.connections.active"], "the change of the interval")
}

// All that can record the name of a delta gauge adds to one sum, whatever comes first.
func TestDeltaGaugesWithoutHandles(t *testing.T) {
	const name = "websocket.connections.active"
	calls := []func(*lift.Collector){
		func(m *lift.Collector) { m.Gauge(name).Add(1) },
		func(m *lift.Collector) { m.RecordGauge(name, 20) },
		func(m *lift.Collector) { m.RecordMetric(name, 300, emf.None) },
		func(m *lift.Collector) { m.RecordMetric(name, -100, "") },
		func(m *lift.Collector) {
			require.NoError(t, m.RecordBatch([]*lift.MetricEntry{{Name: name, Value: 4000}, {Name: name, Value: 1000, Unit: "Bytes"}}))
		},
		func(m *lift.Collector) { m.RecordCount(name, 1) },
	}
	for first := range calls {
		m, e, sink := collector(t, lift.WithDeltaGauges(name))
		for i := range calls {
			calls[(first+i)%len(calls)](m)
		}
		require.NoError(t, m.RecordBatch([]*lift.MetricEntry{{Name: name, Value: -7, Timestamp: noon}}))
		require.NoError(t, m.Flush())
		docs := sink.documents(t)
		require.Len(t, docs, 2)
		require.Equal(t, map[string]any{name: -7.0}, docs[0].members)
		require.Equal(t, map[string]any{name: 5222.0}, docs[1].members)
		require.Equal(t, tags{name: "Count"}, docs[1].units)
		require.Zero(t, requireLaw(t, e).Dropped)
	}
}

// A framework may have no collector, as where nobody gave it one.
func TestWithoutEmitter(t *testing.T) {
	for name, m := range map[string]*lift.Collector{
		"nil emitter":    lift.NewCollector(nil, nil),
		"zero emitter":   lift.NewCollector(new(emf.Emitter)),
		"nil collector":  nil,
		"zero collector": {},
	} {
		t.Run(name, func(t *testing.T) {
			m.Counter("n", tags{"a": "1"}).Inc()
			m.Gauge("g").Set(1)
			m.Histogram("h", nil).Observe(1)
			m.RecordCount("n", 1)
			m.RecordGauge("g", 1)
			m.RecordMetric("m", 1, emf.Bytes)
			m.RecordDuration("d", time.Second)
			m.WithTenant("t").WithTag("a", "b").RecordLatency("op", time.Second)
			m.WithDimensions(tags{"a": "1"}).RecordError("op")
			m.WithTags(nil).RecordSuccess("op")
			require.NoError(t, m.RecordBatch([]*lift.MetricEntry{{Name: "n", Timestamp: noon}, nil}))
			require.NoError(t, m.Flush())
			require.NoError(t, m.WithTenant("t").Close())
			require.NoError(t, m.Close())
			require.Zero(t, m.GetStats())
		})
	}
}

func TestEqualInputGivesEqualBytes(t *testing.T) {
	run := func() string {
		m, _, sink := collector(t)
		for i := range 3 {
			tenant := m.WithTags(tags{"region": "eu", "stage": "prod", "tenant_id": fmt.Sprint(i)})
			for _, path := range []string{"/a", "/b"} {
				at := tags{"method": "GET", "path": path, "tenant_id": "t", "status": "200", "operation": "op", "class": "2xx"}
				tenant.Counter("requests.total", at).Inc()
				tenant.Histogram("requests.duration", at, tags{"zone": "1", "cell": "2"}).Observe(1.5)
			}
			require.NoError(t, tenant.RecordBatch([]*lift.MetricEntry{
				{Name: "x", Value: 1, Timestamp: noon, Tags: many(5), Fields: map[string]any{"z": 1, "y": 2, "x1": 3, "w": 4}},
				{Name: "y", Value: 1, Tags: many(12)},
			}))
		}
		require.NoError(t, m.Close())
		return strings.Join(sink.docs, "\n")
	}
	first := run()
	for range 100 {
		require.Equal(t, first, run())
	}
}
