package contract

import (
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
	"github.com/liftemf/liftemf/sink/logevents"
	"github.com/liftemf/liftemf/sink/metricdata"
)

// closer is a sink that the emitter closes.
type closer interface {
	emf.Sink
	Close() error
}

func TestSinks(*testing.T) {
	is[func(io.Writer) emf.Sink](sink.Writer)
	is[func() emf.Sink](sink.Stdout)
	is[func(endpoint string, opts ...sink.AgentOption) (*sink.AgentSink, error)](sink.Agent)
	is[func(...emf.Sink) emf.Sink](sink.Tee)
	is[func(primary, secondary emf.Sink, opts ...sink.FallbackOption) *sink.FallbackSink](sink.Fallback)
	is[func(next emf.Sink, opts ...sink.RetryOption) *sink.RetrySink](sink.Retry)
	is[func(dir string, next emf.Sink, opts ...sink.SpoolOption) (*sink.SpoolSink, error)](sink.Spool)
	is[func() (emf.Sink, error)](sink.FromEnv)
	for _, s := range []closer{(*sink.AgentSink)(nil), (*sink.FallbackSink)(nil), (*sink.RetrySink)(nil), (*sink.SpoolSink)(nil)} {
		is[emf.Sink](s)
	}

	is[func(api logevents.API, logGroup string, opts ...logevents.Option) (*logevents.Sink, error)](logevents.New)
	is[logevents.API]((*cloudwatchlogs.Client)(nil))
	is[emf.Sink]((*logevents.Sink)(nil))
	is[func(api metricdata.API, opts ...metricdata.Option) (*metricdata.Sink, error)](metricdata.New)
	is[metricdata.API]((*cloudwatch.Client)(nil))
	is[emf.Sink]((*metricdata.Sink)(nil))
}
