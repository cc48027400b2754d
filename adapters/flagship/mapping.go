package flagship

import (
	"bytes"
	"encoding/json"

	"github.com/waybill-migration/waybill/domain/document"
)

// Paths of the calls, below the platform's URL.
const (
	pathAppToken = "/api/getAppToken.do" //nolint:gosec // a path, and no token
	pathLogin    = "/api/login.do"
	pathRegister = "/kapi/app/bds/erpBillPush"
	pathUpload   = "/kapi/app/bds/fileCollect"
	pathCommit   = "/kapi/app/bds/scanBillSubmit"
	pathStatus   = "/kapi/app/bds/operate"
	pathCover    = "/kapi/app/rim/queryCover"
)

const success = "0000"

// tokenCodes are the platform's for a token that it no longer takes.
var tokenCodes = map[text]bool{"401": true, "0401": true}

// answer of every call.
type answer struct {
	Success   bool            `json:"success"`
	ErrorCode text            `json:"errorCode"`
	Message   text            `json:"message"`
	TraceID   text            `json:"traceId"`
	Data      json.RawMessage `json:"data"`
}

type appTokenRequest struct {
	AppID     string `json:"appId"`
	AppSecret string `json:"appSecret"`
	TenantID  string `json:"tenantid"`
	AccountID string `json:"accountId"`
	Language  string `json:"language"`
}

type appTokenData struct {
	AppToken text `json:"app_token"`
}

type loginRequest struct {
	User      string `json:"user"`
	AppToken  string `json:"apptoken"`
	AccountID string `json:"accountId"`
	UserType  string `json:"usertype"`
}

type loginData struct {
	AccessToken text        `json:"access_token"`
	ExpireTime  json.Number `json:"expire_time"` // ms
}

type registerRequest struct {
	ImageNumber  string `json:"fscanBillNo"`
	BillID       string `json:"fbillId"`
	DocumentType string `json:"fbillTypeCode"`
	Organization string `json:"fapplyOrganizationCode"`
	Resource     string `json:"resource"`
	BillNumber   string `json:"billNo"`
}

// uploadRequest is what stands beside the file's bytes.
type uploadRequest struct {
	Suffix       string `json:"fileSuffix"`
	Class        string `json:"fileType"`
	ImageNumber  string `json:"scanBillNo"`
	DocumentType string `json:"billType"`
	Resource     string `json:"resource"`
	Recognize    string `json:"needRecognition"`
}

const contentField = "base64"

type uploadData struct {
	Path   text `json:"srcPath"`
	Number text `json:"fileNo"`
}

type commitRequest struct {
	ImageNumber  string          `json:"scanBillNo"`
	Resource     string          `json:"resource"`
	DocumentType string          `json:"billType"`
	Model        int             `json:"modelType"` // 1
	Mode         string          `json:"saveType"`  // upload: overwrite
	SubmitERP    int             `json:"isSubmitErp"`
	Files        []committedFile `json:"fileList"`
}

type committedFile struct {
	Number string `json:"fileNo,omitempty"`
	Path   string `json:"srcPath,omitempty"`
}

type statusRequest struct {
	Operation string     `json:"operateType"` // queryBillStatus
	ID        string     `json:"operateId"`
	Data      statusData `json:"data"`
}

type statusData struct {
	ImageNumber string `json:"scanBillNo"`
	Resource    string `json:"resource"`
}

type statusAnswer struct {
	Status text `json:"billStatus"`
}

type coverRequest struct {
	DocumentType string `json:"billType"`
	BillID       string `json:"billId"`
}

type coverAnswer struct {
	Cover      shownFiles `json:"cover"`
	Invoice    shownFiles `json:"invoice"`
	Attachment shownFiles `json:"attachment"`
}

// byClass are the files that the platform shows.
func (a coverAnswer) byClass() map[document.Class]shownFiles {
	return map[document.Class]shownFiles{document.Cover: a.Cover, document.Invoice: a.Invoice, document.Attachment: a.Attachment}
}

// classes by the platform's names.
var classes = map[document.Class]string{document.Cover: "cover", document.Invoice: "invoice", document.Attachment: "attach"}

type shownFile struct {
	URL text `json:"localUrl"`
}

// shownFiles is a list, or one alone.
type shownFiles []shownFile

func (s *shownFiles) UnmarshalJSON(content []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(content), []byte("{")) {
		var one shownFile
		err := json.Unmarshal(content, &one)
		*s = shownFiles{one}
		return err
	}
	return json.Unmarshal(content, (*[]shownFile)(s))
}

// text is a string, or a number or a truth value that stands in its place.
type text string

func (t *text) UnmarshalJSON(content []byte) error {
	var s string
	if json.Unmarshal(content, &s) == nil {
		*t = text(s)
		return nil
	}
	var other any
	if err := json.Unmarshal(content, &other); err != nil {
		return err
	}
	switch other.(type) {
	case float64, bool:
		*t = text(content)
	}
	return nil
}
