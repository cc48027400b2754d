package main

import (
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/domain/document"
)

const bucketSecret = "canary0of0the0store"

// bucketed is an installation whose archive is a bucket.
type bucketed struct {
	*installation
	store gofakes3.Backend
	spool string
}

func newBucketed(t *testing.T, c simulator.Config) *bucketed {
	t.Helper()
	b := &bucketed{installation: newInstallation(t, c, os.Getenv("WAYBILL_TEST_KAFKA")), store: s3mem.New(), spool: t.TempDir()}
	require.NoError(t, b.store.CreateBucket("images"))
	server := httptest.NewServer(gofakes3.New(b.store).Server())
	t.Cleanup(server.Close)
	b.env["WAYBILL_ARCHIVE"] = "s3://images/waybill?region=us-east-1&endpoint=" + url.QueryEscape(server.URL)
	b.env["WAYBILL_ARCHIVE_NETWORKS"], b.env["WAYBILL_ARCHIVE_SPOOL"] = "127.0.0.0/8", b.spool
	b.env["AWS_ACCESS_KEY_ID"], b.env["AWS_SECRET_ACCESS_KEY"], b.env["AWS_EC2_METADATA_DISABLED"] = "AKIAWAYBILLTEST", bucketSecret, "true"
	return b
}

// A bucket is an archive as a folder is: workers fill it, verify reads it, what
// it loses is found, recorded and fetched again, and another's is refused.
func TestAnArchiveInABucket(t *testing.T) {
	t.Parallel()
	config := simulator.Config{Seed: 4, Documents: 40, From: "2024-01-01", To: "2024-01-31", FileSize: 3000, MaxFiles: 3}
	b := newBucketed(t, config)
	waybill := b.start("all")
	b.ready()
	number := b.create(config)
	require.EqualValues(t, 40, b.finished(number).Documents.Migrated)
	out, err := b.run("verify", "--archive", "all", "--views", "none")
	require.NoError(t, err, out)

	lost := b.damage()
	out, err = b.run("verify", "--archive", "all", "--views", "none")
	require.Equal(t, exitViolated, code(err), out)
	for _, key := range lost {
		require.Contains(t, out, key)
	}
	out, err = b.run("recover", "archive", "--subject", "ann", "--reason", "the store lost them")
	require.NoError(t, err, out)
	require.Contains(t, out, "2 documents recorded as having lost objects")
	b.eventually("they are failed", func() error {
		found, err := b.overview(number)
		if err == nil && found.Documents.Failed != 2 {
			err = errNone
		}
		return err
	})
	b.shown()
	require.NoError(t, b.api.Post(t.Context(), "/v1/batches/"+number+"/retry", map[string]any{"reason": "fetched again"}, nil))
	b.eventually("they are back", func() error {
		found, err := b.overview(number)
		if err == nil && (found.Documents.Migrated != 40 || found.FinishedAt == nil) {
			err = errNone
		}
		return err
	})
	out, err = b.run("verify", "--archive", "all", "--views", "none")
	require.NoError(t, err, out)
	b.verifies(number)
	require.NoError(t, waybill.stop())

	left, err := os.ReadDir(b.spool)
	require.NoError(t, err)
	require.Empty(t, left)
	log, err := os.ReadFile(waybill.log)
	require.NoError(t, err)
	require.NotContains(t, string(log), bucketSecret)
	b.refusesAnother()
}

// damage takes a file of one document away and changes one of another.
func (b *bucketed) damage() (keys []string) {
	b.t.Helper()
	for _, r := range b.history() {
		e, ok := r.Event.(document.Migrated)
		if !ok || len(keys) == 2 {
			continue
		}
		key := e.Files[0].Stored.Key
		keys = append(keys, key)
		if len(keys) == 1 {
			_, err := b.store.DeleteObject("images", "waybill/"+key)
			require.NoError(b.t, err)
			continue
		}
		content := strings.Repeat("x", int(e.Files[0].Stored.Bytes))
		_, err := b.store.PutObject("images", "waybill/"+key, map[string]string{}, strings.NewReader(content), int64(len(content)), nil)
		require.NoError(b.t, err)
	}
	return keys
}

// verifies: a verification of the batch finds what is damaged anew, and what
// lies beside it.
func (b *bucketed) verifies(number string) {
	b.t.Helper()
	stray := path.Dir(b.damage()[0]) + "/stray"
	_, err := b.store.PutObject("images", "waybill/"+stray, map[string]string{}, strings.NewReader("x"), 1, nil)
	require.NoError(b.t, err)
	var taken struct{ Verification, Position string }
	require.NoError(b.t, b.api.Post(b.t.Context(), "/v1/batches/"+number+"/verify", map[string]any{"reason": "yearly inspection"}, &taken))
	one := "/v1/verifications/" + taken.Verification
	var found struct {
		Status    string
		Documents struct{ Intact, Changed, Missing int }
	}
	b.eventually("the verification ends", func() error {
		err := b.api.Get(b.t.Context(), one+"?after="+taken.Position, &found)
		if err == nil && found.Status != "completed" {
			err = errNone
		}
		return err
	})
	require.Equal(b.t, []int{38, 1, 1}, []int{found.Documents.Intact, found.Documents.Changed, found.Documents.Missing})
	var extra struct{ Items []struct{ Key string } }
	require.NoError(b.t, b.api.Get(b.t.Context(), one+"/findings?fault=extra", &extra))
	require.Equal(b.t, stray, extra.Items[0].Key)
}

// refusesAnother: workers do not write to what is not the installation's.
func (b *bucketed) refusesAnother() {
	b.t.Helper()
	for _, change := range []struct{ from, to, says string }{
		{"images/waybill", "images/elsewhere", "no .waybill-archive"},
		{"images/waybill", "nowhere/waybill", "NoSuchBucket"},
		{"s3://images", "s3://AKIA:" + bucketSecret + "@images", "credentials are the environment's"},
	} {
		other := *b.installation
		other.env = map[string]string{}
		for name, value := range b.env {
			other.env[name] = value
		}
		other.env["WAYBILL_ARCHIVE"] = strings.Replace(b.env["WAYBILL_ARCHIVE"], change.from, change.to, 1)
		for _, command := range [][]string{{"work"}, {"verify", "--archive", "all", "--views", "none", "--kafka=false"}} {
			out, err := other.run(command...)
			require.Error(b.t, err)
			require.Contains(b.t, out, change.says)
			require.NotContains(b.t, out, bucketSecret)
		}
	}
}
