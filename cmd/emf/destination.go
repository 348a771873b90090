package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/internal/price"
	"github.com/liftemf/liftemf/sink"
	"github.com/liftemf/liftemf/sink/logevents"
	"github.com/liftemf/liftemf/sink/metricdata"
)

// destination is where documents are sent: what --to names.
type destination struct{ kind, name string }

// The kinds of destination.
const (
	toLogs    = "logs"
	toMetrics = "metrics"
	toAgent   = "agent"
)

var errDestination = errors.New("one of logs:GROUP, metrics and agent:ENDPOINT")

// UnmarshalText is called by the parser.
func (d *destination) UnmarshalText(text []byte) error {
	kind, name, _ := strings.Cut(string(text), ":")
	switch {
	case kind == toMetrics && string(text) == toMetrics:
	case (kind == toLogs || kind == toAgent) && name != "":
	default:
		return fmt.Errorf("%q: %w", text, errDestination)
	}
	*d = destination{kind, name}
	return nil
}

func (d destination) String() string {
	if d.name == "" {
		return d.kind
	}
	return d.kind + ":" + d.name
}

// sending is the flags of commands that send documents.
type sending struct {
	LogGroup    string `placeholder:"NAME" help:"For an agent: the log group of documents that name none."`
	EndpointURL string `name:"endpoint-url" placeholder:"URL" help:"Address of the service, for a local stand-in; AWS_ENDPOINT_URL and the SDK's other variables hold too."`
	Region      string `help:"AWS Region; else what the SDK's own configuration says."`
	Profile     string `help:"Profile of the SDK's configuration files."`
}

// check finds flags that a destination has no use for.
func (s *sending) check(to destination) error {
	if s.LogGroup != "" && to.kind != toAgent {
		return fmt.Errorf("--log-group is for an agent, and --to is %s", to)
	}
	return nil
}

// open returns a sink for a destination. With a rehearsal it sends nothing.
func (s *sending) open(ctx context.Context, to destination, dry *rehearsal) (emf.Sink, error) {
	if to.kind == toAgent {
		var opts []sink.AgentOption
		if s.LogGroup != "" {
			opts = append(opts, sink.WithAgentLogGroup(s.LogGroup))
		}
		agent, err := sink.Agent(to.name, opts...)
		if err != nil || dry == nil {
			return agent, err
		}
		dry.grouped = s.LogGroup != ""
		return dry, nil
	}
	cfg, err := s.config(ctx, dry)
	if err != nil {
		return nil, err
	}
	if to.kind == toLogs {
		return logevents.New(cloudwatchlogs.NewFromConfig(cfg), to.name)
	}
	return metricdata.New(cloudwatch.NewFromConfig(cfg))
}

func (s *sending) config(ctx context.Context, dry *rehearsal) (aws.Config, error) {
	if dry != nil {
		return dry.config(cmp.Or(s.Region, price.Default.Region)), nil
	}
	var opts []func(*config.LoadOptions) error
	if s.Region != "" {
		opts = append(opts, config.WithRegion(s.Region))
	}
	if s.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(s.Profile))
	}
	if s.EndpointURL != "" {
		opts = append(opts, config.WithBaseEndpoint(s.EndpointURL))
	}
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err == nil && cfg.Region == "" {
		err = errors.New("no AWS Region: give --region or set AWS_REGION")
	}
	return cfg, err
}
