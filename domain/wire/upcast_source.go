package wire

import "github.com/waybill-migration/waybill/domain/source"

// Version 1 of a source's settings is of before a source could have
// certificate authorities of its own: it trusted the system's.
type (
	sourceSettingsV1 struct {
		Name              string   `json:"name"`
		Kind              string   `json:"kind"`
		TokenURL          string   `json:"tokenUrl"`
		DataURL           string   `json:"dataUrl"`
		ClientID          string   `json:"clientId"`
		SecretRef         string   `json:"secretRef"`
		SignAlgorithm     string   `json:"signAlgorithm"`
		TimestampUnit     string   `json:"timestampUnit"`
		HashAlgorithm     string   `json:"hashAlgorithm"`
		TimeZone          string   `json:"timeZone"`
		PageSize          int      `json:"pageSize"`
		Concurrency       int      `json:"concurrency"`
		RequestsPerSecond float64  `json:"requestsPerSecond"`
		AllowedNetworks   []string `json:"allowedNetworks,omitempty"`
		Profile           string   `json:"profile"`
	}
	sourceRegisteredV1 struct {
		ID       string           `json:"id"`
		Settings sourceSettingsV1 `json:"settings"`
		Enabled  bool             `json:"enabled"`
	}
	sourceReconfiguredV1 struct {
		Settings sourceSettingsV1 `json:"settings"`
	}
)

func (v sourceSettingsV1) settings() source.Settings {
	return source.Settings{
		Name: v.Name, Kind: v.Kind, TokenURL: v.TokenURL, DataURL: v.DataURL, ClientID: v.ClientID, SecretRef: v.SecretRef,
		SignAlgorithm: v.SignAlgorithm, TimestampUnit: v.TimestampUnit, HashAlgorithm: v.HashAlgorithm, TimeZone: v.TimeZone,
		PageSize: v.PageSize, Concurrency: v.Concurrency, RequestsPerSecond: v.RequestsPerSecond,
		AllowedNetworks: v.AllowedNetworks, Profile: v.Profile,
	}
}

func (v sourceRegisteredV1) event() source.Registered {
	return source.Registered{ID: v.ID, Settings: v.Settings.settings(), Enabled: v.Enabled}
}

func (v sourceReconfiguredV1) event() source.Reconfigured {
	return source.Reconfigured{Settings: v.Settings.settings()}
}
