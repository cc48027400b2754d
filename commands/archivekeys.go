package commands

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"

	"github.com/waybill-migration/waybill/domain"
)

// maxKeyPart bounds a part of an archive key in bytes. File systems take 255;
// a digest and an extension must fit behind.
const maxKeyPart = 120

// DocumentFolder is the prefix of a document's objects in the archive:
// source/resource/aaa/image number, where aaa, three digits of a digest of the
// image number, spreads documents over 4,096 folders.
func DocumentFolder(id domain.DocumentID) string {
	resource, image := keyPart(id.Resource), id.ImageNumber
	if resource == "~" {
		resource = "~~"
	}
	if id.Anonymous != "" {
		resource, image = "~", id.Anonymous
	}
	sum := sha256.Sum256([]byte(image))
	spread := hex.EncodeToString(sum[:2])[:3]
	return strings.Join([]string{keyPart(id.Source), resource, spread, keyPart(image)}, "/")
}

// FileKey holds the digest of the file's bytes, so that the same bytes are the
// same object and other bytes another.
func FileKey(id domain.DocumentID, sha256, format string) string {
	return DocumentFolder(id) + "/" + sha256 + "." + keyPart(format)
}

// ItemKey is where the raw item is kept, exactly as the source sent it.
func ItemKey(id domain.DocumentID, content string) string {
	return DocumentFolder(id) + "/item-" + content + ".json"
}

// ManifestKey is where the manifest is kept, which makes a document exist in
// the archive.
func ManifestKey(id domain.DocumentID, sha256 string) string {
	return DocumentFolder(id) + "/manifest-" + sha256 + ".json"
}

// keyPart makes any text a part of a key: percent-encoded, and bounded in
// bytes, a long one ending in a digest of the whole.
func keyPart(text string) string {
	part := url.PathEscape(text)
	if strings.Trim(part, ".") == "" { // "", ".", ".."
		part = "%" + strings.Repeat("2E", len(part))
	}
	if len(part) <= maxKeyPart {
		return part
	}
	sum := sha256.Sum256([]byte(text))
	return part[:maxKeyPart-33] + "~" + hex.EncodeToString(sum[:16])
}
