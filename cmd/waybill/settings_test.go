package main

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// enough is the least that a process of every role needs to be told.
func enough() map[string]string {
	return map[string]string{
		"WAYBILL_DATABASE_URL":  "postgres://waybill:secret@db.example:5432/waybill",
		"WAYBILL_KAFKA_BROKERS": "kafka-1.example:9092,kafka-2.example:9092",
		"WAYBILL_ARCHIVE":       "/archive",
	}
}

func TestDefaultsAreValid(t *testing.T) {
	t.Parallel()
	s, err := readSettings(enough(), allRoles)
	require.NoError(t, err)
	require.Equal(t, []string{"kafka-1.example:9092", "kafka-2.example:9092"}, s.KafkaBrokers)
	require.Equal(t, "127.0.0.1:8080", s.Listen, "nothing is reachable from outside unless it is asked for")
	require.Equal(t, "127.0.0.1:9090", s.MetricsListen)
	require.Equal(t, time.Minute, s.workers().Lease)
	require.True(t, s.preset().Disabled, "a source without an address is made disabled")
}

func TestRequiredSettingsAreAskedFor(t *testing.T) {
	t.Parallel()
	for missing := range enough() {
		environment := enough()
		delete(environment, missing)
		_, err := readSettings(environment, allRoles)
		require.ErrorContains(t, err, missing+": ")
		require.Len(t, strings.Split(err.Error(), "\n"), 1, "and nothing else is: %v", err)
	}
}

func TestOnlyWhatARoleNeedsIsRequired(t *testing.T) {
	t.Parallel()
	environment := enough()
	delete(environment, "WAYBILL_ARCHIVE")
	_, err := readSettings(environment, []role{serve, relay, project})
	require.NoError(t, err, "workers alone write the archive")
	delete(environment, "WAYBILL_KAFKA_BROKERS")
	_, err = readSettings(environment, nil)
	require.NoError(t, err, "the schema is made without Kafka")
}

func TestSourceWithAddressesIsMadeEnabled(t *testing.T) {
	t.Parallel()
	environment := enough()
	environment["WAYBILL_SOURCE_TOKEN_URL"] = "https://imaging.example/token"
	environment["WAYBILL_SOURCE_DATA_URL"] = "https://imaging.example/data"
	environment["WAYBILL_SOURCE_NETWORKS"] = "10.1.0.0/16,10.2.0.0/16"
	s, err := readSettings(environment, allRoles)
	require.NoError(t, err)
	preset := s.preset()
	require.False(t, preset.Disabled)
	require.Equal(t, []string{"10.1.0.0/16", "10.2.0.0/16"}, preset.Settings.AllowedNetworks)
	require.Equal(t, "env:WAYBILL_SOURCE_SECRET", preset.Settings.SecretRef)

	delete(environment, "WAYBILL_SOURCE_DATA_URL")
	_, err = readSettings(environment, allRoles)
	require.ErrorContains(t, err, "WAYBILL_SOURCE_DATA_URL: ")
}

func TestEveryFaultIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	wrong := map[string]string{
		"WAYBILL_DATABASE_URL":             "postgres://waybill@db.example:port/waybill",
		"WAYBILL_DATABASE_CONNECTIONS":     "4",
		"WAYBILL_KAFKA_BROKERS":            "kafka-1.example",
		"WAYBILL_KAFKA_TLS":                "perhaps",
		"WAYBILL_KAFKA_SASL":               "GSSAPI",
		"WAYBILL_KAFKA_USER":               "",
		"WAYBILL_KAFKA_PASSWORD":           "",
		"WAYBILL_KAFKA_CREATE_TOPICS":      "sometimes",
		"WAYBILL_KAFKA_REPLICATION_FACTOR": "0",
		"WAYBILL_KAFKA_MIN_IN_SYNC":        "eleven",
		"WAYBILL_KAFKA_WINDOW":             "2",
		"WAYBILL_LISTEN":                   "8080",
		"WAYBILL_METRICS_LISTEN":           "localhost:",
		"WAYBILL_ARCHIVE":                  "archive",
		"WAYBILL_ARCHIVE_NETWORKS":         "10.1.0.0",
		"WAYBILL_ARCHIVE_CA_FILE":          "/nowhere/ca.pem",
		"WAYBILL_ARCHIVE_SPOOL":            "/nowhere/spool",
		"WAYBILL_RATE_LIMIT":               "-1",
		"WAYBILL_RATE_BURST":               "0",
		"WAYBILL_ATTEMPT_LIMIT":            "NaN",
		"WAYBILL_OIDC_ISSUER":              "http://login.example",
		"WAYBILL_OIDC_AUDIENCE":            "",
		"WAYBILL_OIDC_ROLES":               "imaging-admins=root",
		"WAYBILL_FOUR_EYES_DOCUMENTS":      "-1",
		"WAYBILL_WORKER_DOCUMENTS":         "0",
		"WAYBILL_WORKER_LISTINGS":          "101",
		"WAYBILL_WORKER_LEASE":             "1s",
		"WAYBILL_WORKER_MAX_ATTEMPTS":      "-1",
		"WAYBILL_WORKER_MIN_BACKOFF":       "10m",
		"WAYBILL_WORKER_MAX_BACKOFF":       "five minutes",
		"WAYBILL_SOURCE_TOKEN_URL":         "ftp://imaging.example/token",
		"WAYBILL_SOURCE_DATA_URL":          "imaging.example/data",
		"WAYBILL_SOURCE_NETWORKS":          "10.1.0.0",
		"WAYBILL_SOURCE_PROFILE":           "De Luxe",
		"WAYBILL_SHUTDOWN_TIMEOUT":         "0s",
		"WAYBILL_LOG_LEVEL":                "loud",
		"WAYBILL_LOG_FORMAT":               "xml",
	}
	_, err := readSettings(wrong, allRoles)
	require.Error(t, err)
	for variable := range wrong {
		require.Regexp(t, `(?m)^`+variable+`: `, err.Error())
	}
}

