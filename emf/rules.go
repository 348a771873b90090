package emf

// The rules. Each is documented in docs/rules.md and broken by a file in
// testdata/conformance; a test holds the three together.
const (
	// The line.
	ruleNotJSON       = "not-json"
	ruleNotEMF        = "not-emf"
	ruleDocumentSize  = "document-size"
	ruleInvalidUTF8   = "invalid-utf8"
	ruleLoneSurrogate = "lone-surrogate"
	ruleLinePrefix    = "line-prefix"
	ruleLineBreak     = "line-break"

	// The members of objects.
	ruleDuplicateKey  = "duplicate-key"
	ruleMemberMissing = "member-missing"
	ruleMemberType    = "member-type"
	ruleMemberUnknown = "member-unknown"

	// The time.
	ruleTimestampFormat = "timestamp-format"
	ruleTimestampWindow = "timestamp-window"

	// Directives and namespaces.
	ruleDirectivesEmpty     = "directives-empty"
	ruleNamespaceEmpty      = "namespace-empty"
	ruleNamespaceLength     = "namespace-length"
	ruleNamespaceCharacters = "namespace-characters"
	ruleNamespaceReserved   = "namespace-reserved"

	// Dimensions.
	ruleDimensionsEmpty          = "dimensions-empty"
	ruleDimensionCount           = "dimension-count"
	ruleDimensionRepeated        = "dimension-repeated"
	ruleDimensionSetRepeated     = "dimension-set-repeated"
	ruleDimensionNameEmpty       = "dimension-name-empty"
	ruleDimensionNameLength      = "dimension-name-length"
	ruleDimensionNameCharacters  = "dimension-name-characters"
	ruleDimensionMissing         = "dimension-missing"
	ruleDimensionType            = "dimension-type"
	ruleDimensionValueEmpty      = "dimension-value-empty"
	ruleDimensionValueLength     = "dimension-value-length"
	ruleDimensionValueCharacters = "dimension-value-characters"

	// Metrics.
	ruleMetricsEmpty         = "metrics-empty"
	ruleMetricCount          = "metric-count"
	ruleMetricRepeated       = "metric-repeated"
	ruleMetricNameEmpty      = "metric-name-empty"
	ruleMetricNameLength     = "metric-name-length"
	ruleMetricNameCharacters = "metric-name-characters"
	ruleUnitUnknown          = "unit-unknown"
	ruleResolutionUnknown    = "resolution-unknown"
	ruleResolutionConflict   = "resolution-conflict"
	ruleSeriesCount          = "series-count"

	// The values of metrics.
	ruleTargetMissing = "target-missing"
	ruleTargetType    = "target-type"
	ruleValuesEmpty   = "values-empty"
	ruleValuesLength  = "values-length"
	ruleValueRange    = "value-range"
	ruleCountsMissing = "counts-missing"
	ruleCountsLength  = "counts-length"
	ruleCountsValue   = "counts-value"
	ruleStatistics    = "statistics-value"
)

// The limits behind the rules. docs/rules.md cites the source of each.
const (
	limitEventBytes = 1_048_576 - 26 // a batch of one event, less the 26 bytes counted for it

	limitNamespace       = 255  // PutMetricData
	limitNamespaceSchema = 1024 // the published schema

	limitMetricName       = 255
	limitMetricNameSchema = 1024

	limitDimensions     = 30
	limitDimensionName  = 250
	limitDimensionValue = 1024

	limitMetrics = 100
	limitValues  = 100

	limitMagnitude = 0x1p360

	// limitSeries is ours: a document of 1 MB can multiply dimension sets and
	// metrics to gigabytes of [Metric]. No producer comes near it.
	limitSeries = 100_000

	// limitProblems bounds what Check says of a hostile line, for each severity.
	limitProblems = 1000

	limitDepth = 10_000 // of nesting, as in encoding/json
)

const (
	windowBack  = 14 * 24 * 3600 * 1000 // milliseconds
	windowAhead = 2 * 3600 * 1000
)
