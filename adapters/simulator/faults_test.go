package simulator_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/domain/document"
)

func faulty(t *testing.T) *service {
	return start(t, simulator.Config{Seed: 5, Documents: 400, Faults: simulator.DemoFaults(), FileSize: 600, MinFiles: 2, MaxFiles: 4})
}

func TestListingsAddUpToTheTruth(t *testing.T) {
	t.Parallel()
	s := faulty(t)
	for _, phase := range []simulator.Phase{simulator.Disturbed, simulator.Recovered} {
		s.sim.SetPhase(phase)
		truth := s.sim.Truth()
		items, total := s.months()
		distinct := map[string]bool{}
		for _, item := range items {
			distinct[item.BillNumber] = true
		}
		figures := truth.Listings[phase]
		require.Equal(t, simulator.Figures{
			Total: total, Distinct: len(distinct), Duplicates: len(items) - len(distinct), Shortfall: total - len(distinct),
		}, figures)
		for _, d := range truth.Documents {
			require.Equal(t, d.Expected[phase].Status != "", distinct[d.BillNumber], "%s (%s)", d.BillNumber, d.Fault)
		}
	}
	require.Equal(t, simulator.Figures{Total: 400, Distinct: 398, Duplicates: 4, Shortfall: 2}, s.sim.Truth().Listings[simulator.Disturbed])
	require.Equal(t, simulator.Figures{Total: 400, Distinct: 399, Duplicates: 3, Shortfall: 1}, s.sim.Truth().Listings[simulator.Recovered])
}

// TestFaultsOfFiles compares what is served of each file with the truth, in
// both phases: a file has its document's fault or is sound.
func TestFaultsOfFiles(t *testing.T) {
	t.Parallel()
	s := faulty(t)
	truth := map[string]simulator.TruthDocument{}
	places, met := map[int]bool{}, map[simulator.Fault]int{}
	for _, d := range s.sim.Truth().Documents {
		truth[d.BillNumber] = d
	}
	for _, phase := range []simulator.Phase{simulator.Disturbed, simulator.Recovered} {
		s.sim.SetPhase(phase)
		items, _ := s.months()
		for _, item := range items {
			d := truth[item.BillNumber]
			for n, f := range item.Files {
				if f.ID == d.FaultyFile && (phase == simulator.Disturbed || !simulator.Transient[d.Fault]) {
					requireFault(t, s, d, item, n)
					places[n] = true
					met[d.Fault]++
					continue
				}
				status, body, err := s.get(f.URL)
				require.NoError(t, err)
				require.Equal(t, http.StatusOK, status)
				require.Equal(t, d.Files[n].SHA256, hex.EncodeToString(sum(sha256.New(), body)))
				require.Equal(t, f.FileHash, hex.EncodeToString(sum(md5.New(), body)))
			}
		}
	}
	require.Len(t, places, 4, "not always the first file")
	wanted := simulator.DemoFaults()
	for fault, n := range met {
		if !simulator.Transient[fault] && fault != simulator.MissingField {
			n /= 2 // it was met in both phases
			require.Equal(t, wanted[fault], n, fault)
		}
	}
	require.Len(t, met, 10)
}

