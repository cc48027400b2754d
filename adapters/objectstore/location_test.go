package objectstore_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/objectstore"
)

func TestURLsOfBuckets(t *testing.T) {
	t.Parallel()
	supported, required := aws.RequestChecksumCalculationWhenSupported, aws.RequestChecksumCalculationWhenRequired
	for text, expected := range map[string]objectstore.Location{
		"s3://images":                            {Bucket: "images", Checksums: supported},
		"s3://images/":                           {Bucket: "images", Checksums: supported},
		"s3://images/a/b/?region=cn-north-1":     {Bucket: "images", Prefix: "a/b", Region: "cn-north-1", Checksums: supported},
		"s3://images?endpoint=https://s3.local/": {Bucket: "images", Endpoint: "https://s3.local", PathStyle: true, Checksums: supported},
		"s3://images?use_path_style=false&endpoint=http://10.1.2.3:9000&request_checksum_calculation=when_required": {
			Bucket: "images", Endpoint: "http://10.1.2.3:9000", Checksums: required,
		},
		"s3://images?ssetype=aws:kms&kmskeyid=alias/archive": {Bucket: "images", Encryption: types.ServerSideEncryptionAwsKms, KMSKey: "alias/archive", Checksums: supported},
	} {
		got, err := objectstore.Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, expected, got, text)
	}
	l, err := objectstore.Parse("s3://images/a/b?region=eu-1")
	require.NoError(t, err)
	require.Equal(t, "s3://images/a/b", l.String())
}

// What is wrong is named, and never repeated: it may be a secret.
func TestURLsThatAreRefused(t *testing.T) {
	t.Parallel()
	const canary = "canary0secret"
	for text, says := range map[string]string{
		"s3://AKIA:" + canary + "@images":                    "credentials are the environment's",
		"s3://" + canary + "@images":                         "credentials are the environment's",
		"s3://images?access_key_id=AKIA&secret=" + canary:    "credentials are the environment's",
		"s3://images?" + canary + "=1":                       "is not one of endpoint",
		"s3://images?endpoint=https://u:" + canary + "@host": "has a endpoint that is not",
		"s3://images?endpoint=https://host/?key=" + canary:   "has a endpoint that is not",
		"s3://images?endpoint=" + canary:                     "has a endpoint that is not",
		"s3://images?region=" + strings.ToUpper(canary):      "has a region that is not",
		"s3://images?region=a&region=" + canary:              "more than once",
		"s3://images?use_path_style=" + canary:               "has a use_path_style that is not true or false",
		"s3://images?ssetype=" + canary:                      "has a ssetype that is not one of",
		"s3://images?kmskeyid=" + canary + "%20x":            "has a kmskeyid that is not",
		"s3://images?request_checksum_calculation=" + canary: "when_required",
		"s3://images?%zz" + canary:                           "cannot be read",
		"s3://images#" + canary:                              "is not the URL of a bucket",
		"s3://images/" + canary + "/../x":                    "has a prefix",
		"s3://images/" + canary + "//x":                      "has a prefix",
		"s3://images/" + strings.Repeat(canary, 30):          "has a prefix",
		"s3://" + strings.ToUpper(canary):                    "has no name of a bucket",
		"s3://":                                              "has no name of a bucket",
		"s3:" + canary:                                       "is not the URL of a bucket",
		"gs://" + canary:                                     "is not the URL of a bucket",
		"s3://im[ages/" + canary:                             "is not the URL of a bucket",
	} {
		_, err := objectstore.Parse(text)
		require.ErrorContains(t, err, says, text)
		require.NotContains(t, strings.ToLower(err.Error()), canary, text)
	}
}
