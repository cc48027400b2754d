package rest

import "github.com/waybill-migration/waybill/domain/profile"

// FlagshipTarget is how documents are filed in a flagship-edition platform. What
// is left out and has a default gets it.
type FlagshipTarget struct {
	URL       string `json:"url" maxLength:"2000" example:"https://flagship.example/ierp" doc:"Of the platform, before /api and /kapi; https, or http within allowedNetworks"`
	AppID     string `json:"appId" maxLength:"200" doc:"Of the application that Waybill is there"`
	SecretRef string `json:"secretRef" maxLength:"1000" example:"file:/run/secrets/flagship" doc:"Where the application's secret is: env:NAME or file:/path, with encrypted: in front when it is encrypted there; never the secret"`
	TenantID  string `json:"tenantId" maxLength:"200"`
	AccountID string `json:"accountId" maxLength:"200"`
	User      string `json:"user" maxLength:"200" doc:"In whose name documents are filed"`
	UserType  string `json:"userType,omitempty" maxLength:"200" doc:"How the user is named; by default UserName"`
	Language  string `json:"language,omitempty" maxLength:"200" doc:"By default zh_CN"`
	Resource  string `json:"resource,omitempty" maxLength:"50" doc:"Under which all documents are filed; absent: each under its own. Image numbers of several resources must not be the same then"`

	Concurrency  int   `json:"concurrency,omitempty" doc:"Requests at once of a process, 1 to 100; by default 8"`
	MaxFileBytes int64 `json:"maxFileBytes,omitempty" doc:"That the platform takes of a file, 1 GiB at most; by default 16 MiB"`

	AllowedNetworks        []string `json:"allowedNetworks,omitempty" nullable:"false" maxItems:"100" maxLength:"100" example:"[\"10.1.0.0/16\"]" doc:"Private networks that the platform lies in"`
	CertificateAuthorities string   `json:"certificateAuthorities,omitempty" maxLength:"65536" doc:"PEM of authorities that are trusted beside the system's"`
}

func flagshipTargetOf(t *profile.FlagshipTarget) *FlagshipTarget {
	if t == nil {
		return nil
	}
	return new(FlagshipTarget(*t))
}

func (t *FlagshipTarget) settings() *profile.FlagshipTarget {
	if t == nil {
		return nil
	}
	return new(profile.FlagshipTarget(*t))
}