func requireFault(t *testing.T, s *service, d simulator.TruthDocument, item shown, n int) {
	t.Helper()
	began := time.Now()
	f := item.Files[n]
	status, body, err := s.get(f.URL)
	declared := f.FileHash == hex.EncodeToString(sum(md5.New(), body))
	wanted := http.StatusOK
	switch d.Fault {
	case simulator.Throttled:
		wanted = http.StatusTooManyRequests
	case simulator.Unavailable:
		wanted = http.StatusServiceUnavailable
	case simulator.ExpiredURL:
		wanted = http.StatusForbidden
	case simulator.Truncated:
		require.Error(t, err)
		require.Less(t, len(body), f.FileSize)
	case simulator.Slow:
		require.True(t, declared)
		require.Greater(t, time.Since(began), 300*time.Millisecond)
	case simulator.WrongHash:
		require.False(t, declared)
	case simulator.WrongType:
		require.Equal(t, "png", f.FileExtends)
		require.True(t, bytes.HasPrefix(body, []byte("MZ")))
	case simulator.LowResolution:
		phys := bytes.Index(body, []byte("pHYs"))
		require.Equal(t, []byte{0, 0, 0x0e, 0xc3}, body[phys+4:phys+8], "3779 pixels per metre are 96 dpi")
	case simulator.EncryptedPDF:
		require.Contains(t, string(body), "/Encrypt")
	case simulator.MissingField:
		require.Nil(t, f.FileClass)
	default:
		t.Errorf("%s is no fault of a file", d.Fault)
	}
	require.Equal(t, wanted, status, d.Fault)
}

func TestFaultsOfItems(t *testing.T) {
	t.Parallel()
	s := faulty(t)
	truth := map[string]simulator.TruthDocument{}
	for _, d := range s.sim.Truth().Documents {
		truth[d.BillNumber] = d
	}
	items, _ := s.months()
	lacking := map[string]int{}
	for _, item := range items {
		switch {
		case item.ImageNumber == "":
			lacking["imageNumber"]++
		case item.BillID == "":
			lacking["billId"]++
		case item.BillType == "":
			lacking["billType"]++
		case item.OrgNumber == nil:
			lacking["orgNumber"]++
		default:
			continue
		}
		outcome := truth[item.BillNumber].Expected[simulator.Recovered]
		require.Equal(t, document.StatusFailed, outcome.Status)
		require.EqualValues(t, "missing-field", outcome.Category)
	}
	require.Len(t, lacking, 4)
	require.Equal(t, 3, lacking["imageNumber"])
}

func TestAThrottledListingIsServedWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{Documents: 4, Faults: map[simulator.Fault]int{simulator.ThrottledListing: 1}, From: from, To: from})
	began := time.Now()
	response := s.data(month(1, 1))
	require.Equal(t, http.StatusTooManyRequests, response.StatusCode)
	require.Equal(t, "1", response.Header.Get("Retry-After"))
	require.Eventually(t, func() bool { return s.data(month(1, 1)).StatusCode == http.StatusOK }, time.Minute, 20*time.Millisecond)
	require.GreaterOrEqual(t, time.Since(began), 900*time.Millisecond)
	require.Len(t, s.list(month(1, 1)).Data, 4)
}

func TestHostileSources(t *testing.T) {
	t.Parallel()
	with := func(h simulator.Hostile) *service { return start(t, simulator.Config{Documents: 300, Hostile: h}) }
	t.Run("HTML", func(t *testing.T) {
		s := with(simulator.AnswersHTML)
		response := s.data(month(1, 1))
		require.Contains(t, response.Header.Get("Content-Type"), "text/html")
		s.sim.SetPhase(simulator.Recovered)
		require.Len(t, s.list(month(1, 1)).Data, 50, "it ends with the disturbance")
	})
	t.Run("another shape", func(t *testing.T) {
		require.IsType(t, map[string]any{}, decode[map[string]any](t, with(simulator.WrongShape).data(month(1, 1)))["data"])
	})
	t.Run("endless pages", func(t *testing.T) {
		s := with(simulator.EndlessPages)
		first, late := s.list(month(1, 1)), s.list(month(1, 900))
		require.Equal(t, 901, late.TotalPage)
		require.Equal(t, first.Data[0].BillNumber, late.Data[0].BillNumber)
		require.Equal(t, first.TotalElement, late.TotalElement)
	})
	t.Run("a total that disagrees", func(t *testing.T) {
		s := with(simulator.UnsteadyTotal)
		require.Equal(t, 1, s.list(month(1, 2)).TotalElement-s.list(month(1, 1)).TotalElement)
	})
}
