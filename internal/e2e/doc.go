// Package e2e proves the chain that delivers metrics as a whole: an emitter, a queue, CloudWatch
// Logs, PutMetricData for when that is down, and a CloudWatch that fails in every way it can.
package e2e
