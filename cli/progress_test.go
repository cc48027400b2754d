package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func batchOf(t *testing.T, document string) (b batch) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(document), &b))
	return b
}

func TestProgressOfABatch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ batch, progress string }{
		"nothing known": {`{"phase":"active","listings":{"slices":6}}`,
			"[........................]   0% 0/0, listing 0/6: 0 migrated, 0 failed, 0 pending"},
		"being listed": {`{"phase":"active","documents":{"total":300,"pending":200,"migrated":100},"listings":{"slices":6,"completed":2,"sourceTotal":1000}}`,
			"[##......................]  10% 100/1000, listing 2/6: 100 migrated, 0 failed, 200 pending"},
		"held": {`{"phase":"held","documents":{"total":1000,"pending":500,"migrated":480,"failed":12,"excepted":8},"listings":{"slices":6,"completed":5,"failed":1,"sourceTotal":1000},"failures":{"missing-field":5,"integrity":7}}`,
			"[############............]  50% 500/1000, held: 480 migrated, 12 failed, 500 pending, 8 excepted; failed for integrity 7, missing-field 5"},
		"short of what was said": {`{"phase":"cancelled","documents":{"total":998,"migrated":990,"cancelled":8},"listings":{"slices":1,"completed":1,"sourceTotal":1000,"shortfall":2}}`,
			"[########################] 100% 998/998, cancelled: 990 migrated, 0 failed, 0 pending, 8 cancelled"},
		"preflight": {`{"phase":"active","mode":"preflight","documents":{"total":300,"pending":200,"passed":100},"listings":{"slices":1,"completed":1,"sourceTotal":300}}`,
			"[########................]  33% 100/300: 100 passed, 0 failed, 200 pending"},
	} {
		require.Equal(t, c.progress, progress(batchOf(t, c.batch), &pace{}), name)
	}
}

func TestPaceAndWhatIsLeft(t *testing.T) {
	t.Parallel()
	var p pace
	require.Zero(t, p.rate())
	p.add(noon, 100)
	require.Zero(t, p.rate(), "one look is no pace")
	for second := range 60 {
		p.add(noon.Add(time.Duration(second+1)*time.Second), 100+min(int64(second+1), 30))
	}
	require.Zero(t, p.rate(), "it stood still for the last half minute")
	p.add(noon.Add(70*time.Second), 430)
	require.InDelta(t, 10, p.rate(), 0.001, "300 in 30 s")
	b := batchOf(t, `{"phase":"active","documents":{"total":630,"pending":200,"migrated":430},"listings":{"slices":1,"completed":1,"sourceTotal":630}}`)
	require.Contains(t, progress(b, &p), " 430/630, 10/s, about 20s left: ")
	p.add(noon.Add(71*time.Second), 400)
	require.Zero(t, p.rate(), "a retry took 30 back")
	p.add(noon.Add(73*time.Second), 440)
	require.InDelta(t, 20, p.rate(), 0.001)
}

func TestLinesWhereThereIsNoTerminal(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	m := newMeter(&out)
	m.line("a", noon)
	m.line("b", noon.Add(time.Second))
	m.line("c", noon.Add(5*time.Second))
	m.line("c", noon.Add(20*time.Second))
	m.line("d\x1b", noon.Add(21*time.Second))
	m.end()
	require.Equal(t, "a\nc\nd\ufffd\n", out.String(), "one in five seconds, and none that says the same")
}

func TestTheVerdictOfABatch(t *testing.T) {
	t.Parallel()
	for document, wanted := range map[string]string{
		`{"status":"succeeded"}`:                                              "",
		`{"status":"succeeded-with-exceptions"}`:                              "",
		`{"status":"succeeded","empty":true,"emptyAcknowledged":true}`:        "",
		`{"status":"succeeded","empty":true}`:                                 "nothing is in its scope",
		`{"status":"failed","documents":{"failed":3,"total":9}}`:              "3 of 9 documents failed",
		`{"status":"failed","listings":{"unaccepted":2}}`:                     "a shortfall of 2 is not accepted",
		`{"status":"failed","phase":"cancelled","documents":{"cancelled":4}}`: "4 cancelled",
	} {
		err := batchOf(t, document).verdict()
		if wanted == "" {
			require.NoError(t, err, document)
			continue
		}
		require.ErrorContains(t, err, wanted)
		require.Equal(t, 3, ExitCode(err))
	}
}
