package middleware

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTraceIDs(t *testing.T) {
	for header, want := range map[string]string{
		"": "",
		"Root=1-5759e988-bd862e3fe1be46a994272793":                                   "1-5759e988-bd862e3fe1be46a994272793",
		"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1": "1-5759e988-bd862e3fe1be46a994272793",
		"Self=1-1-2; Root=1-5759e988-bd862e3fe1be46a994272793;CalledFrom=app":        "1-5759e988-bd862e3fe1be46a994272793",
		"Parent=53995c3f42cd8ad8":                                                    "",
		"Root=":                                                                      "",
		";;=;Root":                                                                   "",
		"Root=" + strings.Repeat("x", 9000):                                          strings.Repeat("x", maxText),
	} {
		require.Equal(t, want, traceID(header), header)
	}
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for header, want := range map[string]string{
		"":                                  "",
		"00-" + id + "-00f067aa0ba902b7-01": id,
		"cc-" + id + "-00f067aa0ba902b7-01-what-comes-next":      id, // a later version
		"00-" + strings.ToUpper(id) + "-00f067aa0ba902b7-01":     "",
		"00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01": "",
		"00-" + id[1:] + "-00f067aa0ba902b7-01":                  "",
		"00-" + id[1:] + "--00f067aa0ba902b7-01":                 "",
		"00-" + id:                                               "",
		strings.Repeat("-", 55):                                  "",
	} {
		require.Equal(t, want, w3cTraceID(header), header)
	}
}

func TestStatusTexts(t *testing.T) {
	for status, want := range map[int][2]string{
		0: {"", ""}, 100: {"100", "1xx"}, 101: {"101", "1xx"}, 200: {"200", "2xx"}, 404: {"404", "4xx"},
		499: {"499", "4xx"}, 599: {"599", "5xx"}, 999: {"999", "9xx"}, 99: {"OTHER", "OTHER"}, 1000: {"OTHER", "OTHER"}, -1: {"OTHER", "OTHER"},
	} {
		require.Equal(t, want, [2]string{statusText(status), statusClass(status)}, status)
	}
}
