package rest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// codeAt is which argument of a function names a code.
var codeAt = map[string]int{"RefuseInvalid": 1, "RefuseConflict": 0, "RefuseNotFound": 0, "RefuseForbidden": 0, "RefuseToken": 0, "RefuseBearer": 0, "newProblem": 1}

// notNamed are calls that name no code as a text: those codes are listed here.
var notNamed = map[string][]string{
	"domain/document/decide.go":   {"all-files-skipped"},
	"domain/profile/flagship.go":  {"out-of-range", "too-many", "network-invalid", "url-invalid"},
	"projections/sources.go":      {"batch-not-found", "document-not-found", "operation-not-found", "source-not-found", "rebuild-not-found"},
	"adapters/rest/operations.go": {"batch-unknown", "document-unknown", "operation-unknown"},
	"adapters/rest/limits.go":     {"attempts-too-many", "requests-too-many"},
	"adapters/rest/problem.go":    {"version-stale", "issuer-unavailable", "journal-closed", "view-late", "timeout", "interrupted", "database-unavailable"},
}

// codesOf the whole tree, with where each is.
func codesOf(t *testing.T) map[string]string {
	t.Helper()
	const root = "../.."
	codes := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".." {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(filepath.ToSlash(path), root+"/")
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			function := ""
			switch f := call.Fun.(type) {
			case *ast.SelectorExpr:
				function = f.Sel.Name
			case *ast.Ident:
				function = f.Name
			}
			at, ok := codeAt[function]
			if !ok {
				return true
			}
			literal, ok := call.Args[at].(*ast.BasicLit)
			if !ok {
				require.NotEmpty(t, notNamed[name], "%s gives a code that is not a text: name its codes in notNamed", name)
				return true
			}
			code, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			if function == "RefuseNotFound" {
				code += "-not-found"
			}
			codes[code] = name
			return true
		})
		return nil
	}))
	for name, named := range notNamed {
		for _, code := range named {
			codes[code] = name
		}
	}
	return codes
}

func TestEveryCodeHasItsPageAndEveryPageItsCode(t *testing.T) {
	t.Parallel()
	codes := codesOf(t)
	require.Greater(t, len(codes), 80)
	seen := map[string]bool{}
	for _, e := range errorCodes {
		require.False(t, seen[e.Code], e.Code)
		seen[e.Code] = true
		require.Contains(t, codes, e.Code, "nothing gives this code")
		require.NotEmpty(t, http.StatusText(e.Status), e.Code)
		for _, text := range []string{e.Title, e.Meaning, e.Remedy} {
			require.NotEmpty(t, text, e.Code)
		}
		require.False(t, strings.HasSuffix(e.Title, "."), e.Code)
	}
	for code, where := range codes {
		require.True(t, seen[code], "%s of %s is not in errorCodes", code, where)
	}
}

func TestPagesArePlainAndServedToAnyone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	paths := []string{"/docs", "/docs/errors"}
	for _, e := range errorCodes {
		paths = append(paths, "/docs/errors/"+e.Code)
	}
	for _, path := range paths {
		a := r.send("", "GET", path, nil).is(http.StatusOK, nil)
		require.Equal(t, "text/html; charset=utf-8", a.Header.Get("Content-Type"))
		require.Equal(t, docsPolicy, a.Header.Get("Content-Security-Policy"))
		page := string(a.Body)
		require.NotContains(t, page, "<script", path)
		require.NotContains(t, page, "http://", path)
		require.NotContains(t, page, "https://", path)
		require.NotContains(t, page, "style=", path)
		require.Contains(t, page, "</html>", path)
	}
	style := r.send("", "GET", "/docs/style.css", nil).is(http.StatusOK, nil)
	require.Equal(t, "text/css; charset=utf-8", style.Header.Get("Content-Type"))
	page := string(r.send("", "GET", "/docs/errors/version-stale", nil).Body)
	for _, text := range []string{"It was changed meanwhile", "HTTP 412", "send the new ETag"} {
		require.Contains(t, page, text)
	}
	r.send("", "GET", "/docs/errors/unheard-of", nil).refused(http.StatusNotFound, "route-not-found")
}

// The page shows all that the document has, and each of its links leads
// somewhere.
func TestDocsShowEveryOperation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	page := string(r.send("", "GET", "/docs", nil).is(http.StatusOK, nil).Body)
	for _, op := range r.operations() {
		require.Contains(t, page, `<h3 id="`+op.OperationID+`"`, op.OperationID)
		require.Contains(t, page, "<code>"+op.Permission+"</code>")
		for _, p := range op.Parameters {
			require.Contains(t, page, "<code>"+p.Name+"</code>")
		}
	}
	for _, part := range strings.Split(page, `href="#`)[1:] {
		anchor, _, _ := strings.Cut(part, `"`)
		require.Contains(t, page, `id="`+anchor+`"`)
	}
	for _, text := range []string{"Who changed what", "Permission: ", "DocumentFacets", "list of ", "Problem"} {
		require.Contains(t, page, text)
	}
}
