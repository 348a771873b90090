package sink

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/liftemf/liftemf/emf"
)

// The defaults of AWS's own clients.
const (
	defaultAgentEndpoint = "tcp://0.0.0.0:25888"
	defaultServiceName   = "Unknown"
)

// FromEnv returns the sink that AWS's own clients would choose:
//
//	AWS_EMF_ENVIRONMENT      Local, Lambda: standard output. Agent, EC2, ECS, Default: the
//	                         agent. In any case of letters. Unset: Lambda where
//	                         AWS_LAMBDA_FUNCTION_NAME is set, else the agent
//	AWS_EMF_AGENT_ENDPOINT   of the agent, see Agent. Unset: tcp://0.0.0.0:25888, this host
//	AWS_EMF_LOG_GROUP_NAME   of documents that name no log group. Unset: the service's name
//	                         with "-metrics" behind it
//	AWS_EMF_LOG_STREAM_NAME  of documents that name no log stream. Unset: the agent's choice
//	AWS_EMF_SERVICE_NAME     see above. Unset: Unknown
//
// On ECS, that is in the environment ECS or where ECS_CONTAINER_METADATA_URI is set, with
// FLUENT_HOST set by FireLens, the endpoint is by default tcp://$FLUENT_HOST:25888, and the
// log group is left out unless it is set.
//
// A variable that is empty counts as unset. One that makes no sense is an error that names
// it, where AWS's clients go on with their default. The environment is read once.
//
// Source: aws-embedded-metrics-node, -python, -java and -dotnet.
func FromEnv() (emf.Sink, error) {
	ecs := os.Getenv("ECS_CONTAINER_METADATA_URI") != "" || os.Getenv("ECS_CONTAINER_METADATA_URI_V4") != ""
	const environment = "AWS_EMF_ENVIRONMENT"
	switch name := os.Getenv(environment); strings.ToLower(name) {
	case "local", "lambda":
		return Stdout(), nil
	case "":
		if os.Getenv("AWS_LAMBDA_FUNCTION_NAME") != "" {
			return Stdout(), nil
		}
	case "agent", "ec2", "default":
		ecs = false
	case "ecs":
		ecs = true
	default:
		return nil, fmt.Errorf("sink: FromEnv: %s: %q is not Local, Lambda, Agent, EC2, ECS or Default", environment, name)
	}
	return agentFromEnv(ecs)
}

func agentFromEnv(ecs bool) (emf.Sink, error) {
	const (
		endpoint = "AWS_EMF_AGENT_ENDPOINT"
		group    = "AWS_EMF_LOG_GROUP_NAME"
		stream   = "AWS_EMF_LOG_STREAM_NAME"
		service  = "AWS_EMF_SERVICE_NAME"
		fluent   = "FLUENT_HOST"
	)
	host := ""
	if ecs {
		host = os.Getenv(fluent)
	}
	to := setting{endpoint, cmp.Or(os.Getenv(endpoint), defaultAgentEndpoint)}
	logGroup := setting{group, os.Getenv(group)}
	var opts []AgentOption
	switch {
	case host != "":
		opts = append(opts, WithoutLogGroup())
		if os.Getenv(endpoint) == "" {
			to = setting{fluent, "tcp://" + net.JoinHostPort(host, "25888")}
		}
	case logGroup.value == "":
		logGroup = setting{service, cmp.Or(os.Getenv(service), defaultServiceName) + "-metrics"}
	}
	opts = append(opts,
		logGroup.option(WithAgentLogGroup),
		setting{stream, os.Getenv(stream)}.option(WithAgentLogStream))
	if _, _, err := parseEndpoint(to.value); err != nil {
		return nil, fmt.Errorf("sink: FromEnv: %s: %w", to.variable, err)
	}
	s, err := Agent(to.value, opts...)
	if err != nil {
		return nil, err // and no sink, rather than one that is a nil pointer
	}
	return s, nil
}

// setting is the value of a variable.
type setting struct{ variable, value string }

// option makes an option of it, nil if it has no value. Its error names the variable.
func (s setting) option(with func(string) AgentOption) AgentOption {
	if s.value == "" {
		return nil
	}
	return func(c *agentConfig) error {
		if err := with(s.value)(c); err != nil {
			return fmt.Errorf("FromEnv: %s: %w", s.variable, err)
		}
		return nil
	}
}
