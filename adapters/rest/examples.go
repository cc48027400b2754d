package rest

// bodyExamples stand in the API's description, by the name of the body's
// schema. A test holds each against its schema, and misses none.
var bodyExamples = map[string]any{
	"BulkRetry": map[string]any{"reason": "the source is back", "filter": map[string]any{"category": "source-unavailable"}},
	"Exception": map[string]any{"reason": "destroyed at the end of its retention", "evidence": "protocol 2024-17"},
	"Login":     map[string]any{"token": "wb_..."},
	"NewBatch": map[string]any{"mode": "preflight", "source": "standard-2024", "scope": map[string]any{
		"from": "2024-01-01", "to": "2024-12-31", "organizations": []any{"ORG1"},
	}},
	"NewOperation": map[string]any{
		"kind": "skip", "batch": "B20250301-080000-ABCDE", "filter": map[string]any{"category": "format-mismatch", "documentType": "BX"},
		"reason": "scanned again by the branch", "owner": "u-18", "reviewDate": "2026-01-31", "documentsPerSecond": 50,
	},
	"NewProfile": map[string]any{
		"name": "vouchers-300dpi", "minDpi": 300, "severities": []any{map[string]any{"code": "cover-missing", "severity": "block"}}, "reason": "the new scanners",
	},
	"ProfileChange": map[string]any{
		"description": "Old scans", "severities": []any{map[string]any{"code": "resolution-low", "severity": "warn"}},
		"documentTypes": []any{map[string]any{"source": "er_dailyreimburse", "target": "BX"}}, "reason": "the paper is gone",
	},
	"NewRebuild": map[string]any{"views": []any{"documents"}, "from": "kafka", "reason": "to prove that the topic has everything"},
	"NewSource": map[string]any{ //nolint:gosec // where a secret is kept, and no secret
		"id": "standard-2024", "name": "标准版影像 2024", "tokenUrl": "https://imaging.example/token", "dataUrl": "https://imaging.example/data",
		"clientId": "waybill", "secretRef": "env:WAYBILL_SOURCE_SECRET", "timeZone": "Asia/Shanghai",
	},
	"NewVerification": map[string]any{"reason": "the yearly check", "sample": map[string]any{"percent": 5, "seed": 7}},
	"NewWebhook": map[string]any{
		"id": "erp", "url": "https://erp.example/waybill", "types": []any{"waybill.batch.", "waybill.document.failed"}, "secretRefs": []any{"file:/run/secrets/erp"},
	},
	"NewToken": map[string]any{"subject": "erp-nightly", "roles": []any{"reader"}, "expiresAt": "2027-01-01T00:00:00Z"},
	"Reason":   map[string]any{"reason": "maintenance of the source until Monday"},
	"Skip":     map[string]any{"reason": "the supplier sends a better scan", "owner": "scanning-room", "reviewOn": "2026-01-31"},
	"SourceSettings": map[string]any{ //nolint:gosec // the same
		"name": "标准版影像 2024", "tokenUrl": "https://imaging.example/token", "dataUrl": "https://imaging.example/data",
		"clientId": "waybill", "secretRef": "file:/run/secrets/source", "pageSize": 200,
	},
	"WebhookSettings": map[string]any{
		"url": "https://10.1.0.7/waybill", "organizations": []any{"ORG1"}, "allowedNetworks": []any{"10.1.0.0/16"}, "secretRefs": []any{"file:/run/secrets/new", "file:/run/secrets/old"},
	},
	"SourceTrial": map[string]any{"from": "2024-03-01", "to": "2024-03-31"},
}
