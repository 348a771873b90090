package middleware_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/emf/emftest"
	"github.com/liftemf/liftemf/middleware"
)

// inLambda makes the process look like a function's.
func inLambda(t *testing.T, initialization string) {
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "shop-12AB")
	t.Setenv("AWS_LAMBDA_INITIALIZATION_TYPE", initialization)
	middleware.ForgetInvocations()
}

// Only a process that is started for an invocation starts cold.
func TestColdStart(t *testing.T) {
	function := emf.Dim("function_name", "shop-12AB")
	for initialization, cold := range map[string]bool{
		"on-demand": true, "": true, "provisioned-concurrency": false, "snap-start": false, "lambda-managed-instances": false,
	} {
		inLambda(t, initialization)
		e, metrics := emftest.New(t)
		for range 3 {
			_, _ = middleware.Lambda(middleware.MetricsOnly(e), order)(invoked("id", ""), 1)
		}
		if assert.Equal(t, cold, has(metrics, "ColdStart"), initialization); cold {
			assert.Equal(t, 1.0, metrics.Sum("ColdStart", function))
		}
		assert.Equal(t, 3.0, metrics.Sum("orders"))
		assert.False(t, has(metrics, "orders", function))
	}

	middleware.ForgetInvocations()
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "")
	e, metrics := emftest.New(t)
	_, _ = middleware.Lambda(middleware.MetricsOnly(e), order)(invoked("id", ""), 1)
	assert.False(t, has(metrics, "ColdStart"))
}

// Before the handler, and so whatever becomes of it.
func TestColdStartThatFails(t *testing.T) {
	inLambda(t, "on-demand")
	e, metrics := emftest.New(t, emf.WithDimensions(emf.Dim("Service", "shop")))
	calls := 0
	handle := middleware.Lambda(middleware.MetricsOnly(e), func(context.Context, int) (int, error) {
		calls++
		assert.Len(t, metrics.Documents(), calls) // the cold start's, and that of the call before
		return 0, errors.New("refused")
	})
	_, _ = handle(invoked("id-1", ""), 1)
	_, _ = handle(invoked("id-2", ""), 1)
	assert.Equal(t, map[string]any{"Service": "shop", "function_name": "shop-12AB", "request_id": "id-1", "ColdStart": 1.0}, members(t, metrics.Documents()[0]))
	assert.Equal(t, 1.0, metrics.Sum("ColdStart"))
}

func TestConcurrentColdStarts(t *testing.T) {
	inLambda(t, "on-demand")
	e, metrics := emftest.New(t)
	var all, group sync.WaitGroup
	all.Add(16)
	for range 16 {
		group.Go(func() {
			handle := middleware.Lambda(middleware.MetricsOnly(e), order) // an observer for each
			all.Done()
			all.Wait()
			_, _ = handle(invoked("id", ""), 1)
		})
	}
	group.Wait()
	assert.Equal(t, 1.0, metrics.Sum("ColdStart"))
}

func TestColdStartOptions(t *testing.T) {
	inLambda(t, "on-demand")
	t.Setenv("POWERTOOLS_METRICS_FUNCTION_NAME", "shop")
	e, metrics := emftest.New(t)
	o := middleware.MetricsOnly(e, middleware.WithColdStart("cold"), middleware.WithColdStartDimension("FunctionName"))
	_, _ = middleware.Lambda(o, order)(invoked("id", ""), 1)
	assert.Equal(t, 1.0, metrics.Sum("cold", emf.Dim("FunctionName", "shop")))

	middleware.ForgetInvocations()
	e, metrics = emftest.New(t)
	_, _ = middleware.Lambda(middleware.MetricsOnly(e, middleware.WithColdStartDimension("")), order)(invoked("id", ""), 1)
	require.Len(t, metrics.Documents(), 1) // no document of its own
	assert.Equal(t, 1.0, metrics.Sum("ColdStart"))

	// Left out it is gone for good: the next observer's first invocation is not the process's.
	middleware.ForgetInvocations()
	e, metrics = emftest.New(t)
	_, _ = middleware.Lambda(middleware.MetricsOnly(e, middleware.WithColdStart("")), order)(invoked("id", ""), 1)
	_, _ = middleware.Lambda(middleware.MetricsOnly(e), order)(invoked("id", ""), 1)
	assert.False(t, has(metrics, "ColdStart"))
}
