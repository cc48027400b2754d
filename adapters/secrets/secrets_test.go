package secrets_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const canary = "canary-5e0c1d"

func TestSecretsAreWhereTheirReferencesSay(t *testing.T) {
	t.Setenv("SECRETS_TEST", " "+canary+"\n")
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	require.NoError(t, os.WriteFile(file, []byte(canary+"\n"), 0o600))
	link := filepath.Join(dir, "link") // as Kubernetes mounts secrets
	require.NoError(t, os.Symlink(file, link))
	r := keeper(t, "")
	for _, reference := range []string{"env:SECRETS_TEST", "file:" + file, "file:" + link} {
		secret, err := r.Resolve(t.Context(), reference)
		require.NoError(t, err, reference)
		require.Equal(t, canary, secret)
	}
	require.NoError(t, os.WriteFile(file, []byte("rotated"), 0o600))
	secret, err := r.Resolve(t.Context(), "file:"+file)
	require.NoError(t, err)
	require.Equal(t, "rotated", secret)
}

func TestWhatIsWrongIsSaidAndNothingOfIt(t *testing.T) {
	t.Setenv("SECRETS_TEST_EMPTY", " \n")
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	loop := filepath.Join(dir, "loop")
	require.NoError(t, os.Symlink(loop, loop))
	for reference, says := range map[string]string{
		"":                                   "no secret is named",
		canary:                               "no secret is named",
		"vault:" + canary:                    "no secret is named",
		"env:SECRETS_TEST_NONE":              "the environment variable SECRETS_TEST_NONE, which should hold the secret, is empty",
		"env:SECRETS_TEST_EMPTY":             "is empty",
		"file:" + filepath.Join(dir, "none"): "is not there",
		"file:" + write("empty", "\n"):       "is empty",
		"file:" + write("large", strings.Repeat(canary, 6000)): "has more than 65536 bytes",
		"file:" + dir:  "is no regular file",
		"file:" + pipe: "is no regular file",
		"file:" + loop: "cannot be opened: too many levels of symbolic links",
	} {
		_, err := keeper(t, "").Resolve(t.Context(), reference)
		require.ErrorContains(t, err, says, reference)
		require.NotContains(t, err.Error(), canary)
	}
}
