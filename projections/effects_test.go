package projections_test

import (
	"context"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// Nothing fires from a replay. By type: a view is given a transaction and
// events, and nothing with which it could act; and by what the package can
// reach: neither commands, policies and workers nor adapters, networks and
// programs. That the whole installation stands still beside a replay is tested
// in cmd/waybill.
func TestAReplayCanFireNothing(t *testing.T) {
	t.Parallel()
	view := reflect.TypeFor[projections.View]()
	for i := range view.NumField() {
		if field := view.Field(i); field.Type.Kind() == reflect.Func {
			require.Equal(t, reflect.TypeFor[func(context.Context, pgx.Tx, []wire.Record) error](), field.Type, field.Name)
		}
	}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	require.Contains(t, files, "rebuild.go")
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			require.True(t, reachable(imported), "%s imports %s", path, imported)
		}
	}
	require.False(t, reachable("github.com/waybill-migration/waybill/commands/policies"))
	require.False(t, reachable("net/http"))
}

// reachable packages: the domain, the database's driver, and of the standard
// library what acts on nothing. The engine knows errors of the network.
func reachable(path string) bool {
	const module = "github.com/waybill-migration/waybill/"
	if strings.HasPrefix(path, module) {
		return strings.HasPrefix(path, module+"domain")
	}
	if path == "os" || strings.HasPrefix(path, "os/") || strings.HasPrefix(path, "net/") || path == "syscall" || path == "plugin" {
		return false
	}
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") || strings.HasPrefix(path, "github.com/jackc/pgx/") || strings.HasPrefix(path, "golang.org/x/sync/")
}
