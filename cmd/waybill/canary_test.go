package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
)

// A full run with success, failures and requests that are refused leaves no
// secret anywhere: not in the journal, the views, Kafka, the archive, logs,
// answers, metrics or what commands print.
func TestNoSecretIsWrittenAnywhere(t *testing.T) {
	t.Parallel()
	a := newAviary(t)
	a.children["all"] = a.start("all")
	a.ready()
	a.migrates()
	a.files()
	a.misplaces()
	a.tells()
	a.fails()
	a.settles()
	expected := []string{
		// Whoever issues a token is shown it, once.
		"an issued token: answer to POST /v1/tokens",
		"a token of the command line: output of token",
		// A browser is given its session, once.
		"a session: answer to POST /v1/session",
		// The raw item is kept exactly as the source sent it; its URLs expire.
		"the signature of URLs: items in the archive",
	}
	require.Equal(t, slices.Sorted(slices.Values(expected)), slices.Sorted(maps.Keys(a.look())))
	a.plants()
}

// migrates a batch: documents fail, the source recovers, they arrive.
func (a *aviary) migrates() {
	a.t.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(a.source.receive))
	a.t.Cleanup(receiver.Close)
	require.NoError(a.t, a.api.Post(a.t.Context(), "/v1/webhooks", map[string]any{
		"id": "erp", "url": receiver.URL, "types": []string{"waybill.batch."}, "allowedNetworks": []string{"127.0.0.0/8"}, "secretRefs": []string{"env:" + hookVariable},
	}, nil))
	number := a.create(a.config)
	first := a.finished(number)
	require.Positive(a.t, first.Documents.Failed)
	require.Positive(a.t, first.Documents.Migrated)
	a.source.SetPhase(simulator.Recovered)
	require.NoError(a.t, a.api.Post(a.t.Context(), "/v1/batches/"+number+"/retry", map[string]any{"reason": "the source is back"}, nil))
	require.Greater(a.t, a.finishedAfter(number, *first.FinishedAt).Documents.Migrated, first.Documents.Migrated, "what can arrive has arrived")
	for kind, n := range map[string]int{"token": 4, "list": 6, "reread": 4, "file": 7, "webhook": 2} {
		a.eventually("the source was indiscreet in every way of a "+kind, func() error { // a webhook is sent again by and by
			a.source.mu.Lock()
			defer a.source.mu.Unlock()
			if asked := a.source.asked[kind]; asked < n {
				return fmt.Errorf("it was asked %d times", asked)
			}
			return nil
		})
	}
}

// misplaces secrets in requests, all of which are refused.
func (a *aviary) misplaces() {
	a.t.Helper()
	in := func(where string) string { return a.add("a secret in "+where, newCanary("misplaced")) }
	source := func(settings map[string]any) string {
		document := map[string]any{"id": "other", "name": "other", "disabled": true}
		maps.Copy(document, settings)
		text, err := json.Marshal(document)
		require.NoError(a.t, err)
		return string(text)
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(in("a private key"))})
	var expected, got []string
	for _, r := range []struct {
		method, path, body string
		status             int
		headers            []string
	}{
		{"GET", "/v1/batches", "", 401, []string{"Authorization", "Bearer " + a.add("an unknown token", "wb_"+newCanary("unknown"))}},
		{"GET", "/v1/batches", "", 401, []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("alice:"+in("Basic")))}},
		{"GET", "/v1/batches", "", 401, []string{"Authorization", in("Authorization")}},
		{"GET", "/v1/batches?access_token=" + url.QueryEscape(in("a query")), "", 422, []string{"X-Api-Key", in("a header"), "Cookie", "session=" + in("a cookie")}},
		{"GET", "/v1/batches?cursor=" + url.QueryEscape(in("a cursor")), "", 422, nil},
		{"GET", "/v1/batches?after=" + url.QueryEscape(in("a position")), "", 422, nil},
		{"GET", "/" + url.PathEscape(in("a path")), "", 404, nil},
		{"DELETE", "/v1/tokens/" + a.api.Token, "", 404, nil},
		{"POST", "/v1/sources", `{"id": "other", "secret": "` + in("JSON that is cut"), 400, nil},
		{"POST", "/v1/sources", `["` + in("JSON of another kind") + `"]`, 422, nil},
		{"POST", "/v1/sources", source(map[string]any{"clientSecret": in("an unknown field")}), 422, nil},
		{"POST", "/v1/sources", source(map[string]any{"secretRef": in("secretRef")}), 422, nil},
		{"POST", "/v1/sources", source(map[string]any{"secretRef": "base64key://" + in("a keeper's URL")}), 422, nil},
		{"POST", "/v1/sources", source(map[string]any{"secretRef": strings.Repeat(in("a long field"), 50)}), 422, nil},
		{"POST", "/v1/sources", source(map[string]any{"pageSize": in("a number")}), 422, nil},
		{"POST", "/v1/sources", source(map[string]any{"tokenUrl": "https://user:" + url.QueryEscape(in("a URL's user")) + "@imaging.example/"}), 422, nil},
		{"POST", "/v1/sources", source(map[string]any{"tokenUrl": "https://imaging.example/?secret=" + url.QueryEscape(in("a URL's query"))}), 422, nil},
		{"POST", "/v1/sources", source(map[string]any{"dataUrl": "https://[" + in("a URL that is none")}), 422, nil},
		{"POST", "/v1/sources", source(map[string]any{"certificateAuthorities": string(key)}), 422, nil},
		{"POST", "/v1/sources/standard-imaging/check", `{}`, 200, nil},
	} {
		what := fmt.Sprintf("%s %s %.80s %.80s: ", r.method, r.path, r.body, r.headers)
		expected = append(expected, what+strconv.Itoa(r.status))
		got = append(got, what+strconv.Itoa(a.request(r.method, r.path, r.body, r.headers...)))
	}
	require.Equal(a.t, expected, got)
}

