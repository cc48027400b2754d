// Package contract is the event stream as others meet it: programs that have
// no Go, only Kafka or HTTP. It holds what is published to them, as files that
// the server serves under the same paths:
//
//	schemas/index.json            which events there are, in which versions
//	schemas/{type}.json           JSON Schema (2020-12) of a whole record
//	schemas/mappings/{type}-to-v{N}.json  from an old version to the next, as data
//	asyncapi.json                 the topics (AsyncAPI 3)
//	openapi.json                  the REST API (OpenAPI 3.1)
//
// The last is what a server serves itself, of its version; it is made and held
// against the one committed before by adapters/rest/publish. All others but the
// mappings are made by contract/generate from the Go types: go
// generate ./contract/... after an event has changed. It refuses what would
// break a published schema, and a test fails until it was run.
//
// What consumers are promised:
//
//   - A record is a CloudEvents 1.0 JSON document and never changes.
//   - Within a version members are only added, and those are not required.
//     Whoever reads ignores members that it does not know.
//   - Enumerations are open: x-extensible-enum lists the values known today,
//     and others may come within a version.
//   - Any other change is a new version, with a mapping from the one before.
package contract

import (
	"embed"
	"strconv"
	"strings"
)

// Files are those that are published, under their paths.
//
//go:embed asyncapi.json schemas
var Files embed.FS

// next is the name of the version that follows a persisted name.
func next(name string) (string, bool) {
	event, version, found := cutLast(name, ".v")
	n, err := strconv.Atoi(version)
	return event + ".v" + strconv.Itoa(n+1), found && err == nil
}

func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}
