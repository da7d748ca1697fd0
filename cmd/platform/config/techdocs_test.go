package config_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

func TestTechDocs(t *testing.T) {
	folder, err := filepath.Abs("sites")
	require.NoError(t, err)
	for _, tc := range []struct {
		name, text string
		want       config.TechDocs
		warning    string
	}{
		{"nothing", "", config.TechDocs{}, ""},
		{"what a new app has", "techdocs: {builder: local, generator: {runIn: docker}, publisher: {type: local}}", config.TechDocs{}, ""},
		{"a folder", "techdocs: {builder: external, publisher: {type: local, local: {publishDirectory: sites}}, legacyUseCaseSensitiveTripletPaths: true}",
			config.TechDocs{External: true, Folder: folder, CaseSensitive: true}, ""},
		{"S3", "techdocs: {builder: external, publisher: {type: awsS3, awsS3: {bucketName: b, region: eu, endpoint: 'http://s3', s3ForcePathStyle: true, bucketRootPath: x, " +
			"credentials: {accessKeyId: k, secretAccessKey: s}}}, sanitizer: {allowedIframeHosts: [v]}}",
			config.TechDocs{External: true, FrameHosts: []string{"v"}, S3: &config.S3{Bucket: "b", Region: "eu", Endpoint: "http://s3", PathStyle: true, Root: "x", AccessKey: "k", SecretKey: "s"}}, ""},
		{"the search", "search: {collators: {techdocs: {locationTemplate: '/d/:path', schedule: {frequency: {minutes: 3}}}}}",
			config.TechDocs{Location: "/d/:path", Every: 3 * time.Minute}, ""},
		{"built here, published there", "techdocs: {publisher: {type: googleGcs}}", config.TechDocs{}, "techdocs.publisher googleGcs has no effect"},
		{"built here, in other letters", "techdocs: {legacyUseCaseSensitiveTripletPaths: true}", config.TechDocs{}, "has no effect with techdocs.builder local"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := read(t, minimal+tc.text)
			require.NoError(t, err)
			require.Equal(t, tc.want, s.TechDocs)
			if tc.warning == "" {
				require.NotContains(t, strings.Join(s.Warnings, "\n"), "techdocs")
			} else {
				require.Contains(t, strings.Join(s.Warnings, "\n"), tc.warning)
			}
		})
	}
	for text, says := range map[string]string{
		"techdocs: {builder: magic}":                                                                                     "'magic' is not one of local, external",
		"techdocs: {builder: external}":                                                                                  "publisher.local.publishDirectory",
		"techdocs: {builder: external, publisher: {type: awsS3}}":                                                        "awsS3.bucketName",
		"techdocs: {builder: external, publisher: {type: azureBlobStorage}}":                                             "not from azureBlobStorage",
		"techdocs: {builder: external, publisher: {type: floppy}}":                                                       "'floppy' is not one of",
		"techdocs: {builder: external, publisher: {type: awsS3, awsS3: {bucketName: b, credentials: {accessKeyId: k}}}}": "belong together",
		"techdocs: {builder: external, publisher: {type: awsS3, awsS3: {bucketName: b, credentials: {roleArn: r}}}}":     "AWS_ROLE_ARN",
		"techdocs: {sanitizer: {allowedIframeHosts: {a: b}}}":                                                            "allowedIframeHosts",
	} {
		_, err := read(t, minimal+text)
		require.ErrorContains(t, err, says, text)
	}
}