func TestFilesForTLSAreLookedAt(t *testing.T) {
	t.Parallel()
	environment := enough()
	environment["WAYBILL_KAFKA_TLS"] = "true"
	environment["WAYBILL_KAFKA_CA_FILE"] = "/nowhere/ca.pem"
	environment["WAYBILL_KAFKA_CERT_FILE"] = "/nowhere/client.pem"
	_, err := readSettings(environment, allRoles)
	require.ErrorContains(t, err, "WAYBILL_KAFKA_CA_FILE: ")
	require.ErrorContains(t, err, "WAYBILL_KAFKA_CERT_FILE: ")
}

func TestIssuerIsSetWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	environment := enough()
	environment["WAYBILL_OIDC_ROLES"] = "imaging-admins=admin"
	_, err := readSettings(environment, allRoles)
	require.ErrorContains(t, err, "WAYBILL_OIDC_ISSUER: is missing")
	environment["WAYBILL_OIDC_ISSUER"] = "https://login.example/realms/company"
	_, err = readSettings(environment, allRoles)
	require.ErrorContains(t, err, "WAYBILL_OIDC_AUDIENCE: is missing")
	environment["WAYBILL_OIDC_AUDIENCE"] = "waybill"
	_, err = readSettings(environment, allRoles)
	require.NoError(t, err)
	delete(environment, "WAYBILL_OIDC_ROLES")
	_, err = readSettings(environment, allRoles)
	require.ErrorContains(t, err, "WAYBILL_OIDC_ROLES: is missing")
}

func TestTopicsThatWouldTakeNoRecordAreRefused(t *testing.T) {
	t.Parallel()
	environment := enough()
	environment["WAYBILL_KAFKA_MIN_IN_SYNC"] = "2"
	_, err := readSettings(environment, allRoles)
	require.ErrorContains(t, err, "WAYBILL_KAFKA_MIN_IN_SYNC: ")
	environment["WAYBILL_KAFKA_CREATE_TOPICS"] = "false"
	_, err = readSettings(environment, allRoles)
	require.NoError(t, err, "topics made beforehand have a replication factor of their own")
}

func TestSecretsAppearInNoFault(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	for _, address := range []string{
		"postgres://waybill:" + secret + "@db.example:port/waybill",
		"postgres://waybill:" + secret + "@[::1/waybill",
		"postgres://waybill:" + secret + "@db.example/waybill?sslmode=perhaps",
		"host=db.example password=" + secret + " port=none",
		"://" + secret,
	} {
		_, err := readSettings(map[string]string{
			"WAYBILL_DATABASE_URL": address, "WAYBILL_KAFKA_SASL": "OAUTH", "WAYBILL_KAFKA_PASSWORD": secret,
			"WAYBILL_SOURCE_TOKEN_URL": "https://client:" + secret + "@imaging.example/token",
			"WAYBILL_SOURCE_DATA_URL":  "https://imaging.example/data?access_token=" + secret,
			"WAYBILL_SOURCE_SECRET":    secret,
		}, allRoles)
		for _, variable := range []string{"DATABASE_URL", "KAFKA_BROKERS", "KAFKA_SASL", "SOURCE_TOKEN_URL", "SOURCE_DATA_URL"} {
			require.ErrorContains(t, err, prefix+variable+": ")
		}
		require.NotContains(t, err.Error(), secret)
	}
}

func TestReadmeTellsEverySetting(t *testing.T) {
	t.Parallel()
	const begin, end = "<!-- settings -->\n", "<!-- /settings -->"
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(readme), begin)
	require.True(t, found, "the README has the mark %s", begin)
	table, _, found := strings.Cut(rest, end)
	require.True(t, found, "the README has the mark %s", end)
	require.Equal(t, settingsTable(), table, "put this into the README, between the marks:\n%s", settingsTable())
}

// settingsTable is the README's table, from the tags of the settings.
func settingsTable() string {
	var table strings.Builder
	table.WriteString("| Variable | Default | Meaning |\n| --- | --- | --- |\n")
	for _, field := range reflect.VisibleFields(reflect.TypeFor[settings]()) {
		if !field.IsExported() { // made of the others
			continue
		}
		value := field.Tag.Get("envDefault")
		if value != "" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&table, "| `%s%s` | %s | %s |\n", prefix, field.Tag.Get("env"), value, field.Tag.Get("desc"))
	}
	return table.String()
}
