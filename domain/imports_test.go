package domain_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/waybill-migration/waybill/"

// impure are the packages of the standard library, with all below them, that
// the domain keeps away from: they do I/O, read the environment, draw random
// numbers, carry a context, or run beside the caller. Not among them are
// net/url and net/netip, which only parse text.
var impure = []string{
	"context", "crypto/rand", "database", "embed", "expvar", "flag", "io", "log", "math/rand", "net", "os", "path/filepath", "plugin",
	"runtime", "sync", "syscall", "testing", "time/tzdata", "unsafe",
}

// standardToBe is encoding/json/v2 for a Go before 1.27: the same code, which
// becomes the standard library's own under a newer Go.
const standardToBe = "github.com/go-json-experiment/json"

var pureParsers = map[string]bool{"net/url": true, "net/netip": true}

// impureNames of packages that are pure otherwise: what reads or waits for a
// clock or a time zone database, what prints or scans, and what reads the
// authorities that the machine trusts.
var impureNames = map[string][]string{
	"crypto/x509": {"SystemCertPool", "SetFallbackRoots", "VerifyOptions", "CreateCertificate", "CreateCertificateRequest", "CreateRevocationList"},
	"time":        {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "LoadLocation", "Local"},
	"fmt":         {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

// The import graph below domain: the standard library without what is impure,
// and the domain itself (I7).
func TestTheDomainIsPure(t *testing.T) {
	t.Parallel()
	for path, file := range sources(t) {
		require.Empty(t, faults(file), path)
	}
}

// The check itself: it finds each kind of fault, whatever the import is called.
func TestImpureCodeIsFound(t *testing.T) {
	t.Parallel()
	for code, fault := range map[string]string{
		`import "os"`:                                           "os",
		`import "os/exec"`:                                      "os/exec",
		`import "net/http"`:                                     "net/http",
		`import "math/rand/v2"`:                                 "math/rand/v2",
		`import _ "time/tzdata"`:                                "time/tzdata",
		`import . "time"`:                                       "time by a dot",
		`import "github.com/google/uuid"`:                       "github.com/google/uuid",
		`import "` + module + `commands"`:                       module + "commands",
		`import "` + module + `domain/spec"`:                    module + "domain/spec",
		`import "` + module + `domainevents"`:                   module + "domainevents",
		`import "time"; var now = time.Now`:                     "time.Now",
		`import "fmt"; func f() { fmt.Println(1) }`:             "fmt.Println",
		`import clock "time"; func f() { clock.Sleep(1) }`:      "time.Sleep",
		`import "time"; func f() { <-time.After(time.Second) }`: "time.After",
		`import "crypto/x509"; var o x509.VerifyOptions`:        "crypto/x509.VerifyOptions",
		`func f() { go f() }`:                                   "go statement",
		`func init() {}`:                                        "init",
		`import ("net/url"; "net/netip"; "time"; "` + module + `domain/source"); var d = time.DateOnly`: "",
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "code.go", "package p; "+code, 0)
		require.NoError(t, err)
		var expected []string
		if fault != "" {
			expected = []string{fault}
		}
		require.Equal(t, expected, faults(file), code)
	}
}

// sources are the domain's files by path: without tests, and without spec,
// which is for tests and which no other file may import.
func sources(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (path == "spec" || entry.Name() == "testdata") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files[path], err = parser.ParseFile(token.NewFileSet(), path, nil, 0)
		return err
	}))
	for _, path := range []string{"doc.go", "document/decide.go", "wire/names.go", "rules/rules.go"} {
		require.Contains(t, files, filepath.FromSlash(path), "the walk reaches every package")
	}
	return files
}

func faults(file *ast.File) []string {
	var found []string
	imported := map[string]string{} // path by the name it has in the file
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		if !allowed(path) {
			found = append(found, path)
		}
		name := path[strings.LastIndex(path, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == "." {
			found = append(found, path+" by a dot")
		}
		imported[name] = path
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			of, _ := n.X.(*ast.Ident)
			if of != nil && slices.Contains(impureNames[imported[of.Name]], n.Sel.Name) {
				found = append(found, imported[of.Name]+"."+n.Sel.Name)
			}
		case *ast.GoStmt:
			found = append(found, "go statement")
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				found = append(found, "init")
			}
		}
		return true
	})
	return found
}

func allowed(path string) bool {
	if inside, ok := strings.CutPrefix(path+"/", module+"domain/"); ok {
		return !strings.HasPrefix(inside, "spec/")
	}
	if path == standardToBe {
		return true
	}
	first, _, _ := strings.Cut(path, "/")
	if strings.Contains(first, ".") { // not of the standard library
		return false
	}
	for _, p := range impure {
		if (path == p || strings.HasPrefix(path, p+"/")) && !pureParsers[path] {
			return false
		}
	}
	return true
}
