package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/verification"
)

// The archive loses objects of five documents, each in another way, and later
// all that it has. verify says exactly which; recover archive records it, and a
// retry fetches them again.
func TestRecoverALostArchive(t *testing.T) {
	t.Parallel()
	v := newVerified(t)
	waybill := v.start("all")
	v.ready()
	lost, files := v.damage()
	require.ElementsMatch(t, lost, v.lostSays())

	out, err := v.run("recover", "archive", "--dry-run")
	require.NoError(t, err, out)
	require.Contains(t, out, "5 documents have lost something, of 60")
	require.Contains(t, out, "3 are missing, 2 are changed")
	out, err = v.run("recover", "archive", "--subject", "ann")
	require.ErrorContains(t, err, "exit status 1", out)
	require.Contains(t, out, "--reason is missing")
	require.Len(t, v.history(), len(v.records), "nothing was recorded")

	v.recovers(5, "the disk")
	v.settles(55)
	v.passes("what the history says is lost is not missing")
	v.recovers(0, "again")
	v.retries()
	v.passes("all is back")
	v.fetchedAgain(files)
	kept, err := filepath.Glob(filepath.Join(v.archive, ".damaged", "*"))
	require.NoError(t, err)
	require.Len(t, kept, 2)

	require.NoError(t, waybill.stop())
	v.losesAll()
}

// losesAll: another disk is in the archive's place.
func (v *verified) losesAll() {
	t := v.t
	require.NoError(t, os.Rename(v.archive, v.archive+".gone"))
	require.NoError(t, os.Mkdir(v.archive, 0o750))
	out, err := v.run("work")
	require.Error(t, err, "an empty folder is refused")
	require.Contains(t, out, "no .waybill-archive")
	out, err = v.run("verify", "--archive", "all")
	require.Equal(t, exitUnchecked, code(err), out)
	out, err = v.run("recover", "archive", "--dry-run")
	require.Error(t, err)
	require.Contains(t, out, "no .waybill-archive")

	before := len(v.history())
	out, err = v.run("recover", "archive", "--mark", "--subject", "ann", "--reason", "the disk burned")
	require.Error(t, err)
	require.Contains(t, out, "nothing was recorded")
	require.Contains(t, out, "--confirm 60")
	require.Len(t, v.history(), before)
	v.recovers(60, "the disk burned", "--confirm", "60")
	v.start("all")
	v.ready()
	v.settles(0)
	v.retries()
	v.passes("all is back")
}

// damage takes a file, a manifest and a raw item away, changes a file and cuts
// another, each of another document. It gives the keys, and the files' ids.
func (v *verified) damage() (lost []string, files map[string]string) {
	v.t.Helper()
	files = map[string]string{}
	path := func(key string) string { return filepath.Join(v.archive, filepath.FromSlash(key)) }
	remove := func(key string) { require.NoError(v.t, os.Remove(path(key))) }
	rewrite := func(key string, change func([]byte) []byte) {
		content, err := os.ReadFile(path(key))
		require.NoError(v.t, err)
		require.NoError(v.t, os.Remove(path(key))) // objects cannot be written to
		require.NoError(v.t, os.WriteFile(path(key), change(content), 0o600))
	}
	n := 0
	for _, r := range v.records {
		e, ok := r.Event.(document.Migrated)
		if !ok || n == 5 {
			continue
		}
		file := e.Files[0].Stored.Key
		key := file
		switch n {
		case 0:
			remove(file)
		case 1:
			rewrite(file, func(c []byte) []byte { c[len(c)/2] ^= 1; return c })
		case 2:
			rewrite(file, func(c []byte) []byte { return c[:len(c)-1] })
		case 3:
			key = e.Manifest.Key
			remove(key)
		case 4:
			key = v.rawOf(r.Stream)
			remove(key)
		}
		files[r.Stream] = ""
		if key == file {
			files[r.Stream] = e.Files[0].ID
		}
		lost = append(lost, key)
		n++
	}
	require.Len(v.t, lost, 5)
	return lost, files
}

func (v *verified) rawOf(stream string) string {
	i := slices.IndexFunc(v.records, func(r wire.Record) bool { return r.Stream == stream && r.Version == 1 })
	return v.records[i].Event.(document.Discovered).Listed.Raw.Key
}

// lostSays are the objects that verify names; all else holds.
func (v *verified) lostSays() []string {
	v.t.Helper()
	out, err := v.run("verify", "--archive", "all", "-o", "json")
	require.Equal(v.t, exitViolated, code(err), out)
	var r verification.Report
	require.NoError(v.t, json.NewDecoder(strings.NewReader(out[strings.Index(out, "{"):])).Decode(&r), out) // behind the progress
	require.Equal(v.t, 1, r.Count(verification.Violated))
	var keys []string
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			keys = append(keys, f.Where)
		}
	}
	return keys
}

func (v *verified) recovers(documents int, reason string, more ...string) {
	v.t.Helper()
	out, err := v.run(append([]string{"recover", "archive", "--subject", "ann", "--reason", reason}, more...)...)
	require.NoError(v.t, err, out)
	require.Contains(v.t, out, fmt.Sprintf("%d documents have lost something", documents))
	if documents > 0 {
		require.Contains(v.t, out, fmt.Sprintf("%d documents recorded", documents))
		last := v.history()
		i := slices.IndexFunc(last, func(r wire.Record) bool {
			e, ok := r.Event.(document.VerificationFailed)
			return ok && e.Reason == reason
		})
		require.Equal(v.t, "ann", last[i].Metadata.Initiator.Subject)
		require.Equal(v.t, "recover-archive", last[i].Metadata.Actor.Subject)
	}
}

// settles: the batch was opened again by its condition, and finished anew with
// honest figures.
func (v *verified) settles(migrated int) {
	v.t.Helper()
	v.eventually("the batch shows what was lost", func() error {
		b, err := v.overview(v.number)
		if err == nil && (b.FinishedAt == nil || b.Documents.Migrated != migrated || b.Failures["integrity"] != 60-migrated || b.Status != "failed") {
			err = fmt.Errorf("it stands at %+v", b)
		}
		return err
	})
	v.shown() // a retry chooses among what the views have
}

func (v *verified) retries() {
	v.t.Helper()
	require.NoError(v.t, v.api.Post(v.t.Context(), "/v1/batches/"+v.number+"/retry",
		map[string]any{"reason": "fetch it again", "filter": map[string]any{"code": "archive-object-lost"}}, nil))
	v.eventually("all documents are migrated again", func() error {
		b, err := v.overview(v.number)
		if err == nil && (b.FinishedAt == nil || b.Documents.Migrated != 60) {
			err = fmt.Errorf("it stands at %+v", b)
		}
		return err
	})
	b := v.finished(v.number)
	v.holds(b)
	require.Equal(v.t, "succeeded", b.Status)
	v.archiveIsWhole()
}

// fetchedAgain: of each document what was lost, and nothing else.
func (v *verified) fetchedAgain(files map[string]string) {
	v.t.Helper()
	again := map[string]string{}
	for stream := range files {
		again[stream] = "not migrated again"
	}
	versions := map[string]int{}
	for _, r := range v.records {
		versions[r.Stream] = r.Version
	}
	for _, r := range v.history() {
		if e, ok := r.Event.(document.Migrated); ok && r.Version > versions[r.Stream] {
			again[r.Stream] = ""
			for _, f := range e.Files {
				again[r.Stream] += f.ID
			}
		}
	}
	require.Equal(v.t, files, again)
}
