package simulator

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strconv"
)

type pushed struct {
	FscanBillNo            string `json:"fscanBillNo"`
	FbillID                string `json:"fbillId"`
	FbillTypeCode          string `json:"fbillTypeCode"`
	FapplyOrganizationCode string `json:"fapplyOrganizationCode"`
	Resource               string `json:"resource"`
	BillNo                 string `json:"billNo"`
}

func (f *Flagship) register(w http.ResponseWriter, token string, q pushed) {
	switch f.faults[q.FscanBillNo] {
	case FilingRefused:
		refuseCall(w, "2001", "the bill is closed")
		return
	case FilingIndiscreet:
		refuseCall(w, "2001", "the bill is closed for "+token)
		return
	}
	if q.FscanBillNo == "" || q.FbillID == "" || q.FbillTypeCode == "" || q.FapplyOrganizationCode == "" {
		refuseCall(w, "2002", "a field is missing")
		return
	}
	key := billKey{q.FscanBillNo, q.Resource}
	b := f.bills[key]
	if b == nil {
		b = &FiledBill{}
		f.bills[key] = b
	}
	b.ImageNumber, b.Resource, b.BillID, b.DocumentType = q.FscanBillNo, q.Resource, q.FbillID, q.FbillTypeCode
	b.Organization, b.BillNumber = q.FapplyOrganizationCode, q.BillNo
	envelope(w, map[string]any{"scanBillNo": q.FscanBillNo})
}

type collected struct {
	Base64          string `json:"base64"`
	FileSuffix      string `json:"fileSuffix"`
	FileType        string `json:"fileType"`
	ScanBillNo      string `json:"scanBillNo"`
	BillType        string `json:"billType"`
	Resource        string `json:"resource"`
	NeedRecognition string `json:"needRecognition"`
}

func (f *Flagship) collect(w http.ResponseWriter, _ string, q collected) {
	switch f.faults[q.ScanBillNo] {
	case FilingBusy:
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	case FilingLimited:
		throttle(w)
		return
	case FilingUnlike:
		_, _ = io.WriteString(w, "<html>login</html>")
		return
	}
	key := billKey{q.ScanBillNo, q.Resource}
	content, err := base64.StdEncoding.DecodeString(q.Base64)
	switch {
	case f.bills[key] == nil:
		refuseCall(w, "3001", "the bill is not registered")
		return
	case err != nil, len(content) == 0, q.FileSuffix == "", !slices.Contains([]string{"cover", "invoice", "attach"}, q.FileType), q.NeedRecognition != "0":
		refuseCall(w, "3002", "the file is not as agreed")
		return
	}
	sum := sha256.Sum256(content)
	number := "F" + strconv.Itoa(len(f.uploads)+1)
	f.uploads[number] = FiledFile{
		Number: number, Class: q.FileType, Suffix: q.FileSuffix, SHA256: hex.EncodeToString(sum[:]), Bytes: len(content), content: content, of: key,
	}
	envelope(w, map[string]any{"fileNo": number, "srcPath": "/bills/" + number})
}

type submitted struct {
	ScanBillNo  string `json:"scanBillNo"`
	Resource    string `json:"resource"`
	ModelType   int    `json:"modelType"`
	SaveType    string `json:"saveType"`
	IsSubmitErp *int   `json:"isSubmitErp"`
	FileList    []struct {
		FileNo string `json:"fileNo"`
	} `json:"fileList"`
}

// submit replaces the files of a document by those that are named.
func (f *Flagship) submit(w http.ResponseWriter, _ string, q submitted) {
	b := f.bills[billKey{q.ScanBillNo, q.Resource}]
	if b == nil || q.ModelType != 1 || q.SaveType != "upload" || q.IsSubmitErp == nil || *q.IsSubmitErp != 0 {
		refuseCall(w, "4001", "the bill is not registered, or is not committed as agreed")
		return
	}
	var files []FiledFile
	for _, named := range q.FileList {
		file, uploaded := f.uploads[named.FileNo]
		if !uploaded || file.of != (billKey{q.ScanBillNo, q.Resource}) {
			refuseCall(w, "4002", "file "+named.FileNo+" was not uploaded for the bill")
			return
		}
		files = append(files, file)
	}
	switch fault := f.faults[q.ScanBillNo]; {
	case fault == FilingLosesAFile && len(files) > 0:
		files = files[:len(files)-1]
	case fault == FilingSpoilsAFile && len(files) > 0:
		files[0].content = append(slices.Clone(files[0].content), ' ')
		f.uploads[files[0].Number] = files[0]
	}
	b.Files = files
	b.Commits++
	envelope(w, nil)
}

type operated struct {
	OperateType string `json:"operateType"`
	OperateID   string `json:"operateId"`
	Data        struct {
		ScanBillNo string `json:"scanBillNo"`
		Resource   string `json:"resource"`
	} `json:"data"`
}

func (f *Flagship) operate(w http.ResponseWriter, _ string, q operated) {
	b := f.bills[billKey{q.Data.ScanBillNo, q.Data.Resource}]
	if q.OperateType != "queryBillStatus" || q.OperateID == "" || b == nil || b.Commits == 0 {
		refuseCall(w, "5001", "the bill is not committed")
		return
	}
	envelope(w, map[string]any{"scanBillNo": b.ImageNumber, "billStatus": "committed"})
}

type covered struct {
	BillType string `json:"billType"`
	BillID   string `json:"billId"`
}

func (f *Flagship) cover(w http.ResponseWriter, _ string, q covered) {
	shown := map[string][]map[string]string{"cover": {}, "invoice": {}, "attachment": {}}
	for _, b := range f.bills {
		if b.DocumentType != q.BillType || b.BillID != q.BillID {
			continue
		}
		for _, file := range b.Files {
			class := file.Class
			if class == "attach" {
				class = "attachment"
			}
			shown[class] = append(shown[class], map[string]string{
				"fileNo": file.Number, "localUrl": f.base + "/flagship/files/" + file.Number + "?sig=" + f.sign(file.Number),
			})
		}
	}
	envelope(w, shown)
}

func (f *Flagship) file(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	file, uploaded := f.uploads[r.PathValue("number")]
	switch {
	case !uploaded:
		http.NotFound(w, r)
	case r.URL.Query().Get("sig") != f.sign(file.Number) || f.faults[file.of.imageNumber] == FilingHidesFiles:
		http.Error(w, "log in first", http.StatusForbidden)
	default:
		_, _ = w.Write(file.content)
	}
}
