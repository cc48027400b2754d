package domain

import (
	"path"
	"regexp"
	"strings"
)

var secretReference = regexp.MustCompile(`^(?:encrypted:)?(?:env:[A-Za-z_][A-Za-z0-9_]{0,199}|file:(/[^\x00-\x1f\x7f]{1,900}))$`)

// ValidateSecretReference refuses what does not name a place where a secret is:
// env:NAME, file:/path, or, of a secret that is encrypted there,
// encrypted:env:NAME and encrypted:file:/path. The refusal does not repeat what
// was given, which may be a secret. Ciphertext is no reference: what is
// encrypted today may be read in the years that history is kept.
func ValidateSecretReference(field, reference string) error {
	found := secretReference.FindStringSubmatch(reference)
	if found == nil {
		return RefuseInvalid(field, "secret-reference-invalid",
			"a secret is given by reference, env:NAME or file:/path, with encrypted: in front when it is encrypted there; the secret itself is never stored")
	}
	if file := found[1]; file != "" && (path.Clean(file) != file || strings.HasSuffix(file, "/")) {
		return RefuseInvalid(field, "secret-reference-invalid", "the path of a secret's file is absolute, without . and .. and doubled slashes")
	}
	return nil
}
