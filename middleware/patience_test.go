package middleware

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
)

// A sink that hangs keeps requests for two seconds, then none until it answers, and gets every
// document once it does.
func TestPerRequestWithASinkThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unblock, docs := make(chan bool), 0
		e := emf.Must(emf.New("Test", emf.WithFlushInterval(0), emf.WithLogger(slog.New(slog.DiscardHandler)),
			emf.WithSink(emf.SinkFunc(func(_ context.Context, d []emf.Document) error {
				<-unblock
				docs += len(d)
				return nil
			}))))
		h := MetricsOnly(e, PerRequest(), WithMetricName(RequestsActive, "")).HTTP(answer(201, "made"))
		sent := 0
		waited := func(n int) time.Duration {
			begun := time.Now()
			var all sync.WaitGroup
			for range n {
				sent++
				all.Go(func() {
					w := httptest.NewRecorder()
					h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
					require.Equal(t, 201, w.Code)
					require.Equal(t, "made", w.Body.String())
				})
			}
			all.Wait()
			return time.Since(begun)
		}
		require.Equal(t, 2*time.Second, waited(10))
		for range 9 {
			require.Zero(t, waited(10))
			time.Sleep(time.Second)
		}
		unblock <- true // what hung
		unblock <- true // what has waited since
		synctest.Wait()
		require.Equal(t, sent, docs)
		require.Equal(t, 2*time.Second, waited(10))
		close(unblock)
		synctest.Wait()
		require.Zero(t, waited(10))
		require.Equal(t, sent, docs)
		s := e.Stats()
		require.Equal(t, s.Recorded, s.Delivered)
		require.NoError(t, e.Close(t.Context()))
	})
}
