package wire

import (
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/operation"
)

// Version 1 of what asks for an operation is of before somebody who asks could
// be restricted to organisations.
type (
	operationRequestedV1 struct {
		ID          string            `json:"id"`
		Kind        string            `json:"kind"`
		Batch       string            `json:"batch"`
		Filter      operationFilterV1 `json:"filter"`
		Reason      string            `json:"reason,omitempty"`
		Count       int               `json:"count"`
		Coordinates map[int]int64     `json:"coordinates"`
	}
	operationFilterV1 struct {
		Category     domain.Category `json:"category,omitempty"`
		Code         string          `json:"code,omitempty"`
		Organization string          `json:"organization,omitempty"`
		DocumentType string          `json:"documentType,omitempty"`
	}
)

func (v operationRequestedV1) event() operation.Requested {
	return operation.Requested{
		ID: v.ID, Kind: v.Kind, Batch: v.Batch, Reason: v.Reason, Count: v.Count, Coordinates: v.Coordinates,
		Filter: operation.Filter{Category: v.Filter.Category, Code: v.Filter.Code, Organization: v.Filter.Organization, DocumentType: v.Filter.DocumentType},
	}
}
