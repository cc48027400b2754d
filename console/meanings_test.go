package console

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/rules"
)

// failureCode is how the code gives a failure its code: in a literal that has a
// category, or as an argument.
var failureCode = regexp.MustCompile(`Code:\s*"([a-z-]+)",\s*(?:HTTPStatus: [^,]+, )?Category:|unavailable\([^"]*"([a-z-]+)"|code(?:Auth|, detail)? (?::=|=) "([a-z-]+)"|lostCode = "([a-z-]+)"`)

// Every failure and finding that the API tells of in English means something in
// the Chinese console.
func TestEveryCodeMeansSomethingInChinese(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("web/src/i18n/failures.ts")
	require.NoError(t, err)
	codes := map[string]string{}
	for _, r := range rules.Table() {
		for _, c := range r.Codes {
			codes[c.Code] = r.ID
		}
	}
	for _, folder := range []string{"domain/document", "domain/discovery", "commands/workers", "adapters/standardimaging", "adapters/flagship"} {
		for code, path := range codesIn(t, filepath.Join("..", folder)) {
			codes[code] = path
		}
	}
	require.Greater(t, len(codes), 45, "the code is looked through")
	for code, where := range codes {
		require.Regexp(t, `(?m)[ ']`+code+`'?: '\p{Han}`, string(content), "%s: say in i18n/failures.ts what it means", where)
	}
}

func codesIn(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := os.ReadFile(path) //nolint:gosec // of this repository
		for _, found := range failureCode.FindAllStringSubmatch(string(content), -1) {
			if code := strings.Join(found[1:], ""); code != "" {
				all[code] = path
			}
		}
		return err
	}))
	return all
}
