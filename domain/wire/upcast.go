package wire

import (
	"reflect"

	"github.com/go-json-experiment/json"
)

// upcast reads an old version of an event as its present type. Evolve and
// views thereby know the newest shape only.
//
// The rules: an old shape is a struct of its own here, frozen, in the file of
// its family. It may take those parts from the aggregate that are unchanged
// since; when one of them changes, it is frozen too. Its conversion is a pure
// function of the old shape, keeps all that the old event says, and makes up
// nothing: what it did not say stays empty.
func upcast[Old, Event any](event func(Old) Event) form {
	return form{shape: reflect.TypeFor[Old](), decode: func(data []byte) (any, error) {
		var old Old
		err := json.Unmarshal(data, &old)
		return event(old), err
	}}
}