// tells what there is to tell: lists, histories, exports, metrics, tokens.
func (a *aviary) tells() {
	a.t.Helper()
	var issued struct{ Secret string }
	require.NoError(a.t, a.api.Post(a.t.Context(), "/v1/tokens", map[string]any{"subject": "erp", "roles": []string{"reader"}}, &issued))
	a.add("an issued token", issued.Secret)
	for _, path := range []string{
		"/v1/sources", "/v1/batches", "/v1/tokens", "/v1/projections", "/v1/audit?limit=1000", "/v1/events", "/v1/events?as=latest", "/openapi.json",
		"/v1/audit/export?format=csv", "/v1/audit/export?format=ndjson", "/v1/audit/export?format=xlsx",
	} {
		require.Equal(a.t, http.StatusOK, a.request(http.MethodGet, path, ""), path)
	}
	a.logsIn()
	a.scrape()
	require.NoError(a.t, a.command("token", nil, "token", "--subject", "canary", "--roles", "reader"))
	_, secret, found := strings.Cut(string(a.outputs["token"]), "wb_")
	require.True(a.t, found)
	a.add("a token of the command line", "wb_"+strings.Fields(secret)[0])
	for name, arguments := range map[string][]string{
		"verify": {"verify"}, "rebuild": {"rebuild", "sources"}, "source show": {"source", "show", presetID},
		"source check": {"source", "check", presetID}, "audit list": {"audit", "list", "-o", "json"},
	} {
		err := a.command(name, nil, arguments...)
		require.NoError(a.t, err, "%s: %s", name, a.outputs[name])
	}
}

// logsIn a browser, which is sent away later with what it has.
func (a *aviary) logsIn() {
	a.t.Helper()
	login, err := json.Marshal(map[string]string{"token": a.api.Token})
	require.NoError(a.t, err)
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.api.Server+"/v1/session", bytes.NewReader(login))
	require.NoError(a.t, err)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	require.NoError(a.t, err)
	require.NoError(a.t, answer.Body.Close())
	require.Equal(a.t, http.StatusCreated, answer.StatusCode)
	cookie := answer.Cookies()[0]
	a.add("a session", cookie.Value)
	shown := []string{"Authorization", "", "Cookie", cookie.Name + "=" + cookie.Value}
	require.Equal(a.t, http.StatusOK, a.request(http.MethodGet, "/v1/session", "", shown...))
	require.Equal(a.t, http.StatusOK, a.request(http.MethodGet, "/v1/audit", "", shown...))
	require.Equal(a.t, http.StatusNotFound, a.request(http.MethodDelete, "/v1/tokens/"+cookie.Value, "", shown...))
	require.Equal(a.t, http.StatusNoContent, a.request(http.MethodDelete, "/v1/session", "", shown...))
	require.Equal(a.t, http.StatusUnauthorized, a.request(http.MethodGet, "/v1/batches", "", shown...))
}

