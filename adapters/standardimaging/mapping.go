package standardimaging

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// tokenCodes are the service's codes for a token that it no longer takes.
var tokenCodes = map[string]bool{"401": true, "0401": true}

type tokenRequest struct {
	ClientID  string `json:"client_id"`
	Timestamp string `json:"timestamp"`
	Sign      string `json:"sign"`
}

// outcome stands in every answer, under one of two sets of names.
type outcome struct {
	ErrCode     text `json:"errcode"`
	ErrorCode   text `json:"errorCode"`
	Description text `json:"description"`
	Message     text `json:"message"`
	TraceID     text `json:"traceId"`
}

func (o outcome) code() string {
	if o.ErrCode != "" {
		return string(o.ErrCode)
	}
	return string(o.ErrorCode)
}

func (o outcome) message() string {
	if o.Description != "" {
		return string(o.Description)
	}
	return string(o.Message)
}

type tokenAnswer struct {
	outcome
	AccessToken text   `json:"access_token"`
	ExpiresIn   number `json:"expires_in"` // seconds
}

type listRequest struct {
	OrgNumbers   []string `json:"orgNumbers,omitempty"`
	BillTypes    []string `json:"billTypes,omitempty"`
	StartTime    string   `json:"startTime,omitempty"` // YYYY-MM-DD
	EndTime      string   `json:"endTime,omitempty"`
	ImageNumbers []string `json:"imageNumbers,omitempty"`
	CurrentPage  int      `json:"currentPage"`
	PageSize     int      `json:"pageSize"`
}

type listAnswer struct {
	outcome
	TotalElement *number           `json:"totalElement"`
	TotalPage    number            `json:"totalPage"`
	CurrentPage  number            `json:"currentPage"`
	Data         []json.RawMessage `json:"data"`
}

type item struct {
	ImageNumber text   `json:"imageNumber"`
	Resource    text   `json:"resource"`
	BillID      text   `json:"billId"`
	BillNumber  text   `json:"billNumber"`
	BillType    text   `json:"billType"`
	OrgNumber   text   `json:"orgNumber"`
	OrgName     text   `json:"orgName"`
	BillDate    text   `json:"billDate"`
	Retention   text   `json:"retention"`
	Files       []file `json:"files"`
}

type file struct {
	ID            text   `json:"id"`
	PID           text   `json:"pid"`
	FileHash      text   `json:"fileHash"`
	FileName      text   `json:"fileName"`
	FileExtends   text   `json:"fileExtends"`
	FileSize      number `json:"fileSize"`
	OriginalState text   `json:"originalState"` // 1 original, 0 rendition
	FileClass     text   `json:"fileClass"`     // 0 cover, 1 invoice, 2 attachment
	Sequence      number `json:"sequence"`
	URL           text   `json:"url"`
}

var classes = map[text]document.Class{"0": document.Cover, "1": document.Invoice, "2": document.Attachment}

// maxIdentity bounds image number and resource in bytes; an item beyond it is
// kept under its digest, and fails by rule R01.
const maxIdentity = 200

// toItem maps an item as sent.
func toItem(source, hashAlgorithm string, raw json.RawMessage) (commands.Item, error) {
	var i item
	if err := json.Unmarshal(raw, &i); err != nil {
		return commands.Item{}, fmt.Errorf("an item of the list is not as agreed: %w", err)
	}
	content, err := contentDigest(raw)
	if err != nil {
		return commands.Item{}, err
	}
	listed := document.Listed{
		Organization: string(i.OrgNumber), OrganizationName: string(i.OrgName), DocumentType: string(i.BillType), BillID: string(i.BillID),
		BillNumber: string(i.BillNumber), BillDate: string(i.BillDate), Retention: string(i.Retention), Content: content,
	}
	for _, f := range i.Files {
		listed.Files = append(listed.Files, toFile(f, hashAlgorithm))
	}
	listed = listed.Bounded()
	urls := make(map[string]string, len(i.Files))
	for n, f := range listed.Files {
		urls[f.ID] = string(i.Files[n].URL)
	}
	id := domain.DocumentID{Source: source, Resource: string(i.Resource), ImageNumber: string(i.ImageNumber)}
	if strings.TrimSpace(id.ImageNumber) == "" || len(id.ImageNumber) > maxIdentity || len(id.Resource) > maxIdentity {
		id = domain.DocumentID{Source: source, Anonymous: content}
	}
	return commands.Item{ID: id, Listed: listed, Raw: raw, URLs: urls}, nil
}

func toFile(f file, hashAlgorithm string) document.ListedFile {
	listed := document.ListedFile{
		ID: string(f.ID), PID: string(f.PID), Class: classes[f.FileClass], Sequence: int(f.Sequence), Name: string(f.FileName),
		Type: strings.ToLower(strings.TrimPrefix(string(f.FileExtends), ".")), Size: int64(f.FileSize),
		Hash: strings.ToLower(string(f.FileHash)), Rendition: f.OriginalState == "0",
	}
	if listed.Hash != "" {
		listed.HashAlgorithm = hashAlgorithm
	}
	return listed
}

// contentDigest is the SHA-256 of an item without its URLs, which are new at
// each reading, and whatever the order of its members.
func contentDigest(raw json.RawMessage) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var members map[string]any
	if err := decoder.Decode(&members); err != nil {
		return "", fmt.Errorf("an item of the list is not an object: %w", err)
	}
	if files, ok := members["files"].([]any); ok {
		for _, f := range files {
			if f, ok := f.(map[string]any); ok {
				delete(f, "url")
			}
		}
	}
	canonical, err := json.Marshal(members)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:]), nil
}

// text is a string that may come as a number or null.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var plain string
		err := json.Unmarshal(b, &plain)
		*t = text(strings.ReplaceAll(plain, "\x00", "\uFFFD")) // which no database text can hold; the raw item keeps it
		return err
	}
	switch {
	case string(b) == "null":
		*t = ""
	case len(b) > 0 && (b[0] == '{' || b[0] == '['):
		return errors.New("an object or a list where a text was agreed") // it may be a token's, or a URL's
	default:
		*t = text(b)
	}
	return nil
}

// number is an integer that may come as a string, with a point, or null.
type number int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	var t text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	if t == "" {
		*n = 0
		return nil
	}
	whole, _, _ := strings.Cut(string(t), ".")
	if strings.Trim(string(t[len(whole):]), ".0") != "" {
		whole = ""
	}
	parsed, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		if b[0] == '"' {
			t = "a text" // which may be anything
		}
		return fmt.Errorf("%.40s where a number was agreed", t)
	}
	*n = number(parsed)
	return nil
}
