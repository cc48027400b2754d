package flagship

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/adapters/outgoing"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// readBack compares what the platform shows of the document with what was filed.
func (f filing) readBack(ctx context.Context) (document.Filed, error) {
	filed := f.place
	var err error
	if filed.Status, err = f.status(ctx); err != nil {
		return filed, err
	}
	var shown coverAnswer
	if err := f.call(ctx, domain.StageVerify, pathCover, message{coverRequest{DocumentType: f.DocumentType, BillID: f.BillID}}, &shown); err != nil {
		return filed, err
	}
	for class, files := range shown.byClass() {
		expected := f.digests(class)
		if len(files) != len(expected) {
			return filed, unlike("%d files of the class %s were filed, and the platform shows %d", len(expected), class, len(files))
		}
		compared, err := f.compare(ctx, class, files, expected)
		if err != nil {
			return filed, err
		}
		filed.Files, filed.Compared = filed.Files+len(files), filed.Compared+compared
	}
	return filed, nil
}

// digests of the files of a class.
func (f filing) digests(class document.Class) (digests []string) {
	for _, file := range f.Files {
		if file.Class == class {
			digests = append(digests, file.Stored.SHA256)
		}
	}
	return digests
}

// compare fetches what can be fetched of the files shown: each must be one of
// those that were filed, and no two the same one.
func (f filing) compare(ctx context.Context, class document.Class, files shownFiles, expected []string) (compared int, err error) {
	for i, file := range files {
		digest, err := f.fetch(ctx, string(file.URL))
		if errors.Is(err, errNotFetched) {
			continue
		}
		if err != nil {
			return compared, err
		}
		at := slices.Index(expected, digest)
		if at < 0 {
			return compared, unlike("no. %d of the files of the class %s that the platform shows has the SHA-256 %s, which is none of those that were filed", i+1, class, digest)
		}
		expected = slices.Delete(expected, at, at+1)
		compared++
	}
	return compared, nil
}

// errNotFetched is a file that cannot be fetched from here.
var errNotFetched = errors.New("the file cannot be fetched by its localUrl")

// fetch gives the SHA-256 of what lies at a file's URL, which carries no token
// of Waybill: it may lead anywhere.
func (f filing) fetch(ctx context.Context, address string) (string, error) {
	base, err := url.Parse(f.settings.URL)
	if err != nil {
		return "", errNotFetched
	}
	u, err := base.Parse(strings.TrimSpace(address))
	if err != nil || address == "" || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return "", errNotFetched
	}
	release, err := f.slot(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	ctx, cancel := context.WithTimeoutCause(ctx, callTimeout+time.Duration(f.settings.MaxFileBytes/slowest)*time.Second, errStalled)
	defer cancel()
	r := (&http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}}).WithContext(ctx)
	response, err := f.http.Do(r)
	if errors.Is(err, outgoing.ErrRefused) {
		return "", errNotFetched
	}
	if err != nil {
		return "", unreachable(ctx, domain.StageVerify, err)
	}
	defer func() { _ = response.Body.Close() }()
	return f.digest(ctx, response, u.RawQuery)
}

func (f filing) digest(ctx context.Context, response *http.Response, query string) (string, error) {
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return "", errNotFetched
	default:
		failed := refused(domain.StageVerify, response)
		failed.Failure.Category, failed.Failure.Retryable, failed.Failure.Remedy = domain.TargetUnavailable, true, remedyWait
		return "", commands.WithoutSecrets(failed, query)
	}
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(response.Body, f.settings.MaxFileBytes+1))
	if err != nil {
		return "", unreachable(ctx, domain.StageVerify, err)
	}
	if n > f.settings.MaxFileBytes {
		return "", unlike("a file that the platform shows has more than %d bytes", f.settings.MaxFileBytes)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