// fails where it matters: with passwords that are wrong, at servers that are
// not there, with settings that cannot be read.
func (a *aviary) fails() {
	a.t.Helper()
	wrong := func(of string) string { return a.add("a wrong "+of, newCanary("wrong")) }
	database, err := url.Parse(a.env["WAYBILL_DATABASE_URL"])
	require.NoError(a.t, err)
	with := func(change func(*url.URL)) string {
		other := *database
		change(&other)
		return other.String()
	}
	for name, settings := range map[string]map[string]string{
		"a wrong password":      {"WAYBILL_DATABASE_URL": with(func(u *url.URL) { u.User = url.UserPassword(a.role, wrong("password")) })},
		"no database":           {"WAYBILL_DATABASE_URL": with(func(u *url.URL) { u.Host = "127.0.0.1:1" })},
		"no port":               {"WAYBILL_DATABASE_URL": with(func(u *url.URL) { u.Host = "127.0.0.1" }) + "&port=" + url.QueryEscape(wrong("port"))},
		"no URL":                {"WAYBILL_DATABASE_URL": "postgres://user:" + wrong("URL") + "@[::1/"},
		"no number":             {"WAYBILL_KAFKA_MIN_IN_SYNC": "many", "WAYBILL_KAFKA_PASSWORD": wrong("password beside it")},
		"no addresses":          {"WAYBILL_SOURCE_TOKEN_URL": "https://user:" + wrong("URL of tokens") + "@imaging.example/"},
		"a wrong SASL password": {"WAYBILL_KAFKA_PASSWORD": wrong("password for Kafka")},
	} {
		require.Error(a.t, a.command(name, settings, "verify", "--views", "none", "--archive", "none"), name)
	}
	for name, settings := range map[string]map[string]string{
		"an unknown token": {"WAYBILL_TOKEN": "wb_" + wrong("token")}, "a broken token": {"WAYBILL_TOKEN": wrong("token") + " x"},
		"no server": {"WAYBILL_SERVER": "http://127.0.0.1:1"}, "a server's user": {"WAYBILL_SERVER": "http://user:" + wrong("server") + "@127.0.0.1:1"},
	} {
		require.Error(a.t, a.command(name, settings, "batch", "list", "--patience", "0s"), name)
	}
}

// settles until Kafka has all that the journal has, and ends the processes.
func (a *aviary) settles() {
	a.t.Helper()
	a.eventually("the relay has sent all", func() error {
		relayed, err := carried{pool: a.pool}.Relayed(a.t.Context())
		if err != nil {
			return err
		}
		heads, err := a.journal.Heads(a.t.Context())
		if err == nil && !relayed.Reached(heads) {
			err = errNone
		}
		return err
	})
}

// plants a canary wherever one could be, to see each found.
func (a *aviary) plants() {
	a.t.Helper()
	planted := a.add("planted", newCanary("planted"))
	require.Equal(a.t, http.StatusCreated, a.request(http.MethodPost, "/v1/sources", `{"id": "planted", "name": "`+planted+`", "disabled": true}`, "X-Request-Id", planted))
	a.shown()
	require.Equal(a.t, http.StatusOK, a.request(http.MethodGet, "/v1/sources", ""))
	require.NoError(a.t, a.command("source list", nil, "source", "list"))
	a.settles()
	_, err := a.pool.Exec(a.t.Context(), `CREATE TABLE planted AS SELECT convert_to($1, 'UTF8') AS content`, planted)
	require.NoError(a.t, err)
	a.produceHeader(planted)
	require.NoError(a.t, os.WriteFile(filepath.Join(a.archive, "manifest-planted.json"), []byte(planted), 0o600))
	require.NoError(a.t, os.WriteFile(filepath.Join(a.archive, strings.ReplaceAll(planted, "/", "%2F")), nil, 0o600))
	require.NoError(a.t, os.WriteFile(filepath.Join(a.data, "planted.log"), []byte(planted), 0o600))
	found := a.look()
	for _, where := range []string{
		"table journal", "table sources", "table planted", "records of control", "records of documents", "log of all", "output of source list",
		"answer to GET /v1/sources", "manifests in the archive", "names in the archive", "Kafka's files",
	} {
		require.Positive(a.t, found["planted: "+where], where)
	}
}

// produceHeader sends a record whose header holds the planted canary.
func (a *aviary) produceHeader(planted string) {
	a.t.Helper()
	s, err := readSettings(a.env, []role{relay})
	require.NoError(a.t, err)
	config, err := s.kafka().Client("planting")
	require.NoError(a.t, err)
	producer, err := sarama.NewSyncProducer(s.KafkaBrokers, config)
	require.NoError(a.t, err)
	defer producer.Close()
	_, _, err = producer.SendMessage(&sarama.ProducerMessage{
		Topic: s.kafka().DocumentsTopic(), Headers: []sarama.RecordHeader{{Key: []byte("planted"), Value: []byte(planted)}},
	})
	require.NoError(a.t, err)
}
