package sink_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liftemf/liftemf/emf"
	"github.com/liftemf/liftemf/sink"
)

// setEnv sets variables that FromEnv reads, and unsets the others.
func setEnv(t *testing.T, variables map[string]string) {
	t.Helper()
	for _, name := range []string{"AWS_EMF_ENVIRONMENT", "AWS_EMF_AGENT_ENDPOINT", "AWS_EMF_LOG_GROUP_NAME", "AWS_EMF_LOG_STREAM_NAME", "AWS_EMF_SERVICE_NAME", "AWS_LAMBDA_FUNCTION_NAME", "ECS_CONTAINER_METADATA_URI", "ECS_CONTAINER_METADATA_URI_V4", "FLUENT_HOST"} {
		t.Setenv(name, variables[name])
	}
}

func ExampleFromEnv() {
	os.Setenv("AWS_EMF_ENVIRONMENT", "Local")
	defer os.Unsetenv("AWS_EMF_ENVIRONMENT")
	s, err := sink.FromEnv()
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = s.Write(context.Background(), []emf.Document{{JSON: []byte(`{"orders":1}`)}})
	// Output: {"orders":1}
}

func TestFromEnvChoosesStdout(t *testing.T) {
	for _, variables := range []map[string]string{
		{"AWS_EMF_ENVIRONMENT": "Local"},
		{"AWS_EMF_ENVIRONMENT": "lambda", "AWS_EMF_AGENT_ENDPOINT": "not read"},
		{"AWS_LAMBDA_FUNCTION_NAME": "checkout"},
	} {
		setEnv(t, variables)
		s, err := sink.FromEnv()
		require.NoError(t, err)
		assert.IsType(t, sink.Stdout(), s)
	}
}

// The endpoint is that of an agent which listens, or AWS's default.
func TestFromEnvChoosesTheAgent(t *testing.T) {
	const noNames = `{"_aws":{"Timestamp":1795521600000,"CloudWatchMetrics":[]},"a":1}`
	with := func(names string) string { return strings.Replace(noNames, `{"_aws":{`, `{"_aws":{`+names, 1) }
	for name, c := range map[string]struct {
		variables map[string]string
		want      string // of the document that names nothing
	}{
		"nothing else":    {map[string]string{}, with(`"LogGroupName":"Unknown-metrics",`)},
		"Agent":           {map[string]string{"AWS_EMF_ENVIRONMENT": "AGENT"}, with(`"LogGroupName":"Unknown-metrics",`)},
		"service":         {map[string]string{"AWS_EMF_SERVICE_NAME": "shop"}, with(`"LogGroupName":"shop-metrics",`)},
		"group, stream":   {map[string]string{"AWS_EMF_SERVICE_NAME": "my shop", "AWS_EMF_LOG_GROUP_NAME": "/shop", "AWS_EMF_LOG_STREAM_NAME": "s"}, with(`"LogGroupName":"/shop","LogStreamName":"s",`)},
		"EC2 in Lambda":   {map[string]string{"AWS_EMF_ENVIRONMENT": "EC2", "AWS_LAMBDA_FUNCTION_NAME": "f"}, with(`"LogGroupName":"Unknown-metrics",`)},
		"ECS":             {map[string]string{"ECS_CONTAINER_METADATA_URI_V4": "http://x"}, with(`"LogGroupName":"Unknown-metrics",`)},
		"FireLens":        {map[string]string{"ECS_CONTAINER_METADATA_URI": "http://x", "FLUENT_HOST": "127.0.0.1"}, noNames},
		"FireLens, group": {map[string]string{"AWS_EMF_ENVIRONMENT": "ecs", "FLUENT_HOST": "127.0.0.1", "AWS_EMF_LOG_GROUP_NAME": "shop"}, with(`"LogGroupName":"shop",`)},
		"not on ECS":      {map[string]string{"AWS_EMF_ENVIRONMENT": "Agent", "ECS_CONTAINER_METADATA_URI": "http://x", "FLUENT_HOST": "127.0.0.1"}, with(`"LogGroupName":"Unknown-metrics",`)},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer listener.Close()
			c.variables["AWS_EMF_AGENT_ENDPOINT"] = "tcp://" + listener.Addr().String()
			setEnv(t, c.variables)
			s, err := sink.FromEnv()
			require.NoError(t, err)
			require.NoError(t, s.Write(t.Context(), []emf.Document{{JSON: []byte(noNames)}}))
			require.NoError(t, s.(*sink.AgentSink).Close())
			conn, err := listener.Accept()
			require.NoError(t, err)
			defer conn.Close()
			buf := make([]byte, 1000)
			n, err := conn.Read(buf)
			require.NoError(t, err)
			assert.Equal(t, c.want+"\n", string(buf[:n]))
		})
	}
	for want, variables := range map[string]map[string]string{
		"tcp://0.0.0.0:25888":          {},
		"tcp://fluent.invalid:25888":   {"AWS_EMF_ENVIRONMENT": "ECS", "FLUENT_HOST": "fluent.invalid"},
		"unixgram:///nowhere/emf.sock": {"AWS_EMF_AGENT_ENDPOINT": "unixgram:///nowhere/emf.sock", "FLUENT_HOST": "x"},
	} {
		setEnv(t, variables)
		s, err := sink.FromEnv()
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorContains(t, s.Write(ctx, emfDocuments(0, 1)), want)
	}
}

// What makes no sense is an error that names the variable.
func TestFromEnvErrors(t *testing.T) {
	for want, variables := range map[string]map[string]string{
		`AWS_EMF_ENVIRONMENT: "Fargate"`:           {"AWS_EMF_ENVIRONMENT": "Fargate"},
		`AWS_EMF_AGENT_ENDPOINT: endpoint "agent"`: {"AWS_EMF_AGENT_ENDPOINT": "agent"},
		`AWS_EMF_LOG_GROUP_NAME: `:                 {"AWS_EMF_LOG_GROUP_NAME": "my shop"},
		`AWS_EMF_LOG_STREAM_NAME: `:                {"AWS_EMF_LOG_STREAM_NAME": "a:b"},
		`AWS_EMF_SERVICE_NAME: `:                   {"AWS_EMF_SERVICE_NAME": "my shop"},
		`FLUENT_HOST: `:                            {"AWS_EMF_ENVIRONMENT": "ECS", "FLUENT_HOST": "a b"},
	} {
		setEnv(t, variables)
		s, err := sink.FromEnv()
		require.ErrorContains(t, err, want)
		assert.Nil(t, s)
	}
}
