package middleware

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// lambdaConfig is what options say of invocations.
type lambdaConfig struct {
	earlyFlush        time.Duration
	coldStart         string
	functionDimension string
}

const defaultEarlyFlush = 100 * time.Millisecond

var lambdaDefaults = lambdaConfig{defaultEarlyFlush, coldStart, functionNameDimension}

// WithEarlyFlush writes what an invocation has recorded so far this long before its deadline,
// because Lambda kills the process then. The default is 100 ms; 0 does not. Where less than
// twice that is left when the invocation begins, it is written when half of the time has gone.
func WithEarlyFlush(before time.Duration) Option {
	return func(c *config) {
		if before < 0 {
			c.complain("WithEarlyFlush: %v: not negative", before)
			return
		}
		c.lambda.earlyFlush = before
	}
}

// WithLambdaTenant records invocations of a function with tenant isolation under the tenant that
// they were invoked for; see [WithTenantFromContext].
func WithLambdaTenant() Option { return WithTenantFromContext(lambdaTenant) }

func lambdaTenant(ctx context.Context) string {
	if lc, ok := lambdacontext.FromContext(ctx); ok && lc != nil {
		return lc.TenantID
	}
	return ""
}
