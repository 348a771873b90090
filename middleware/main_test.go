package middleware

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/liftemf/liftemf/emf"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is a server whose handler an observer stands before.
type stage struct {
	*httptest.Server
	metrics  *emf.Emitter
	observer *Observer
	served   sync.WaitGroup

	mu   sync.Mutex
	docs []map[string]any
}

func newStage(t *testing.T, next http.Handler, opts ...Option) *stage {
	t.Helper()
	s := newUnstarted(t, next, opts...)
	s.Start()
	return s
}

func newUnstarted(t *testing.T, next http.Handler, opts ...Option) *stage {
	t.Helper()
	s := &stage{}
	s.metrics = emf.Must(emf.New("Test", emf.WithSink(emf.SinkFunc(s.write)), emf.WithFlushInterval(0)))
	s.observer = MetricsOnly(s.metrics, opts...)
	observed := s.observer.HTTP(next)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.served.Add(1)
		defer s.served.Done()
		observed.ServeHTTP(w, r)
	}))
	s.Server.Config.ErrorLog = discardLog
	t.Cleanup(func() {
		s.Close()
		if err := s.metrics.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if st := s.metrics.Stats(); st.Dropped > 0 {
			t.Errorf("dropped: %v", st.Drops)
		}
	})
	return s
}

func (s *stage) write(_ context.Context, docs []emf.Document) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range docs {
		var members map[string]any
		if err := json.Unmarshal(d.JSON, &members); err != nil {
			return err
		}
		s.docs = append(s.docs, members)
	}
	return nil
}

// settle waits for handlers to return, and flushes.
func (s *stage) settle(t *testing.T) {
	t.Helper()
	s.served.Wait()
	if err := s.metrics.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// values returns the values of a metric in documents that have all members of want,
// written "name=value", and nothing but those as dimensions.
func (s *stage) values(name string, want ...string) (list []float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, doc := range s.docs {
		directive := doc["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)
		var dims []string
		for _, d := range directive["Dimensions"].([]any)[0].([]any) {
			dims = append(dims, fmt.Sprintf("%v=%v", d, doc[d.(string)]))
		}
		slices.Sort(dims)
		if value, ok := doc[name]; ok && slices.Equal(dims, slices.Sorted(slices.Values(want))) {
			switch value := value.(type) {
			case float64:
				list = append(list, value)
			case []any:
				for _, v := range value {
					list = append(list, v.(float64))
				}
			}
		}
	}
	return list
}

func (s *stage) expect(t *testing.T, name string, want []float64, dims ...string) {
	t.Helper()
	if got := s.values(name, dims...); !slices.Equal(got, want) {
		t.Errorf("%s under %s: %v, want %v", name, strings.Join(dims, ", "), got, want)
	}
}

// get requests a path, and fails for anything but an answer with this status.
func (s *stage) get(t *testing.T, method, path string, status int) {
	t.Helper()
	req, err := http.NewRequest(method, s.URL+path, nil)
	if err != nil {
		t.Error(err)
		return
	}
	resp, err := s.Client().Transport.RoundTrip(req) // follows no redirect
	if err != nil {
		t.Error(err)
		return
	}
	resp.Body.Close()
	if resp.StatusCode != status {
		t.Errorf("%s %s: status %d, want %d", method, path, resp.StatusCode, status)
	}
}

func one(v float64) []float64 { return []float64{v} }
