// Package logevents has a sink that sends documents to CloudWatch Logs with PutLogEvents.
// CloudWatch extracts the metrics there; no agent and no standard output is needed.
//
//	client := cloudwatchlogs.NewFromConfig(cfg)
//	s, err := logevents.New(client, "/shop/metrics")
//	metrics, err := emf.New("Shop", emf.WithSink(s), emf.WithMaxDocumentSize(logevents.MaxDocument))
//
// # Permissions
//
// logs:PutLogEvents on the log group's streams; logs:CreateLogStream and logs:CreateLogGroup
// on the log group where these may be missing, which [WithoutCreation] makes needless;
// logs:PutRetentionPolicy with [WithRetention]. logs:DescribeLogGroups lets the sink find
// out that the log group is of a class that makes no metrics; without it the sink does not
// know. cloudwatch:PutMetricData is not needed.
//
// # Quotas
//
// PutLogEvents has a quota of 5,000 calls a second for an account and Region, and none for a
// stream. A call takes up to 10,000 documents or 1 MiB.
package logevents
