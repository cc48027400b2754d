package oidc

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/waybill-migration/waybill/commands"
)

// claims of a token.
type claims map[string]any

// names that stand in a claim: a list, or a text of several with spaces in
// between, as scope has. The claim is a name of its own, also with dots in it,
// or one within another, as realm_access.roles.
func (c claims) names(claim string) []string {
	value, found := c[claim]
	if outer, inner, dotted := strings.Cut(claim, "."); !found && dotted {
		within, _ := c[outer].(map[string]any)
		return claims(within).names(inner)
	}
	switch v := value.(type) {
	case string:
		return strings.Fields(v)
	case []any:
		var all []string
		for _, item := range v {
			if name, ok := item.(string); ok {
				all = append(all, name)
			}
		}
		return all
	}
	return nil
}

var known = []string{commands.RoleReader, commands.RoleOperator, commands.RoleAuditor, commands.RoleAdmin}

// ReadRoles reads which roles the issuer's names give, from pairs name=role. A
// name may stand in several.
func ReadRoles(pairs []string) (map[string][]string, error) {
	roles := map[string][]string{}
	for _, pair := range pairs {
		at := strings.LastIndex(pair, "=")
		if at < 1 || !slices.Contains(known, pair[at+1:]) {
			return nil, fmt.Errorf("%q is not a name and one of %s, as imaging-admins=admin", pair, strings.Join(known, ", "))
		}
		roles[pair[:at]] = append(roles[pair[:at]], pair[at+1:])
	}
	return roles, nil
}

// rolesOf names, each once and in a fixed order.
func (i *Issuer) rolesOf(names []string) []string {
	var roles []string
	for _, role := range known {
		if slices.ContainsFunc(names, func(name string) bool { return slices.Contains(i.roles[name], role) }) {
			roles = append(roles, role)
		}
	}
	return roles
}

// isSubject tells whether a text can stand for a person in the history.
func isSubject(text string) bool {
	return text != "" && len(text) <= 255 && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
