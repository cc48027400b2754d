package policies_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/installationtest"
	"github.com/waybill-migration/waybill/commands/policies"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/wire"
)

// world is an installation whose policies are brought the journal itself; how
// Kafka brings it is tested in adapters/kafka.
type world struct {
	*installationtest.Installation
	t       *testing.T
	runners []*policies.Runner
}

func newWorld(t *testing.T) *world {
	i := installationtest.New(t)
	w := &world{Installation: i, t: t}
	for _, policy := range policies.All(i.Handler, i.Selection) {
		w.runners = append(w.runners, w.begin(policy))
	}
	return w
}

// begin makes a runner of a policy, as a process that starts does.
func (w *world) begin(policy policies.Policy) *policies.Runner {
	w.t.Helper()
	r := policies.NewRunner(policy, postgres.NewCheckpoints(w.Pool), w.Journal, slog.New(slog.DiscardHandler))
	require.NoError(w.t, r.Begin(w.t.Context()))
	return r
}

// settle brings the policies what the journal has until they cause no more.
func (w *world) settle() {
	w.t.Helper()
	for head := int64(-1); head != w.Head(); {
		head = w.Head()
		for _, r := range w.runners {
			require.NoError(w.t, r.Take(w.t.Context(), w.record(head)))
		}
	}
}

// record of the control partition.
func (w *world) record(offset int64) []byte {
	w.t.Helper()
	raw, err := w.Journal.Read(w.t.Context(), domain.ControlPartition, offset-1, 1)
	require.NoError(w.t, err)
	require.Len(w.t, raw, 1)
	return raw[0].Bytes
}

func (w *world) disable(id string) {
	w.t.Helper()
	_, err := w.Handler.DisableSource(w.t.Context(), installationtest.Meta(), id, nil, "maintenance")
	require.NoError(w.t, err)
}

func (w *world) enable(id string) {
	w.t.Helper()
	_, err := w.Handler.EnableSource(w.t.Context(), installationtest.Meta(), id, nil, "done")
	require.NoError(w.t, err)
}

func (w *world) change(number string, command batch.Command) {
	w.t.Helper()
	_, err := w.Handler.ChangeBatch(w.t.Context(), installationtest.Meta(), number, nil, command)
	require.NoError(w.t, err)
}

func (w *world) phases(expected batch.Phase, numbers ...string) {
	w.t.Helper()
	for _, number := range numbers {
		require.Equal(w.t, expected, w.Phase(number), number)
	}
}

// racing is the real selection; something happens right after it has answered.
type racing struct {
	postgres.Selection
	then func()
}

func (r racing) Unfinished(ctx context.Context, source string, at wire.Position) ([]string, error) {
	defer r.then()
	return r.Selection.Unfinished(ctx, source, at)
}
