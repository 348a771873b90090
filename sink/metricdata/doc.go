// Package metricdata has a sink that sends the metrics of documents to CloudWatch with
// PutMetricData, as CloudWatch would extract them from a log: a fallback for when the way over
// CloudWatch Logs is not open, or a way without logs.
//
//	client := cloudwatch.NewFromConfig(cfg)
//	direct, err := metricdata.New(client)
//	metrics, err := emf.New("Shop", emf.WithSink(sink.Fallback(logs, direct)))
//
// Properties are not sent: CloudWatch has no place for them beside metrics.
//
// # Permissions
//
// cloudwatch:PutMetricData. A policy may limit it to a namespace by the condition key
// cloudwatch:namespace.
//
// # Quotas and cost
//
// PutMetricData has a quota of 500 calls a second for an account and Region, and costs USD 0.01
// per 1,000 calls. A call takes up to 1,000 data of one namespace, or 1 MB; a datum is a
// metric of a document under one dimension set.
package metricdata
