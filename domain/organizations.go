package domain

import "slices"

// Organizations are codes of organisations (组织) that somebody is restricted
// to. None: somebody who is not restricted.
type Organizations []string

// Restricted tells whether there is anything that they keep away.
func (o Organizations) Restricted() bool { return len(o) > 0 }

// Has tells whether what is of an organisation may be seen and touched. What
// is of none is nobody's who is restricted.
func (o Organizations) Has(code string) bool {
	return !o.Restricted() || slices.Contains(o, code)
}

// Cover tells whether all that a scope names is among them. A scope that names
// none is of all organisations.
func (o Organizations) Cover(scope []string) bool {
	return !o.Restricted() || len(scope) > 0 && !slices.ContainsFunc(scope, func(code string) bool { return !slices.Contains(o, code) })
}

// Among gives those of a scope that may be seen.
func (o Organizations) Among(scope []string) []string {
	if !o.Restricted() {
		return scope
	}
	return slices.DeleteFunc(slices.Clone(scope), func(code string) bool { return !slices.Contains(o, code) })
}

const (
	maxCodes = 1000
	maxCode  = 100 // bytes
)

// CheckCodes refuses a list of organisations or document types that cannot be
// one, naming the field.
func CheckCodes(field string, codes []string) error {
	if len(codes) > maxCodes {
		return RefuseInvalid(field, "too-many", "%d at most, got %d", maxCodes, len(codes))
	}
	sorted := slices.Sorted(slices.Values(codes))
	for i, code := range sorted {
		switch {
		case code == "" || len(code) > maxCode:
			return RefuseInvalid(field, "code-invalid", "a code is 1 to %d bytes, got %q", maxCode, Truncate(code))
		case i > 0 && sorted[i-1] == code:
			return RefuseInvalid(field, "code-repeated", "%q is named twice", code)
		}
	}
	return nil
}
