// Command client is a Lambda function that sends its metrics with an AWS client.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

type order struct{ Items int }

func main() {
	c, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(err)
	}
	client := cloudwatch.NewFromConfig(c)
	lambda.Start(func(ctx context.Context, o order) (int, error) {
		_, err := client.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{
			Namespace: aws.String("shop/checkout"),
			MetricData: []types.MetricDatum{{
				MetricName: aws.String("Items"), Unit: types.StandardUnitCount, Value: aws.Float64(float64(o.Items)),
			}},
		})
		return o.Items, err
	})
}
