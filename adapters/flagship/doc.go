// Package flagship files documents in Kingdee's flagship-edition imaging
// (旗舰版影像 / 星瀚影像) by the calls of its open platform:
//
//	getAppToken, login     an access token, in two steps
//	erpBillPush            register the document
//	fileCollect            upload a file
//	scanBillSubmit         commit: the document has these files and no others
//	queryBillStatus        read back what became of it
//	queryCover             read back its files
//
// Rules:
//
//   - A document is named by image number and resource. It is committed in
//     overwrite mode, so that one that is filed again, also after a worker was
//     killed half-way, is there once and the same. Nothing is recognised (OCR)
//     and no flow of the ERP begins.
//   - It counts as filed when the platform says so, and shows as many files of
//     each class as were committed; the bytes of those that can be fetched by
//     their localUrl are compared. A URL that needs a login, or that leads to an
//     address which the profile does not allow, cannot be fetched; how many files
//     were compared is recorded.
//   - A code other than "0000" is the platform's refusal of this document: it is
//     final, until somebody asks for a retry. What may pass by itself (no answer,
//     429, 5xx, a token or a secret that is not taken) is tried again.
//   - One access token serves all of a process: whoever finds it gone renews it
//     while the others wait. One that the platform no longer takes is replaced
//     once a call.
//   - The access token stands in the URL of each call. Neither it nor the
//     application's secret is in any error, also when an answer repeats it;
//     calls follow no redirection.
//   - A file goes as base64 in JSON, encoded while it is sent: it takes no memory.
//   - Every connection is package outgoing's.
//
// Assumptions, where the vendor publishes nothing: expire_time is the time of
// expiry in milliseconds since 1970; the codes 401 and 0401 say that a token is
// not taken; queryCover, which knows bills and no image numbers, gives a list, or
// one object, of each class, and a bill has one image number. Field names stand
// in mapping.go and nowhere else.
package flagship
