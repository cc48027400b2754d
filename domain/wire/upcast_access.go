package wire

import "github.com/waybill-migration/waybill/domain/access"

// tokenIssuedV1 is of before tokens could be restricted to organisations: it
// was of one that is not.
type tokenIssuedV1 struct {
	ID        string   `json:"id"`
	Subject   string   `json:"subject"`
	Roles     []string `json:"roles"`
	ExpiresAt string   `json:"expiresAt,omitempty"`
}

func (v tokenIssuedV1) event() access.TokenIssued {
	return access.TokenIssued{ID: v.ID, Subject: v.Subject, Roles: v.Roles, ExpiresAt: v.ExpiresAt}
}
