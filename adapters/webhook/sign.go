package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/commands/deliveries"
)

// Of a secret, as the specification has it.
const (
	secretPrefix     = "whsec_"
	minKey, maxKey   = 24, 64 // bytes
	signatureVersion = "v1"
)

// sign gives the signatures of a request, one for each secret.
func (s *Sender) sign(ctx context.Context, r deliveries.Request) (string, error) {
	signatures := make([]string, len(r.SecretRefs))
	for i, reference := range r.SecretRefs {
		secret, err := s.secrets(ctx, reference)
		if err != nil {
			return "", err
		}
		key, err := keyOf(secret)
		if err != nil {
			return "", fmt.Errorf("what %s names %w", reference, err)
		}
		signatures[i] = signature(key, r.ID.String(), r.At, r.Body)
	}
	return strings.Join(signatures, " "), nil
}

// keyOf reads a secret. What is wrong with it does not say what it is.
func keyOf(secret string) ([]byte, error) {
	encoded, found := strings.CutPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !found || err != nil || len(key) < minKey || len(key) > maxKey {
		return nil, fmt.Errorf("is no secret of a webhook: %s and the base64 of %d to %d random bytes", secretPrefix, minKey, maxKey)
	}
	return key, nil
}

func signature(key []byte, id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp(at) + "."))
	mac.Write(body)
	return signatureVersion + "," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func timestamp(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
