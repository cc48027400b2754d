package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/rules"
)

// Every remedy that the code gives a failure is known in Chinese too. A remedy is
// a text of whole sentences; where others are too, the file is left out.
func TestEveryRemedyIsToldInBothLanguages(t *testing.T) {
	t.Parallel()
	found := 0
	for _, folder := range []string{"domain", "commands/workers", "adapters/standardimaging", "adapters/flagship"} {
		for english, where := range remediesIn(t, filepath.Join("../..", folder)) {
			found++
			text := rules.Remedy(english)
			require.Equal(t, english, text.English)
			require.True(t, strings.ContainsFunc(text.Chinese, isHan), "%s: say in remedies.go in Chinese: %q", where, english)
		}
	}
	require.Greater(t, found, 35, "the code is looked through")
	require.Equal(t, rules.Text{English: "Wait.", Chinese: "Wait."}, rules.Remedy("Wait."))
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

var others = []string{"check.go", "check_fields.go", "metrics.go", "remedies.go"}

var sentence = regexp.MustCompile(`^[A-Z][a-z']+ .*\.$`)

func remediesIn(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || slices.Contains(others, filepath.Base(path)) {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, is := n.(*ast.BasicLit)
			if is && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil && sentence.MatchString(text) {
					all[text] = set.Position(literal.Pos()).String()
				}
			}
			return true
		})
		return nil
	}))
	return all
}
