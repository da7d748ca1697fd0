package s3sites

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/greenroom-idp/greenroom/api/techdocs/site"
)

// Options say which bucket it is; the zero value of a field means what is said
// beside it.
type Options struct {
	// Bucket is its name. Required.
	Bucket string
	// Region is where it is; "": the store is asked.
	Region string
	// Root is a folder in the bucket; "": all of it.
	Root string
	// Endpoint is the URL of the store; "": that of AWS.
	Endpoint string
	// PathStyle puts the bucket into the path of URLs, as stores that are not of
	// AWS often want it; false: where the endpoint is of AWS, into the host.
	PathStyle bool
	// AccessKey and SecretKey; "": those of the environment, of the shared
	// credentials file, or of the machine or cluster.
	AccessKey, SecretKey string
	// Transport carries the requests; nil: that of the client library.
	Transport http.RoundTripper
}

// A Store reads from a bucket. It is a published.Store.
type Store struct {
	client *minio.Client
	bucket string
	root   string
}

// New checks the options. It does not connect.
func New(o Options) (*Store, error) {
	u := &url.URL{Scheme: "https", Host: "s3.amazonaws.com"}
	if o.Endpoint != "" {
		var err error
		if u, err = url.Parse(o.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
			return nil, fmt.Errorf("endpoint %q is not the URL of a store, such as https://s3.example.com", o.Endpoint)
		}
	}
	lookup := minio.BucketLookupAuto
	if o.PathStyle {
		lookup = minio.BucketLookupPath
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentialsOf(o), Secure: u.Scheme == "https", Region: o.Region, BucketLookup: lookup, Transport: o.Transport,
	})
	if err != nil {
		return nil, err
	}
	root := strings.Trim(path.Clean("/"+o.Root), "/")
	return &Store{client: client, bucket: o.Bucket, root: root}, nil
}

func credentialsOf(o Options) *credentials.Credentials {
	if o.AccessKey != "" {
		return credentials.NewStaticV4(o.AccessKey, o.SecretKey, "")
	}
	return credentials.NewChainCredentials([]credentials.Provider{
		&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{Client: &http.Client{Timeout: 10 * time.Second}},
	})
}

// Open opens an object by its path below the root.
func (s *Store) Open(ctx context.Context, name string) (site.Content, error) {
	object, err := s.client.GetObject(ctx, s.bucket, path.Join(s.root, name), minio.GetObjectOptions{})
	if err != nil {
		return site.Content{}, failed(name, err)
	}
	info, err := object.Stat()
	if err != nil {
		return site.Content{}, failed(name, errors.Join(err, object.Close()))
	}
	return site.Content{ReadSeekCloser: object, ETag: strings.Trim(info.ETag, `"`), Modified: info.LastModified}, nil
}

// failed turns what the store says into the error of a file.
func failed(name string, err error) error {
	var answer minio.ErrorResponse
	if errors.As(err, &answer) && answer.Code == "NoSuchKey" {
		return &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return fmt.Errorf("read %s from S3: %w", name, err)
}
