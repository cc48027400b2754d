package flagship_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/flagship"
	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/profile"
)

const secret = "canary-of-the-application"

// world is a platform, who files in it, and an archive of a few files.
type world struct {
	t        *testing.T
	platform *simulator.Flagship
	system   *flagship.System
	at       profile.FlagshipTarget
	archive  map[string][]byte
	// before is told of each request, and tells whether it answered it.
	before func(w http.ResponseWriter, r *http.Request) bool

	mu    sync.Mutex
	calls map[string]int // by path
	urls  []string       // with access tokens
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, archive: map[string][]byte{}, calls: map[string]int{}}
	server := httptest.NewUnstartedServer(w)
	base := "http://" + server.Listener.Addr().String()
	w.at = profile.FlagshipTarget{
		URL: base, AppID: "waybill", SecretRef: "env:FLAGSHIP", TenantID: "tenant", AccountID: "account", User: "imaging", UserType: "UserName",
		Language: "zh_CN", Concurrency: 4, MaxFileBytes: 16 << 20, AllowedNetworks: []string{"127.0.0.0/8"},
	}
	w.platform = simulator.NewFlagship(simulator.FlagshipConfig{
		AppID: "waybill", AppSecret: secret, TenantID: "tenant", AccountID: "account", User: "imaging", UserType: "UserName",
	}, base)
	w.system = flagship.New(func(_ context.Context, reference string) (string, error) {
		if reference != "env:FLAGSHIP" {
			return "", errors.New("the environment variable is empty")
		}
		return secret, nil
	})
	server.Start()
	t.Cleanup(server.Close)
	return w
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.calls[r.URL.Path]++
	w.urls = append(w.urls, r.URL.String())
	w.mu.Unlock()
	if w.before == nil || !w.before(rw, r) {
		w.platform.ServeHTTP(rw, r)
	}
}

// document with a file of each content, of the classes in turn.
func (w *world) document(imageNumber string, contents ...string) commands.Filing {
	order := []document.Class{document.Cover, document.Invoice, document.Attachment}
	d := commands.Filing{
		ID: domain.DocumentID{Source: "sim", Resource: "ssc", ImageNumber: imageNumber}, Organization: "ORG", DocumentType: "BILL", BillID: "id_" + imageNumber,
		BillNumber: "N-" + imageNumber,
		Open: func(_ context.Context, key string) (io.ReadCloser, error) {
			content, there := w.archive[key]
			if !there {
				return nil, errors.New("the archive is away")
			}
			return io.NopCloser(bytes.NewReader(content)), nil
		},
	}
	for i, content := range contents {
		sum := sha256.Sum256([]byte(content))
		stored := domain.Stored{Target: "folder", Key: fmt.Sprintf("%s/%d.xml", imageNumber, i), SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(content))}
		w.archive[stored.Key] = []byte(content)
		d.Files = append(d.Files, commands.FilingFile{ID: fmt.Sprint("f", i), Class: order[i%3], Format: "xml", Stored: stored})
	}
	return d
}

func (w *world) file(d commands.Filing) (document.Filed, error) {
	return w.system.File(w.t.Context(), w.at, d)
}

// fails files a document and gives the failure, which holds nothing secret.
func (w *world) fails(d commands.Filing) *commands.SourceError {
	w.t.Helper()
	_, err := w.file(d)
	var failed *commands.SourceError
	require.ErrorAs(w.t, err, &failed)
	require.NotEmpty(w.t, failed.Failure.Remedy)
	told := fmt.Sprintf("%+v", failed.Failure)
	for _, private := range append(w.tokens(), secret, "sig=") {
		require.NotContains(w.t, told, private)
	}
	return failed
}

// tokens that stood in URLs.
func (w *world) tokens() (tokens []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, u := range w.urls {
		r, err := http.NewRequest(http.MethodGet, u, nil)
		require.NoError(w.t, err)
		if token := r.URL.Query().Get("access_token"); token != "" {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

func (w *world) called(path string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[path]
}
