package emf

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/liftemf/liftemf/internal/hook"
	"github.com/liftemf/liftemf/internal/price"
)

// Option is a setting of [New]. An option with a bad argument makes New fail.
type Option func(*config) error

type config struct {
	namespace     string
	sink          Sink
	dimensions    []Dimension
	properties    map[string]any
	tenant        string
	maxRecorders  int
	rollups       [][]string
	budgets       []dimensionBudget
	values        map[string]map[string]bool           // of dimensions: all that there are
	rewrites      map[string]func(value string) string // of dimensions
	precision     Precision
	plain         bool
	prices        price.Table
	flushInterval time.Duration
	maxDocument   int
	maxPending    int
	logGroup      string
	now           func() time.Time
	logger        *slog.Logger
	logLevel      *string // nil: not asked for, until the environment is read
	disabled      bool
	sealed        bool // the environment is ignored
}

func init() {
	hook.Sealed = Option(func(c *config) error {
		c.sealed = true
		return nil
	})
}

// The defaults.
const (
	defaultTenantDimension = "TenantID"
	defaultMaxRecorders    = 10_000
	defaultFlushInterval   = time.Minute
	// defaultMaxDocument is what the Docker awslogs driver and older CloudWatch agents
	// keep whole: 262,144 bytes less 26 that CloudWatch Logs counts for each event.
	defaultMaxDocument = 262_118
	defaultMaxPending  = 4 << 20
)

// The sizes that [WithMaxDocumentSize] takes: the largest is CloudWatch's limit for an
// event, 1 MiB less 26 bytes.
const (
	minMaxDocument = 1 << 10
	maxMaxDocument = 1<<20 - 26
)

// WithSink sends documents to s. The default is standard output, one document a line.
func WithSink(s Sink) Option {
	return func(c *config) error {
		if s == nil {
			return errors.New("WithSink: the sink is nil")
		}
		c.sink = s
		return nil
	}
}

// WithDimensions puts dimensions under every recorder. One whose value is empty or blank is
// left out; any other that CloudWatch would not take, see [Dimension], makes New fail. Given
// again it adds dimensions.
func WithDimensions(dims ...Dimension) Option {
	return func(c *config) error {
		for _, d := range dims {
			if _, problem, _ := d.mend(); problem != "" {
				return fmt.Errorf("WithDimensions: %q=%q: printable ASCII, not blank; a name of 1 to 250 characters, no colon at the start, not _aws; a value of 1 to 1,024", d.Name, d.Value)
			}
		}
		c.dimensions = append(c.dimensions, dims...)
		return nil
	}
}

// WithProperties puts properties, root members that are neither metric nor dimension,
// into every document, in the order of their names. Values are encoded when New is
// called; one that has no JSON form is an error.
func WithProperties(props map[string]any) Option {
	return func(c *config) error {
		if c.properties == nil {
			c.properties = make(map[string]any, len(props))
		}
		for name, value := range props {
			c.properties[name] = value
		}
		return nil
	}
}

// WithTenantDimension names the dimension of [Recorder.WithTenant]. The default is
// "TenantID".
func WithTenantDimension(name string) Option {
	return func(c *config) error {
		if err := checkDimensionName(name); err != nil {
			return fmt.Errorf("WithTenantDimension: %w", err)
		}
		c.tenant = name
		return nil
	}
}

func checkDimensionName(name string) error {
	d := Dimension{name, "value"}
	if mended, _, ok := d.mend(); !ok || mended != d {
		return fmt.Errorf("%q is no name of a dimension: 1 to 250 printable ASCII characters, not blank, no colon at the start", name)
	}
	return nil
}

// WithMaxRecorders bounds the number of recorders in use, and so the number of metrics
// that are paid for: past it a new tenant, or a new value of any dimension given to With,
// is published as "other", without loss. That is counted in [Stats].Folded and logged.
// Which keep their own dimensions is decided with each flush: the first ones do until
// others have been recorded on more than twice as often. Recorders that nobody has recorded
// on for a few flushes do not count. The default is 10,000; recorders for "other" values,
// at most a tenth as many, come on top.
func WithMaxRecorders(n int) Option {
	return func(c *config) error {
		if n < 1 {
			return fmt.Errorf("WithMaxRecorders: %d: at least 1", n)
		}
		c.maxRecorders = n
		return nil
	}
}

// WithFlushInterval flushes every d, aligned to the wall clock, so that values land in
// the minute they were recorded in. The default is 60 s; inside Lambda, where a timer
// does not run between invocations, it is 0, which means only when asked.
func WithFlushInterval(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("WithFlushInterval: %v: not negative", d)
		}
		c.flushInterval = d
		return nil
	}
}

// WithMaxDocumentSize bounds documents, in bytes. Metrics that do not fit go to further
// documents, and so do the values of a histogram; one value that is too large by itself,
// with its dimensions, is written all the same. The default, 262,118, is what the Docker
// awslogs driver keeps whole; choose 16,384 for log drivers that split lines at 16 KB. At
// least 1,024, at most 1,048,550, CloudWatch's own limit.
func WithMaxDocumentSize(bytes int) Option {
	return func(c *config) error {
		if bytes < minMaxDocument || bytes > maxMaxDocument {
			return fmt.Errorf("WithMaxDocumentSize: %d: from %d to %d", bytes, minMaxDocument, maxMaxDocument)
		}
		c.maxDocument = bytes
		return nil
	}
}

