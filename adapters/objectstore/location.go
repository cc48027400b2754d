package objectstore

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Scheme of URLs that name a bucket.
const Scheme = "s3"

// Location of an archive.
type Location struct {
	Bucket string
	Prefix string // of every key, without a slash at its ends; may be empty

	Region    string // empty: the environment's
	Endpoint  string // empty: that of AWS in the region
	PathStyle bool   // the bucket is in the path of URLs, not in the host

	Encryption types.ServerSideEncryption // empty: the bucket's own
	KMSKey     string
	Checksums  aws.RequestChecksumCalculation
}

// String is how people know it.
func (l Location) String() string {
	return Scheme + "://" + strings.TrimSuffix(l.Bucket+"/"+l.Prefix, "/")
}

// IsURL tells an address of a store from a folder's path.
func IsURL(text string) bool { return strings.HasPrefix(text, Scheme+"://") }

var validBucket = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// maxPrefix in bytes: a key of a store has 1024, of which Waybill's own take
// 720 at most.
const maxPrefix = 250

const form = "give s3://BUCKET/PREFIX?region=REGION&endpoint=https://HOST"

// Parse reads s3://bucket/prefix?region=...&endpoint=... The error repeats
// nothing of the text, which may hold what it must not.
func Parse(text string) (Location, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != Scheme || u.Fragment != "" || u.Opaque != "" {
		return Location{}, errors.New("is not the URL of a bucket: " + form)
	}
	if u.User != nil {
		return Location{}, errors.New("must hold no user and no key: credentials are the environment's, as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	l := Location{Bucket: u.Host, Prefix: strings.Trim(u.Path, "/")}
	if !validBucket.MatchString(l.Bucket) {
		return Location{}, errors.New("has no name of a bucket, which is 3 to 63 small letters, digits, points and hyphens: " + form)
	}
	if l.Prefix != "" && (!fs.ValidPath(l.Prefix) || len(l.Prefix) > maxPrefix) {
		return Location{}, fmt.Errorf("has a prefix that is longer than %d bytes, or has parts that are empty or stand for folders", maxPrefix)
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Location{}, errors.New("has a query that cannot be read: " + form)
	}
	return l, l.take(q)
}

// parameters of a URL's query.
var parameters = map[string]func(l *Location, value string) error{
	"region": func(l *Location, value string) error {
		l.Region = value
		return matching(value, `^[a-z0-9-]{1,50}$`, "the name of a region, such as cn-north-1")
	},
	"endpoint": func(l *Location, value string) error {
		u, err := url.Parse(value)
		if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return errors.New("an http(s) URL with a host, and without user and query")
		}
		l.Endpoint, l.PathStyle = strings.TrimSuffix(value, "/"), true
		return nil
	},
	"use_path_style": func(l *Location, value string) (err error) {
		if l.PathStyle, err = strconv.ParseBool(value); err != nil {
			return errors.New("true or false")
		}
		return nil
	},
	"ssetype": func(l *Location, value string) error {
		l.Encryption = types.ServerSideEncryption(value)
		if known := l.Encryption.Values(); !slices.Contains(known, l.Encryption) {
			return fmt.Errorf("one of %v", known)
		}
		return nil
	},
	"kmskeyid": func(l *Location, value string) error {
		l.KMSKey = value
		return matching(value, `^[A-Za-z0-9:/_-]{1,1000}$`, "the id or the ARN of a key of KMS")
	},
	"request_checksum_calculation": func(l *Location, value string) error {
		switch value {
		case "when_required":
			l.Checksums = aws.RequestChecksumCalculationWhenRequired
		case "when_supported":
			l.Checksums = aws.RequestChecksumCalculationWhenSupported
		default:
			return errors.New("when_supported or, for stores that know no checksums in trailers, when_required")
		}
		return nil
	},
}

// inOrder: a style that is named counts, whatever the endpoint.
var inOrder = slices.Sorted(maps.Keys(parameters))

func matching(value, pattern, what string) error {
	if !regexp.MustCompile(pattern).MatchString(value) {
		return errors.New(what)
	}
	return nil
}

func (l *Location) take(q url.Values) error {
	for name := range q {
		if parameters[name] == nil {
			return fmt.Errorf("has a parameter that is not one of %s; credentials are the environment's", strings.Join(inOrder, ", "))
		}
	}
	l.Checksums = aws.RequestChecksumCalculationWhenSupported
	for _, name := range inOrder {
		values := q[name]
		switch {
		case len(values) == 0:
			continue
		case len(values) > 1:
			return fmt.Errorf("names its %s more than once", name)
		}
		if err := parameters[name](l, values[0]); err != nil {
			return fmt.Errorf("has a %s that is not %w", name, err)
		}
	}
	return nil
}
