package policies_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres/installationtest"
	"github.com/waybill-migration/waybill/commands/policies"
	"github.com/waybill-migration/waybill/domain/operation"
)

func (w *world) cancel(id string) {
	w.t.Helper()
	_, err := w.Handler.CancelOperation(w.t.Context(), installationtest.Meta(), id, nil, "wrong filter")
	require.NoError(w.t, err)
}

// Documents that had their turn stay done, those that did not stay as they are,
// and all of them are counted.
func TestACancelledBulkRetryGoesNoFurther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	number := w.Batch(w.Source("one"))
	w.Fail("one", number, 0, 700)
	id := w.request(number, operation.Filter{})
	require.NoError(t, policies.Expand(w.Handler, w.Selection).React(t.Context(), w.Control(w.Head() - 1)[0]))
	w.cancel(id)
	w.settle()
	o := w.ended(id)
	require.Equal(t, operation.StatusCancelled, o.Status)
	require.Equal(t, []int{operation.MaxItems, 0, 0, 200}, []int{o.Done, o.Changed, o.Refused, o.Left()})
	require.Equal(t, map[int]int{0: 200, 1: operation.MaxItems}, w.Retries("one", 700))
}

// An operation that is cancelled while a page is made: the page is dropped
// whole.
func TestABulkRetryThatIsCancelledInTheMiddleOfAPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	number := w.Batch(w.Source("one"))
	w.Fail("one", number, 0, 3)
	id := w.request(number, operation.Filter{})
	requested := w.Control(w.Head() - 1)[0]
	var once sync.Once
	expand := policies.Expand(w.Handler, racing{w.Selection, func() { once.Do(func() { w.cancel(id) }) }})
	require.NoError(t, expand.React(t.Context(), requested))
	o := w.ended(id)
	require.Equal(t, []int{0, 0, 0, 3}, []int{o.Done, o.Changed, o.Refused, o.Left()})
	require.Equal(t, map[int]int{0: 3}, w.Retries("one", 3))
}