// WithMaxPending bounds the documents that are kept for the next flush when the sink
// fails, in bytes. Beyond it the oldest are dropped and counted. The default is 4 MiB; 0
// keeps none.
func WithMaxPending(bytes int) Option {
	return func(c *config) error {
		if bytes < 0 {
			return fmt.Errorf("WithMaxPending: %d: not negative", bytes)
		}
		c.maxPending = bytes
		return nil
	}
}

var logGroupName = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)

// WithLogGroup puts the name of a log group into the documents (_aws.LogGroupName). The
// CloudWatch agent demands it; CloudWatch itself ignores it.
func WithLogGroup(name string) Option {
	return func(c *config) error {
		if !logGroupName.MatchString(name) {
			return fmt.Errorf("WithLogGroup: %q: 1 to 512 letters, digits and . - _ / #", name)
		}
		c.logGroup = name
		return nil
	}
}

// WithClock makes now the clock of timestamps and stopwatches. The flush interval goes
// by the system's timer. It must be safe for concurrent use.
func WithClock(now func() time.Time) Option {
	return func(c *config) error {
		if now == nil {
			return errors.New("WithClock: the clock is nil")
		}
		c.now = now
		return nil
	}
}

// WithLogger sends diagnostics to l: what was dropped and why, once a minute for each
// reason. It is called from a goroutine that is there while there is something to log, so
// that it may block, or use the emitter. The default is text on standard error;
// slog.New(slog.DiscardHandler) silences them. Do not let it write to standard output if
// documents go there.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) error {
		if l == nil {
			return errors.New("WithLogger: the logger is nil; slog.New(slog.DiscardHandler) is silent")
		}
		c.logger = l
		return nil
	}
}

// namespaceSyntax is what AWS's own clients let through.
var namespaceSyntax = regexp.MustCompile(`^[a-zA-Z0-9._#/\- ][a-zA-Z0-9._#:/\- ]*$`)

// reservedNamespaces is how the namespaces of AWS's own metrics start.
//
// Source: Namespace in the PutMetricData API reference, which asks to avoid them.
const reservedNamespaces = "AWS/"

// newConfig puts together what the caller and the environment say.
func newConfig(namespace string, opts []Option) (*config, error) {
	c := &config{
		namespace:     namespace,
		tenant:        defaultTenantDimension,
		maxRecorders:  defaultMaxRecorders,
		flushInterval: defaultFlushInterval,
		maxDocument:   defaultMaxDocument,
		maxPending:    defaultMaxPending,
		now:           time.Now,
		prices:        price.Default,
	}
	if os.Getenv("AWS_LAMBDA_FUNCTION_NAME") != "" {
		c.flushInterval = 0
	}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(c); err != nil {
			return nil, fmt.Errorf("emf: %w", err)
		}
	}
	if !c.sealed {
		c.readEnvironment()
	}
	switch {
	case c.namespace == "":
		return nil, errors.New("emf: no namespace: give one to New, or set AWS_EMF_NAMESPACE or POWERTOOLS_METRICS_NAMESPACE")
	case len(c.namespace) > maxNamespaceLength, !namespaceSyntax.MatchString(c.namespace), blank(c.namespace):
		return nil, fmt.Errorf("emf: namespace %q: 1 to 255 letters, digits, spaces and . - _ / # :, no colon at the start, not blank", c.namespace)
	case strings.HasPrefix(c.namespace, reservedNamespaces):
		return nil, fmt.Errorf("emf: namespace %q: names that start with %s are for AWS's own metrics, by PutMetricData's reference", c.namespace, reservedNamespaces)
	}
	if c.sink == nil {
		c.sink = newStdout()
	}
	if c.logger == nil {
		c.logger = slog.New(standardError)
	}
	return c, nil
}

// readEnvironment fills in what the caller left out, by the variables of AWS's own clients and
// of Powertools.
func (c *config) readEnvironment() {
	if c.namespace == "" {
		c.namespace = firstEnv("AWS_EMF_NAMESPACE", "POWERTOOLS_METRICS_NAMESPACE")
	}
	if service := firstEnv("AWS_EMF_SERVICE_NAME", "POWERTOOLS_SERVICE_NAME"); service != "" && indexName(c.dimensions, "Service") < 0 {
		c.dimensions = slices.Insert(c.dimensions, 0, Dim("Service", service))
	}
	disabled, err := strconv.ParseBool(os.Getenv("POWERTOOLS_METRICS_DISABLED"))
	if err != nil {
		disabled, _ = strconv.ParseBool(os.Getenv("POWERTOOLS_DEV"))
	}
	c.disabled = disabled
	if level := lambdaLogLevel(); level != "" && c.logLevel == nil {
		c.logLevel = &level
	}
}

func firstEnv(names ...string) string {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return ""
}
