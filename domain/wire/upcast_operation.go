package wire

import (
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/operation"
)

// Version 1 of what asks for an operation is of before somebody who asks could
// be restricted to organisations; version 2 of before it could name documents,
// a list or another operation, without which it would be for all of a batch.
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
	operationRequestedV2 struct {
		ID          string            `json:"id"`
		Kind        string            `json:"kind"`
		Batch       string            `json:"batch"`
		Filter      operationFilterV2 `json:"filter"`
		Reason      string            `json:"reason,omitempty"`
		Count       int               `json:"count"`
		Coordinates map[int]int64     `json:"coordinates"`
	}
	operationFilterV2 struct {
		Category      domain.Category      `json:"category,omitempty"`
		Code          string               `json:"code,omitempty"`
		Organization  string               `json:"organization,omitempty"`
		DocumentType  string               `json:"documentType,omitempty"`
		Organizations domain.Organizations `json:"organizations,omitempty"`
	}
)

func (v operationRequestedV1) event() operation.Requested {
	f := v.Filter
	return operationRequestedV2{
		ID: v.ID, Kind: v.Kind, Batch: v.Batch, Reason: v.Reason, Count: v.Count, Coordinates: v.Coordinates,
		Filter: operationFilterV2{Category: f.Category, Code: f.Code, Organization: f.Organization, DocumentType: f.DocumentType},
	}.event()
}

func (v operationRequestedV2) event() operation.Requested {
	f := v.Filter
	return operation.Requested{
		ID: v.ID, Kind: v.Kind, Batch: v.Batch, Reason: v.Reason, Count: v.Count, Coordinates: v.Coordinates,
		Filter: operation.Filter{Category: f.Category, Code: f.Code, Organization: f.Organization, DocumentType: f.DocumentType, Organizations: f.Organizations},
	}
}
