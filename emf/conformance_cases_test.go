package emf

import (
	"fmt"
	"strings"
)

// conformanceCase is a file of testdata/conformance. Its name is verdict_rule_detail,
// or ok_detail.
type conformanceCase struct{ name, line string }

// The corpus is read at this time, which its documents carry.
const conformanceTime = 1700000000000

const conformanceStamp = `"Timestamp":1700000000000`

// lineOf is a document of these directives and root members.
func lineOf(directives, members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"_aws":{` + conformanceStamp + `,"CloudWatchMetrics":[` + directives + `]}` + members + `}`
}

// directiveOf is a directive.
func directiveOf(namespace, sets, metrics string) string {
	return `{"Namespace":` + namespace + `,"Dimensions":[` + sets + `],"Metrics":[` + metrics + `]}`
}

// lineWith is a document of a metric m under the dimension d.
func lineWith(target string) string {
	return lineOf(directiveOf(`"App"`, `["d"]`, `{"Name":"m"}`), `"d":"v","m":`+target)
}

// lineWithMetric is a document of a metric definition.
func lineWithMetric(definition string) string {
	return lineOf(directiveOf(`"App"`, `["d"]`, definition), `"d":"v","m":1`)
}

// lineWithNamespace is a document of a namespace.
func lineWithNamespace(namespace string) string {
	return lineOf(directiveOf(namespace, `["d"]`, `{"Name":"m"}`), `"d":"v","m":1`)
}

// lineWithName is a document of a metric's name.
func lineWithName(name string) string {
	return lineOf(directiveOf(`"App"`, `["d"]`, `{"Name":`+name+`}`), `"d":"v",`+name+`:1`)
}

// lineWithDimension is a document of a dimension.
func lineWithDimension(name, value string) string {
	return lineOf(directiveOf(`"App"`, `[`+name+`]`, `{"Name":"m"}`), name+`:`+value+`,"m":1`)
}

// lineWithSets is a document of dimension sets over a, b and c.
func lineWithSets(sets string) string {
	return lineOf(directiveOf(`"App"`, sets, `{"Name":"m"}`), `"a":"1","b":"2","c":"3","m":1`)
}

// lineWithAWS is a document with an _aws member of one's own.
func lineWithAWS(aws string) string { return `{"_aws":` + aws + `,"d":"v","m":1}` }

// lineWithStamp is a document of a timestamp.
func lineWithStamp(stamp string) string {
	return lineWithAWS(`{"Timestamp":` + stamp + `,"CloudWatchMetrics":[` + plainDirective + `]}`)
}

// lineWithDirective is a document of a directive over d and m.
func lineWithDirective(directive string) string { return lineOf(directive, `"d":"v","m":1`) }

var plainDirective = directiveOf(`"App"`, `["d"]`, `{"Name":"m"}`)

// listOf joins n parts.
func listOf(n int, part func(i int) string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = part(i)
	}
	return strings.Join(parts, ",")
}

func numbersUpTo(n int) string { return listOf(n, func(i int) string { return fmt.Sprint(i) }) }

func quotedText(n int) string { return `"` + strings.Repeat("x", n) + `"` }

// metricsOf are n definitions and their targets, from a name on.
func metricsOf(n int, prefix string) (definitions, members string) {
	return listOf(n, func(i int) string { return fmt.Sprintf(`{"Name":"%s%d"}`, prefix, i) }),
		listOf(n, func(i int) string { return fmt.Sprintf(`"%s%d":%d`, prefix, i, i) })
}

func lineWithMetrics(n int) string {
	definitions, members := metricsOf(n, "m")
	return lineOf(directiveOf(`"App"`, `[]`, definitions), members)
}

func lineWithDimensions(n int) string {
	name := func(i int) string { return fmt.Sprintf(`"d%d"`, i) }
	return lineOf(directiveOf(`"App"`, `[`+listOf(n, name)+`]`, `{"Name":"m"}`),
		`"m":1,`+listOf(n, func(i int) string { return name(i) + `:"v"` }))
}

// lineWithSeries has every pair of 46 dimensions as a set, and so many metrics.
func lineWithSeries(metrics int) string {
	var sets []string
	for i := range 46 {
		for j := range i {
			sets = append(sets, fmt.Sprintf(`["d%d","d%d"]`, i, j))
		}
	}
	definitions, members := metricsOf(metrics, "m")
	return lineOf(directiveOf(`"App"`, strings.Join(sets, ","), definitions),
		members+","+listOf(46, func(i int) string { return fmt.Sprintf(`"d%d":"v"`, i) }))
}

func lineOfSize(size int) string {
	line := lineOf(plainDirective, `"d":"v","m":1,"fill":""`)
	return strings.Replace(line, `"fill":"`, `"fill":"`+strings.Repeat("x", size-len(line)), 1)
}

func conformanceCases() []conformanceCase {
	lambdaID := "6bc28136-0000-4365-b021-0ce6b2e64ab0"
	m100, t100 := metricsOf(100, "m")
	n1, u1 := metricsOf(1, "n")
	cases := []conformanceCase{
		// What is right.
		{"ok_scalar", lineWith(`1`)},
		{"ok_scalar_zero", lineWith(`0`)},
		{"ok_scalar_negative", lineWith(`-1.5`)},
		{"ok_scalar_negative_zero", lineWith(`-0`)},
		{"ok_scalar_fraction", lineWith(`0.1`)},
		{"ok_scalar_exponent", lineWith(`1.5e3`)},
		{"ok_scalar_exponent_upper", lineWith(`15E+2`)},
		{"ok_scalar_tiny", lineWith(`1e-320`)},
		{"ok_scalar_underflow", lineWith(`1e-400`)},
		{"ok_scalar_17_digits", lineWith(`0.30000000000000004`)},
		{"ok_scalar_beyond_2_53", lineWith(`9007199254740993`)},
		{"ok_scalar_2_360", lineWith(`2348542582773833227889480596789337027375682548908319870707290971532209025114608443463698998384768703031934976`)},
		{"ok_scalar_minus_2_360", lineWith(`-2.3485425827738332e108`)},
		{"ok_array", lineWith(`[3,1,2]`)},
		{"ok_array_one", lineWith(`[1]`)},
		{"ok_array_mixed_numbers", lineWith(`[1,-2.5,3e2,0]`)},
		{"ok_array_100", lineWith(`[` + numbersUpTo(100) + `]`)},
		{"ok_values_counts", lineWith(`{"Values":[1,2.5,10],"Counts":[3,1,6]}`)},
		{"ok_values_counts_other_order", lineWith(`{"Counts":[3,1],"Values":[1,2]}`)},
		{"ok_values_counts_100", lineWith(`{"Values":[` + numbersUpTo(100) + `],"Counts":[` + listOf(100, func(int) string { return "2" }) + `]}`)},
		{"ok_values_counts_and_statistics", lineWith(`{"Values":[1,2],"Counts":[3,1],"Max":2,"Min":1,"Count":4,"Sum":5}`)},
		{"ok_values_counts_beat_count", lineWith(`{"Values":[1,2],"Counts":[3,1],"Max":2,"Min":1,"Count":2,"Sum":5}`)},
		{"ok_statistics", lineWith(`{"Max":4,"Min":1,"Count":3,"Sum":7.5}`)},
		{"ok_statistics_of_one", lineWith(`{"Min":2,"Max":2,"Sum":2,"Count":1}`)},
		{"ok_members_of_distribution_escaped", lineWith(`{"V\u0061lues":[1],"Counts":[2]}`)},
		{"ok_no_dimensions", lineWithSets(`[]`)},
		{"ok_sets_several", lineWithSets(`["a"],["a","b"],["b","c"],[]`)},
		{"ok_set_order_kept", lineWithSets(`["c","a","b"]`)},
		{"ok_dimensions_30", lineWithDimensions(30)},
		{"ok_sets_over_30_dimensions_together", lineOf(directiveOf(`"App"`,
			`[`+listOf(30, func(i int) string { return fmt.Sprintf(`"a%d"`, i) })+`],["b"]`, `{"Name":"m"}`),
			`"b":"v","m":1,`+listOf(30, func(i int) string { return fmt.Sprintf(`"a%d":"v"`, i) }))},
		{"ok_dimension_value_1024", lineWithDimension(`"d"`, quotedText(1024))},
		{"ok_dimension_value_colon_first", lineWithDimension(`"d"`, `":v"`)},
		{"ok_dimension_value_spaces_around", lineWithDimension(`"d"`, `" v "`)},
		{"ok_dimension_value_escaped", lineWithDimension(`"d"`, `"\u0041\/\"\\"`)},
		{"ok_dimension_name_250", lineWithDimension(quotedText(250), `"v"`)},
		{"ok_dimension_name_punctuation", lineWithDimension(`"a b/c~d.e:f"`, `"v"`)},
		{"ok_dimension_name_escaped_in_root", lineOf(plainDirective, `"\u0064":"v","m":1`)},
		{"ok_dimension_name_escaped_in_set", lineOf(directiveOf(`"App"`, `["\u0064"]`, `{"Name":"m"}`), `"d":"v","m":1`)},
		{"ok_metrics_100", lineWithMetrics(100)},
		{"ok_metric_name_255", lineWithName(quotedText(255))},
		{"ok_metric_name_dot_is_literal", lineOf(directiveOf(`"App"`, `[]`, `{"Name":"a.b"}`), `"a":{"b":1},"a.b":2`)},
		{"ok_metric_name_slash_and_tilde", lineWithName(`"a/b~c"`)},
		{"ok_metric_name_escaped", lineWithName(`"\u006d\/\""`)},
		{"ok_metric_name_like_format", lineWithName(`"Namespace"`)},
		{"ok_namespace_255", lineWithNamespace(quotedText(255))},
		{"ok_namespace_punctuation", lineWithNamespace(`"App-1.2#3:4_/x y"`)},
		{"ok_namespace_one_character", lineWithNamespace(`"a"`)},
		{"ok_units_all", lineOf(directiveOf(`"App"`, `[]`, listOf(len(conformanceUnits), func(i int) string {
			return fmt.Sprintf(`{"Name":"m%d","Unit":"%s"}`, i, conformanceUnits[i])
		})), listOf(len(conformanceUnits), func(i int) string { return fmt.Sprintf(`"m%d":1`, i) }))},
		{"ok_unit_escaped", lineWithMetric(`{"Name":"m","Unit":"Bytes\/Second"}`)},
		{"ok_unit_default", lineWithMetric(`{"Name":"m"}`)},
		{"ok_resolution_1", lineWithMetric(`{"Name":"m","StorageResolution":1}`)},
		{"ok_resolution_60", lineWithMetric(`{"Name":"m","StorageResolution":60}`)},
		{"ok_resolution_same_twice", lineOf(directiveOf(`"A"`, `[]`, `{"Name":"m","StorageResolution":1}`)+","+
			directiveOf(`"B"`, `[]`, `{"Name":"m","StorageResolution":1}`), `"m":1`)},
		{"ok_directives_two_namespaces", lineOf(directiveOf(`"A"`, `["d"]`, `{"Name":"m","Unit":"Count"}`)+","+
			directiveOf(`"B"`, `[]`, `{"Name":"n","Unit":"Bytes"}`), `"d":"v","m":1,"n":[2,3]`)},
		{"ok_directives_share_metric", lineOf(directiveOf(`"App"`, `["a"]`, `{"Name":"m"}`)+","+
			directiveOf(`"App"`, `["b"]`, `{"Name":"m"}`), `"a":"1","b":"2","m":1`)},
		{"ok_directives_share_dimension", lineOf(directiveOf(`"App"`, `["d"]`, `{"Name":"m"}`)+","+
			directiveOf(`"Other"`, `["d"]`, `{"Name":"n"}`), `"d":"v","m":1,"n":2`)},
		{"ok_members_before_aws", `{"d":"v","m":1,"_aws":{` + conformanceStamp + `,"CloudWatchMetrics":[` + plainDirective + `]}}`},
		{"ok_members_in_any_order", `{"_aws":{"CloudWatchMetrics":[{"Metrics":[{"Unit":"Count","Name":"m"}],"Dimensions":[["d"]],"Namespace":"App"}],` + conformanceStamp + `},"m":1,"d":"v"}`},
		{"ok_properties_of_every_type", lineOf(plainDirective, `"d":"v","m":1,"p":{"a":[1,{"b":null}],"":{}},"q":[],"r":true,"s":false,"t":null,"u":"é","v":1e5`)},
		{"ok_property_beyond_float64", lineOf(plainDirective, `"d":"v","m":1,"p":[1e999,-1e999]`)},
		{"ok_property_empty_key", lineOf(plainDirective, `"d":"v","m":1,"":1`)},
		{"ok_property_surrogate_pair", lineOf(plainDirective, `"d":"v","m":1,"p":"\ud83d\ude00"`)},
		{"ok_property_control_characters_escaped", lineOf(plainDirective, `"d":"v","m":1,"p":"a\u0000\u001f\t\r\n"`)},
		{"ok_property_nested_duplicate_key", lineOf(plainDirective, `"d":"v","m":1,"p":{"a":1,"a":2}`)},
		{"ok_property_nested_9999", lineOf(plainDirective, `"d":"v","m":1,"p":`+strings.Repeat("[", 9999)+strings.Repeat("]", 9999))},
		{"ok_property_aws_inside", lineOf(plainDirective, `"d":"v","m":1,"p":{"_aws":1}`)},
		{"ok_white_space", "{ \"_aws\" : {\t" + conformanceStamp + " , \"CloudWatchMetrics\" : [ " + plainDirective + " ] } , \"d\" : \"v\" , \"m\" : [ 1 , 2 ] } "},
		{"ok_key_of_aws_escaped", `{"\u005faws":{` + conformanceStamp + `,"CloudWatchMetrics":[` + plainDirective + `]},"d":"v","m":1}`},
		{"ok_agent_log_group_and_stream", lineWithAWS(`{` + conformanceStamp + `,"LogGroupName":"g","LogStreamName":"s","CloudWatchMetrics":[` + plainDirective + `]}`)},
		{"ok_timestamp_14_days_back", lineWithStamp(`1698790400000`)},
		{"ok_timestamp_2_hours_ahead", lineWithStamp(`1700007200000`)},
		{"ok_document_size_1048550", lineOfSize(limitEventBytes)},
		{"ok_entity_members", lineOf(plainDirective, `"d":"v","m":1,"Service":"s","Environment":"e"`)},

		// The line.
		{"error_not-json_empty", ``},
		{"error_not-json_white_space", " \t"},
		{"error_not-json_text", `hello`},
		{"error_not-json_truncated", `{"_aws":{` + conformanceStamp + `,"CloudWatchMetrics":[{"Name`},
		{"error_not-json_truncated_by_agent", `{"_aws":{` + conformanceStamp + `,"CloudWat[Truncated...]`},
		{"error_not-json_nan", lineWith(`NaN`)},
		{"error_not-json_nan_in_array", lineWith(`[1,NaN]`)},
		{"error_not-json_infinity", lineWith(`Infinity`)},
		{"error_not-json_minus_infinity", lineWith(`-Infinity`)},
		{"error_not-json_leading_zero", lineWith(`01`)},
		{"error_not-json_minus_leading_zero", lineWith(`-01`)},
		{"error_not-json_leading_plus", lineWith(`+1`)},
		{"error_not-json_leading_dot", lineWith(`.5`)},
		{"error_not-json_minus_dot", lineWith(`-.5`)},
		{"error_not-json_trailing_dot", lineWith(`1.`)},
		{"error_not-json_bare_exponent", lineWith(`1e`)},
		{"error_not-json_hexadecimal", lineWith(`0x1`)},
		{"error_not-json_trailing_comma", lineOf(plainDirective, `"d":"v","m":1,`)},
		{"error_not-json_trailing_comma_in_array", lineWith(`[1,]`)},
		{"error_not-json_null_key", lineOf(plainDirective, `"d":"v","m":1,null:2`)},
		{"error_not-json_single_quotes", strings.ReplaceAll(lineWith(`1`), `"`, `'`)},
		{"error_not-json_control_character", lineOf(plainDirective, "\"d\":\"v\",\"m\":1,\"p\":\"a\x01b\"")},
		{"error_not-json_control_character_after_escape", lineOf(plainDirective, "\"d\":\"v\",\"m\":1,\"p\":\"\\n\x01\"")},
		{"error_not-json_nul_behind", lineWith(`1`) + "\x00"},
		{"error_not-json_nul_inside", lineOf(plainDirective, "\"d\":\"v\",\x00\"m\":1")},
		{"error_not-json_bad_escape", lineOf(plainDirective, `"d":"v","m":1,"p":"\x41"`)},
		{"error_not-json_bad_unicode_escape", lineOf(plainDirective, `"d":"v","m":1,"p":"\u12g4"`)},
		{"error_not-json_byte_order_mark", "\xEF\xBB\xBF" + lineWith(`1`)},
		{"error_not-json_two_documents", lineWith(`1`) + lineWith(`2`)},
		{"error_not-json_text_behind", lineWith(`1`) + ` done`},
		{"error_not-json_text_in_front", `metrics: ` + lineWith(`1`)},
		{"error_not-json_nested_10001", lineOf(plainDirective, `"d":"v","m":1,"p":`+strings.Repeat("[", 10000)+strings.Repeat("]", 10000))},
		{"error_not-json_partial_container_line", `2023-11-14T22:13:20.123456789Z stdout P ` + lineWith(`1`)},
		{"error_not-emf_empty_object", `{}`},
		{"error_not-emf_log_line", `{"level":"info","msg":"started"}`},
		{"error_not-emf_array", `[` + lineWith(`1`) + `]`},
		{"error_not-emf_string", `"_aws"`},
		{"error_not-emf_number", `1`},
		{"error_not-emf_null", `null`},
		{"error_not-emf_other_case", strings.Replace(lineWith(`1`), `"_aws"`, `"_AWS"`, 1)},
		{"error_not-emf_nested", `{"log":` + lineWith(`1`) + `}`},
		{"error_not-emf_version_0", `{"Version":"0","Timestamp":"1700000000000","CloudWatchMetrics":[` + plainDirective + `],"d":"v","m":1}`},
		{"error_document-size_1048551", lineOfSize(limitEventBytes + 1)},
		{"error_invalid-utf8_property", lineOf(plainDirective, "\"d\":\"v\",\"m\":1,\"p\":\"a\xffb\"")},
		{"error_invalid-utf8_key", lineOf(plainDirective, "\"d\":\"v\",\"m\":1,\"\xc3\x28\":1")},
		{"error_invalid-utf8_surrogate_encoded", lineOf(plainDirective, "\"d\":\"v\",\"m\":1,\"p\":\"\xed\xa0\x80\"")},
		{"error_invalid-utf8_overlong", lineOf(plainDirective, "\"d\":\"v\",\"m\":1,\"p\":\"\xc0\xaf\"")},
		{"warning_lone-surrogate_high", lineOf(plainDirective, `"d":"v","m":1,"p":"x\ud800y"`)},
		{"warning_lone-surrogate_low", lineOf(plainDirective, `"d":"v","m":1,"p":"\udc00"`)},
		{"warning_lone-surrogate_reversed", lineOf(plainDirective, `"d":"v","m":1,"p":["\udc00\ud800"]`)},
		{"warning_lone-surrogate_in_key", lineOf(plainDirective, `"d":"v","m":1,"\ud800":1`)},
		{"warning_line-prefix_lambda", "2023-11-14T22:13:20.000Z\t" + lambdaID + "\t" + lineWith(`1`)},
		{"warning_line-prefix_lambda_node", "2023-11-14T22:13:20.000Z\t" + lambdaID + "\tINFO\t" + lineWith(`1`)},
		{"warning_line-prefix_lambda_node_outside_invocation", "2023-11-14T22:13:20.000Z\tundefined\tINFO\t" + lineWith(`1`)},
		{"warning_line-prefix_lambda_python", "[INFO]\t2023-11-14T22:13:20.000Z\t" + lambdaID + "\t" + lineWith(`1`)},
		{"warning_line-prefix_docker_timestamp", `2023-11-14T22:13:20.123456789Z ` + lineWith(`1`)},
		{"warning_line-prefix_container_stream", `2023-11-14T22:13:20.123456789+01:00 stdout F ` + lineWith(`1`)},
		{"warning_line-break_pretty", strings.Replace(lineWith(`1`), `,"d"`, ",\n  \"d\"", 1)},
		{"warning_line-break_crlf", strings.Replace(lineWith(`1`), `,"d"`, ",\r\n\"d\"", 1)},

		// The members of objects.
		{"warning_duplicate-key_aws", `{"_aws":1,` + lineWith(`1`)[1:]},
		{"warning_duplicate-key_metric", lineOf(plainDirective, `"d":"v","m":1,"m":2`)},
		{"warning_duplicate-key_metric_first_of_wrong_type", lineOf(plainDirective, `"d":"v","m":"x","m":2`)},
		{"warning_duplicate-key_dimension", lineOf(plainDirective, `"d":"v","d":"w","m":1`)},
		{"warning_duplicate-key_property", lineOf(plainDirective, `"d":"v","m":1,"p":1,"p":1`)},
		{"warning_duplicate-key_escaped", lineOf(plainDirective, `"d":"v","m":1,"p":1,"\u0070":2`)},
		{"warning_duplicate-key_timestamp", lineWithAWS(`{"Timestamp":1,` + conformanceStamp + `,"CloudWatchMetrics":[` + plainDirective + `]}`)},
		{"warning_duplicate-key_directives", lineWithAWS(`{` + conformanceStamp + `,"CloudWatchMetrics":[{"Namespace":"Old","Dimensions":[["d"],[]],"Metrics":[{"Name":"m"}]}],"CloudWatchMetrics":[` + plainDirective + `]}`)},
		{"warning_duplicate-key_namespace", lineWithDirective(`{"Namespace":"Old","Namespace":"App","Dimensions":[["d"]],"Metrics":[{"Name":"m"}]}`)},
		{"warning_duplicate-key_dimensions", lineWithDirective(`{"Namespace":"App","Dimensions":[[],["x"]],"Dimensions":[["d"]],"Metrics":[{"Name":"m"}]}`)},
		{"warning_duplicate-key_metrics", lineWithDirective(`{"Namespace":"App","Dimensions":[["d"]],"Metrics":[{"Name":"x"},{"Name":"y"}],"Metrics":[{"Name":"m"}]}`)},
		{"warning_duplicate-key_name", lineWithMetric(`{"Name":"x","Name":"m"}`)},
		{"warning_duplicate-key_unit", lineWithMetric(`{"Name":"m","Unit":"Bytes","Unit":"Count"}`)},
		{"warning_duplicate-key_values", lineWith(`{"Values":[9,9],"Values":[1],"Counts":[2]}`)},
		{"error_member-missing_timestamp", lineWithAWS(`{"CloudWatchMetrics":[` + plainDirective + `]}`)},
		{"error_member-missing_directives", lineWithAWS(`{` + conformanceStamp + `}`)},
		{"error_member-missing_namespace", lineWithDirective(`{"Dimensions":[["d"]],"Metrics":[{"Name":"m"}]}`)},
		{"error_member-missing_dimensions", lineWithDirective(`{"Namespace":"App","Metrics":[{"Name":"m"}]}`)},
		{"error_member-missing_metrics", lineWithDirective(`{"Namespace":"App","Dimensions":[["d"]]}`)},
		{"error_member-missing_name", lineWithMetric(`{"Unit":"Count"}`)},
		{"error_member-type_aws", lineWithAWS(`[]`)},
		{"error_member-type_aws_null", lineWithAWS(`null`)},
		{"error_member-type_timestamp_string", lineWithStamp(`"1700000000000"`)},
		{"error_member-type_timestamp_fraction", lineWithStamp(`1700000000000.5`)},
		{"error_member-type_timestamp_beyond_64_bits", lineWithStamp(`17000000000000000000000`)},
		{"error_member-type_directives", lineWithAWS(`{` + conformanceStamp + `,"CloudWatchMetrics":` + plainDirective + `}`)},
		{"error_member-type_directive", lineWithDirective(`"App"`)},
		{"error_member-type_namespace", lineWithNamespace(`1`)},
		{"error_member-type_namespace_null", lineWithNamespace(`null`)},
		{"error_member-type_dimensions", lineWithDirective(`{"Namespace":"App","Dimensions":"d","Metrics":[{"Name":"m"}]}`)},
		{"error_member-type_dimension_set", lineWithDirective(`{"Namespace":"App","Dimensions":["d"],"Metrics":[{"Name":"m"}]}`)},
		{"error_member-type_dimension_name", lineWithSets(`["a",1]`)},
		{"error_member-type_metrics", lineWithDirective(`{"Namespace":"App","Dimensions":[["d"]],"Metrics":{"Name":"m"}}`)},
		{"error_member-type_metric", lineWithMetric(`"m"`)},
		{"error_member-type_metric_name", lineWithMetric(`{"Name":1}`)},
		{"error_member-type_unit_null", lineWithMetric(`{"Name":"m","Unit":null}`)},
		{"error_member-type_resolution_string", lineWithMetric(`{"Name":"m","StorageResolution":"1"}`)},
		{"warning_member-type_log_group", lineWithAWS(`{` + conformanceStamp + `,"LogGroupName":1,"CloudWatchMetrics":[` + plainDirective + `]}`)},
		{"warning_member-unknown_aws", lineWithAWS(`{` + conformanceStamp + `,"Version":1e999,"CloudWatchMetrics":[` + plainDirective + `]}`)},
		{"warning_member-unknown_directive", lineWithDirective(`{"Namespace":"App","Dimensions":[["d"]],"Metrics":[{"Name":"m"}],"Extra":{"a":[{}]}}`)},
		{"warning_member-unknown_metric", lineWithMetric(`{"Name":"m","Description":"x"}`)},
		{"warning_member-unknown_metric_other_case", lineWithMetric(`{"Name":"m","unit":"Count"}`)},
		{"warning_member-unknown_distribution", lineWith(`{"Values":[1],"Counts":[1],"P50":1}`)},

		// The time.
		{"warning_timestamp-format_fraction", lineWithStamp(`1700000000000.0`)},
		{"warning_timestamp-format_exponent", lineWithStamp(`1.7e12`)},
		{"warning_timestamp-window_past", lineWithStamp(`1698790399999`)},
		{"warning_timestamp-window_future", lineWithStamp(`1700007200001`)},
		{"warning_timestamp-window_seconds", lineWithStamp(`1700000000`)},
		{"warning_timestamp-window_zero", lineWithStamp(`0`)},
		{"warning_timestamp-window_negative", lineWithStamp(`-1`)},

		// Directives and namespaces.
		{"warning_directives-empty", lineOf(``, `"d":"v","m":1`)},
		{"error_namespace-empty", lineWithNamespace(`""`)},
		{"warning_namespace-empty_blank", lineWithNamespace(`"  "`)},
		{"warning_namespace-length_256", lineWithNamespace(quotedText(256))},
		{"warning_namespace-length_1024", lineWithNamespace(quotedText(1024))},
		{"error_namespace-length_1025", lineWithNamespace(quotedText(1025))},
		{"error_namespace-characters_colon_first", lineWithNamespace(`":App"`)},
		{"error_namespace-characters_line_break", lineWithNamespace(`"A\nB"`)},
		{"error_namespace-characters_control", lineWithNamespace(`"A\u0007B"`)},
		{"warning_namespace-characters_not_ascii", lineWithNamespace(`"Café"`)},
		{"warning_namespace-reserved", lineWithNamespace(`"AWS/Lambda"`)},

		// Dimensions.
		{"error_dimensions-empty", lineWithDirective(`{"Namespace":"App","Dimensions":[],"Metrics":[{"Name":"m"}]}`)},
		{"error_dimension-count_31", lineWithDimensions(31)},
		{"warning_dimension-repeated", lineWithSets(`["a","a"]`)},
		{"warning_dimension-repeated_escaped", lineWithSets(`["a","\u0061"]`)},
		{"warning_dimension-set-repeated", lineWithSets(`["a"],["a"]`)},
		{"warning_dimension-set-repeated_other_order", lineWithSets(`["a","b"],["b","a"]`)},
		{"warning_dimension-set-repeated_empty", lineWithSets(`[],[]`)},
		{"warning_dimension-set-repeated_of_many", lineOf(directiveOf(`"App"`,
			listOf(20, func(i int) string { return fmt.Sprintf(`["d%d"]`, i) })+`,["d3"]`, `{"Name":"m"}`),
			`"m":1,`+listOf(20, func(i int) string { return fmt.Sprintf(`"d%d":"v"`, i) }))},
		{"error_dimension-name-empty", lineWithDimension(`""`, `"v"`)},
		{"error_dimension-name-empty_blank", lineWithDimension(`" "`, `"v"`)},
		{"error_dimension-name-length_251", lineWithDimension(quotedText(251), `"v"`)},
		{"error_dimension-name-characters_colon_first", lineWithDimension(`":d"`, `"v"`)},
		{"error_dimension-name-characters_control", lineWithDimension(`"a\tb"`, `"v"`)},
		{"warning_dimension-name-characters_not_ascii", lineWithDimension(`"é"`, `"v"`)},
		{"error_dimension-missing", lineWithSets(`["a","x"]`)},
		{"error_dimension-missing_other_case", lineWithSets(`["A"]`)},
		{"error_dimension-missing_nested", lineOf(directiveOf(`"App"`, `["a.b"]`, `{"Name":"m"}`), `"a":{"b":"v"},"m":1`)},
		{"error_dimension-type_number", lineWithDimension(`"d"`, `1`)},
		{"error_dimension-type_true", lineWithDimension(`"d"`, `true`)},
		{"error_dimension-type_null", lineWithDimension(`"d"`, `null`)},
		{"error_dimension-type_array", lineWithDimension(`"d"`, `["v"]`)},
		{"error_dimension-type_also_metric", lineOf(directiveOf(`"App"`, `["m"]`, `{"Name":"m"}`), `"m":1`)},
		{"error_dimension-value-empty", lineWithDimension(`"d"`, `""`)},
		{"error_dimension-value-empty_blank", lineWithDimension(`"d"`, `" \t "`)},
		{"error_dimension-value-length_1025", lineWithDimension(`"d"`, quotedText(1025))},
		{"error_dimension-value-characters_line_break", lineWithDimension(`"d"`, `"a\nb"`)},
		{"error_dimension-value-characters_nul", lineWithDimension(`"d"`, `"a\u0000b"`)},
		{"warning_dimension-value-characters_not_ascii", lineWithDimension(`"d"`, `"日本"`)},
		{"warning_dimension-value-characters_not_ascii_1024", lineWithDimension(`"d"`, `"`+strings.Repeat("é", 1024)+`"`)},

		// Metrics.
		{"warning_metrics-empty", lineWithMetric(``)},
		{"error_metric-count_101", lineWithMetrics(101)},
		{"warning_metric-count_101_in_two_directives", lineOf(directiveOf(`"App"`, `[]`, m100)+","+directiveOf(`"App"`, `[]`, n1), t100+","+u1)},
		{"warning_metric-repeated", lineWithMetric(`{"Name":"m"},{"Name":"m"}`)},
		{"error_metric-name-empty", lineWithName(`""`)},
		{"warning_metric-name-empty_blank", lineWithName(`" "`)},
		{"warning_metric-name-length_256", lineWithName(quotedText(256))},
		{"warning_metric-name-length_1024", lineWithName(quotedText(1024))},
		{"error_metric-name-length_1025", lineWithName(quotedText(1025))},
		{"error_metric-name-characters_line_break", lineWithName(`"a\nb"`)},
		{"warning_metric-name-characters_control", lineWithName(`"a\tb"`)},
		{"warning_metric-name-characters_not_ascii", lineWithName(`"größe"`)},
		{"error_unit-unknown", lineWithMetric(`{"Name":"m","Unit":"Minutes"}`)},
		{"error_unit-unknown_other_case", lineWithMetric(`{"Name":"m","Unit":"count"}`)},
		{"error_unit-unknown_empty", lineWithMetric(`{"Name":"m","Unit":""}`)},
		{"error_unit-unknown_nanoseconds", lineWithMetric(`{"Name":"m","Unit":"Nanoseconds"}`)},
		{"error_resolution-unknown_30", lineWithMetric(`{"Name":"m","StorageResolution":30}`)},
		{"error_resolution-unknown_0", lineWithMetric(`{"Name":"m","StorageResolution":0}`)},
		{"error_resolution-unknown_fraction", lineWithMetric(`{"Name":"m","StorageResolution":1.5}`)},
		{"error_resolution-conflict", lineOf(directiveOf(`"A"`, `[]`, `{"Name":"m","StorageResolution":1}`)+","+
			directiveOf(`"B"`, `[]`, `{"Name":"m"}`), `"m":1`)},
		{"error_series-count_103500", lineWithSeries(100)},
		{"error_target-missing", lineOf(plainDirective, `"d":"v"`)},
		{"error_target-missing_other_case", lineOf(plainDirective, `"d":"v","M":1`)},
		{"error_target-missing_nested", lineOf(directiveOf(`"App"`, `[]`, `{"Name":"a.b"}`), `"a":{"b":1}`)},
		{"error_target-missing_one_of_two", lineOf(directiveOf(`"App"`, `[]`, `{"Name":"m"},{"Name":"n"}`), `"m":1`)},

		// The values of metrics.
		{"error_target-type_string", lineWith(`"1"`)},
		{"error_target-type_true", lineWith(`true`)},
		{"error_target-type_null", lineWith(`null`)},
		{"error_target-type_array_of_strings", lineWith(`[1,"2"]`)},
		{"error_target-type_array_with_null", lineWith(`[1,null]`)},
		{"error_target-type_nested_array", lineWith(`[[1]]`)},
		{"error_target-type_empty_object", lineWith(`{}`)},
		{"error_target-type_counts_alone", lineWith(`{"Counts":[1]}`)},
		{"error_target-type_three_statistics", lineWith(`{"Min":1,"Max":2,"Sum":3}`)},
		{"error_target-type_values_no_array", lineWith(`{"Values":1,"Counts":[]}`)},
		{"error_target-type_statistic_string", lineWith(`{"Min":1,"Max":2,"Sum":"3","Count":2}`)},
		{"warning_values-empty", lineWith(`[]`)},
		{"warning_values-empty_distribution", lineWith(`{"Values":[],"Counts":[]}`)},
		{"error_values-length_101", lineWith(`[` + numbersUpTo(101) + `]`)},
		{"error_values-length_101_distribution", lineWith(`{"Values":[` + numbersUpTo(101) + `],"Counts":[` + listOf(101, func(int) string { return "1" }) + `]}`)},
		{"error_value-range_above", lineWith(`2.3485425827738336e108`)},
		{"error_value-range_below", lineWith(`-1e109`)},
		{"error_value-range_beyond_float64", lineWith(`1e999`)},
		{"error_value-range_in_array", lineWith(`[1,1.7976931348623157e308]`)},
		{"error_value-range_in_distribution", lineWith(`{"Values":[1e200],"Counts":[1]}`)},
		{"error_value-range_in_statistics", lineWith(`{"Min":1,"Max":1,"Sum":1e300,"Count":1}`)},
		{"warning_counts-missing", lineWith(`{"Values":[1,2]}`)},
		{"error_counts-length_fewer", lineWith(`{"Values":[1,2],"Counts":[1]}`)},
		{"error_counts-length_more", lineWith(`{"Values":[1],"Counts":[1,1]}`)},
		{"error_counts-value_negative", lineWith(`{"Values":[1],"Counts":[-1]}`)},
		{"warning_counts-value_zero", lineWith(`{"Values":[1,2],"Counts":[0,1]}`)},
		{"warning_counts-value_fraction", lineWith(`{"Values":[1],"Counts":[1.5]}`)},
		{"error_statistics-value_negative_count", lineWith(`{"Min":1,"Max":1,"Sum":1,"Count":-1}`)},
		{"warning_statistics-value_count_zero", lineWith(`{"Min":0,"Max":0,"Sum":0,"Count":0}`)},
		{"warning_statistics-value_count_fraction", lineWith(`{"Min":1,"Max":1,"Sum":1,"Count":1.5}`)},
		{"warning_statistics-value_min_above_max", lineWith(`{"Min":2,"Max":1,"Sum":3,"Count":2}`)},
		{"warning_statistics-value_some_beside_values", lineWith(`{"Values":[1],"Counts":[1],"Max":1}`)},
	}
	return cases
}

var conformanceUnits = []Unit{
	None, Count, Percent, Seconds, Milliseconds, Microseconds,
	Bytes, Kilobytes, Megabytes, Gigabytes, Terabytes, Bits, Kilobits, Megabits, Gigabits, Terabits,
	BytesPerSecond, KilobytesPerSecond, MegabytesPerSecond, GigabytesPerSecond, TerabytesPerSecond,
	BitsPerSecond, KilobitsPerSecond, MegabitsPerSecond, GigabitsPerSecond, TerabitsPerSecond, CountPerSecond,
}
