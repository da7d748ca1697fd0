package config

import (
	"path/filepath"
	"time"
)

// TechDocs is the section techdocs.
type TechDocs struct {
	// External says that sites are made by others, and only served here.
	External bool
	// Folder is where external sites are on the disk; "": they are in S3.
	Folder string
	S3     *S3 // nil: external sites are in Folder
	// FrameHosts are sanitizer.allowedIframeHosts.
	FrameHosts []string
	// CaseSensitive is legacyUseCaseSensitiveTripletPaths.
	CaseSensitive bool
	// Location is the template of where pages that are found are shown; "": the
	// default. Every is how often external sites are looked at for the search;
	// 0: 10 minutes.
	Location string
	Every    time.Duration
}

// S3 is publisher.awsS3.
type S3 struct {
	Bucket, Region, Root string
	// Endpoint is a URL; "": that of AWS.
	Endpoint  string
	PathStyle bool
	// AccessKey and SecretKey; "": those of the environment.
	AccessKey, SecretKey string
}

// otherPublishers are those of the reference that are not served here.
var otherPublishers = []string{"googleGcs", "azureBlobStorage", "openStackSwift"}

func (r *reader) techdocs(c *Config) TechDocs {
	v := c.At("techdocs")
	t := TechDocs{
		External:      r.choice(v.At("builder"), "local", "local", "external") == "external",
		FrameHosts:    r.list(v.At("sanitizer.allowedIframeHosts")),
		CaseSensitive: r.boolean(v.At("legacyUseCaseSensitiveTripletPaths"), false),
		Location:      r.text(c.At("search.collators.techdocs.locationTemplate"), ""),
	}
	if frequency := c.At("search.collators.techdocs.schedule.frequency"); frequency.Exists() && !frequency.Child("cron").Exists() {
		t.Every = r.duration(frequency, 0)
	}
	publisher := v.At("publisher")
	kind := r.choice(publisher.At("type"), "local", append([]string{"local", "awsS3"}, otherPublishers...)...)
	if !t.External {
		if kind != "local" {
			r.warnings = append(r.warnings, "techdocs.publisher "+kind+" has no effect with techdocs.builder local, which keeps sites in --data: "+
				"set techdocs.builder to external to serve what is published there")
		}
		if t.CaseSensitive {
			r.warnings = append(r.warnings, "techdocs.legacyUseCaseSensitiveTripletPaths has no effect with techdocs.builder local")
			t.CaseSensitive = false
		}
		return t
	}
	switch kind {
	case "local":
		t.Folder = r.required(publisher.At("local.publishDirectory"))
		if t.Folder != "" {
			if path, err := filepath.Abs(t.Folder); err == nil {
				t.Folder = path
			}
		}
	case "awsS3":
		t.S3 = r.s3(publisher.At("awsS3"))
	default:
		r.fault(publisher.At("type").Fault("sites are served from local and awsS3 in this release, not from %s", kind))
	}
	return t
}

func (r *reader) s3(v Value) *S3 {
	s := &S3{
		Bucket: r.required(v.At("bucketName")), Region: r.text(v.At("region"), ""), Root: r.text(v.At("bucketRootPath"), ""),
		Endpoint: r.text(v.At("endpoint"), ""), PathStyle: r.boolean(v.At("s3ForcePathStyle"), false),
		AccessKey: r.text(v.At("credentials.accessKeyId"), ""), SecretKey: r.text(v.At("credentials.secretAccessKey"), ""),
	}
	if (s.AccessKey == "") != (s.SecretKey == "") {
		r.fault(v.At("credentials").Fault("accessKeyId and secretAccessKey belong together"))
	}
	if role := v.At("credentials.roleArn"); role.Exists() {
		r.fault(role.Fault("roles are taken from the environment in this release: set AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, and leave the key out"))
	}
	return s
}
