package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"reflect"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/oidc"
	"github.com/waybill-migration/waybill/adapters/rest"
	"github.com/waybill-migration/waybill/adapters/secrets"
	"github.com/waybill-migration/waybill/commands/deliveries"
	"github.com/waybill-migration/waybill/commands/workers"
	"github.com/waybill-migration/waybill/domain/source"
)

// prefix of every variable.
const prefix = "WAYBILL_"

// settings of a process, from the environment. The desc tags are the README's
// table, which a test compares.
type settings struct {
	DatabaseURL         string `env:"DATABASE_URL" desc:"PostgreSQL: postgres://user:password@host:port/database; search_path chooses the schema (required)"`
	DatabaseConnections int    `env:"DATABASE_CONNECTIONS" envDefault:"30" desc:"connections of this process at most, 5 to 1000"`

	KafkaBrokers           []string `env:"KAFKA_BROKERS" desc:"host:port, comma-separated (required)"`
	KafkaPrefix            string   `env:"KAFKA_PREFIX" envDefault:"waybill" desc:"of the topics .control and .documents and of consumer groups"`
	KafkaTLS               bool     `env:"KAFKA_TLS" envDefault:"false" desc:"encrypt connections to Kafka"`
	KafkaCAFile            string   `env:"KAFKA_CA_FILE" desc:"PEM of the certificate authority; empty: the system's"`
	KafkaCertFile          string   `env:"KAFKA_CERT_FILE" desc:"PEM of a client certificate"`
	KafkaKeyFile           string   `env:"KAFKA_KEY_FILE" desc:"PEM of its key"`
	KafkaSASL              string   `env:"KAFKA_SASL" desc:"PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; empty: none"`
	KafkaUser              string   `env:"KAFKA_USER" desc:"SASL user"`
	KafkaPassword          string   `env:"KAFKA_PASSWORD" desc:"SASL password"`
	KafkaCreateTopics      bool     `env:"KAFKA_CREATE_TOPICS" envDefault:"true" desc:"make missing topics; false: they were made beforehand"`
	KafkaReplicationFactor int      `env:"KAFKA_REPLICATION_FACTOR" envDefault:"1" desc:"of topics that are made, 1 to 10"`
	KafkaMinInSync         int      `env:"KAFKA_MIN_IN_SYNC" envDefault:"1" desc:"min.insync.replicas that topics must have at least"`
	KafkaWindow            bool     `env:"KAFKA_WINDOW" envDefault:"false" desc:"allow topics that forget; replay then reads the journal"`

	Instance string `env:"INSTANCE" desc:"name of this process, the same after a restart and unlike any other's: after a crash it goes on at once, where one without a name waits 15 s until Kafka gave its dead self up"`

	Listen        string `env:"LISTEN" envDefault:"127.0.0.1:8080" desc:"address of the REST API"`
	MetricsListen string `env:"METRICS_LISTEN" envDefault:"127.0.0.1:9090" desc:"address of /metrics, /healthz and /readyz for those who run it, without identity; none: no such listener"`

	RateLimit    float64 `env:"RATE_LIMIT" envDefault:"100" desc:"requests a second that this process takes of one identity; 0: no limit"`
	RateBurst    int     `env:"RATE_BURST" envDefault:"500" desc:"requests that it takes of one identity at once, 1 or more"`
	AttemptLimit float64 `env:"ATTEMPT_LIMIT" envDefault:"10" desc:"requests a second that it takes of one address whose token opens nothing, and ten times as many at once; 0: no limit"`

	OIDCIssuer             string   `env:"OIDC_ISSUER" desc:"URL of an OpenID Connect issuer whose tokens the API takes beside Waybill's own; empty: none"`
	OIDCAudience           string   `env:"OIDC_AUDIENCE" desc:"audience that its tokens must be for (required with an issuer)"`
	OIDCRolesClaim         string   `env:"OIDC_ROLES_CLAIM" envDefault:"roles" desc:"claim of a token with the names of what its bearer is; realm_access.roles: roles within realm_access"`
	OIDCRoles              []string `env:"OIDC_ROLES" desc:"the role that such a name gives, as imaging-admins=admin,imaging-ops=operator (required with an issuer)"`
	OIDCOrganizationsClaim string   `env:"OIDC_ORGANIZATIONS_CLAIM" desc:"claim with the codes of the organisations that a token is restricted to, * for all; empty: its tokens are for all"`

	Archive         string   `env:"ARCHIVE" desc:"where the archive is: a folder, by its absolute path on one file system, or a bucket, as s3://bucket/prefix?region=cn-north-1 (required by workers; a process that serves the API without it shows no files)"`
	ArchiveNetworks []string `env:"ARCHIVE_NETWORKS" desc:"private networks that the bucket's store lies in, as 10.1.0.0/16, comma-separated"`
	ArchiveCAFile   string   `env:"ARCHIVE_CA_FILE" desc:"PEM of certificate authorities that are trusted for the bucket's store beside the system's"`
	ArchiveSpool    string   `env:"ARCHIVE_SPOOL" desc:"folder for files on their way to a bucket, with room for one of each document at work; empty: the system's for temporary files"`

	FourEyesDocuments int `env:"FOUR_EYES_DOCUMENTS" envDefault:"0" desc:"documents of a batch that one operator may cancel alone; above it another one must approve within 72 hours; 0: any number"`

	WorkerDocuments   int           `env:"WORKER_DOCUMENTS" envDefault:"64" desc:"documents migrated at once by this process, 1 to 1000"`
	WorkerListings    int           `env:"WORKER_LISTINGS" envDefault:"4" desc:"slices listed at once by this process, 1 to 100"`
	WorkerLease       time.Duration `env:"WORKER_LEASE" envDefault:"60s" desc:"how long a killed worker's work waits, 5s to 1h"`
	WorkerMaxAttempts int           `env:"WORKER_MAX_ATTEMPTS" envDefault:"12" desc:"failed attempts before a document or a slice is failed, 1 to 100"`
	WorkerMinBackoff  time.Duration `env:"WORKER_MIN_BACKOFF" envDefault:"1s" desc:"before the second attempt; it doubles from there"`
	WorkerMaxBackoff  time.Duration `env:"WORKER_MAX_BACKOFF" envDefault:"5m" desc:"at most between two attempts"`

	SecretsKeeper string `env:"SECRETS_KEEPER" desc:"URL of the keeper that decrypts what references name as encrypted:..., such as base64key://KEY; empty: none"`

	SourceTokenURL  string        `env:"SOURCE_TOKEN_URL" desc:"token request URL of the preset source; empty: it is made disabled"`
	SourceDataURL   string        `env:"SOURCE_DATA_URL" desc:"data request URL of the preset source"`
	SourceClientID  string        `env:"SOURCE_CLIENT_ID" desc:"client id of the preset source; its secret is read from WAYBILL_SOURCE_SECRET"`
	SourceNetworks  []string      `env:"SOURCE_NETWORKS" desc:"private networks that the preset source lies in, as 10.1.0.0/16, comma-separated"`
	SourceCAFile    string        `env:"SOURCE_CA_FILE" desc:"PEM of certificate authorities that are trusted for the preset source beside the system's"`
	SourceProfile   string        `env:"SOURCE_PROFILE" envDefault:"flagship" desc:"target profile of the preset source: flagship or archive"`
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"30s" desc:"how long an orderly end may take"`

	LogLevel  string `env:"LOG_LEVEL" envDefault:"info" desc:"debug, info, warn or error"`
	LogFormat string `env:"LOG_FORMAT" envDefault:"json" desc:"json or text"`

	sourceAuthorities  string // content of SourceCAFile
	archiveAuthorities string // content of ArchiveCAFile
}

// secretVariable is where the preset source's secret is read from, by the
// adapter and never by the settings.
const secretVariable = prefix + "SOURCE_SECRET"

// readSettings reads them for a process of some roles (none: the database is
// all that it needs), and names every fault at once. A nil environment is the
// process's own.
func readSettings(environment map[string]string, roles []role) (settings, error) {
	var s settings
	err := env.ParseWithOptions(&s, env.Options{Prefix: prefix, Environment: environment})
	return s, errors.Join(unreadable(err), s.readFiles(), s.validate(roles))
}

// readFiles reads what settings name files for that become settings of others.
func (s *settings) readFiles() error {
	var errs []error
	for _, f := range []struct {
		name, path string
		content    *string
	}{{"SOURCE_CA_FILE", s.SourceCAFile, &s.sourceAuthorities}, {"ARCHIVE_CA_FILE", s.ArchiveCAFile, &s.archiveAuthorities}} {
		if f.path == "" {
			continue
		}
		content, err := os.ReadFile(f.path)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s%s: %w", prefix, f.name, err))
		}
		*f.content = string(content)
	}
	return errors.Join(errs...)
}

// unreadable names the variables of values that are not of their kind; the
// library names the fields.
func unreadable(err error) error {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return err
	}
	var f faults
	for _, err := range all.Errors {
		var parse env.ParseError
		if !errors.As(err, &parse) {
			return all
		}
		field, _ := reflect.TypeFor[settings]().FieldByName(parse.Name)
		f.when(true, field.Tag.Get("env"), "is not a %s: %v", parse.Type, parse.Err)
	}
	return errors.Join(f...)
}

// faults that were found in the settings.
type faults []error

func (f *faults) when(wrong bool, name, format string, args ...any) {
	if wrong {
		*f = append(*f, fmt.Errorf("%s%s: %s", prefix, name, fmt.Sprintf(format, args...)))
	}
}

func (f *faults) unlessBetween(name string, value, low, high int) {
	f.when(value < low || value > high, name, "must be %d to %d, is %d", low, high, value)
}

func (s settings) validate(roles []role) error {
	var f faults
	_, err := pgxpool.ParseConfig(s.DatabaseURL) // whose error would repeat the password
	f.when(s.DatabaseURL == "" || err != nil, "DATABASE_URL", "is missing or cannot be read: give postgres://user:password@host:port/database")
	f.unlessBetween("DATABASE_CONNECTIONS", s.DatabaseConnections, 5, 1000)
	f.when(!isAddress(s.Listen), "LISTEN", "%q is not host:port", s.Listen)
	f.when(s.MetricsListen != "none" && !isAddress(s.MetricsListen), "METRICS_LISTEN", "%q is neither host:port nor none", s.MetricsListen)
	s.validateArchive(roles, &f)
	f.when(s.FourEyesDocuments < 0, "FOUR_EYES_DOCUMENTS", "must be 0 or more, is %d", s.FourEyesDocuments)
	f.when(s.ShutdownTimeout < time.Second, "SHUTDOWN_TIMEOUT", "must be 1s or more, is %s", s.ShutdownTimeout)
	var level slog.Level
	f.when(level.UnmarshalText([]byte(s.LogLevel)) != nil, "LOG_LEVEL", "must be debug, info, warn or error, is %q", s.LogLevel)
	err = secrets.ValidateKeeper(s.SecretsKeeper)
	f.when(err != nil, "SECRETS_KEEPER", "%v", err)
	f.when(s.LogFormat != "json" && s.LogFormat != "text", "LOG_FORMAT", "must be json or text, is %q", s.LogFormat)
	if len(roles) > 0 {
		s.validateKafka(&f)
	}
	s.validateAccess(&f)
	s.validateWorkers(&f)
	s.validateSource(&f)
	return errors.Join(f...)
}

func (s settings) validateAccess(f *faults) {
	f.when(!(s.RateLimit >= 0 && s.RateLimit <= 1e6), "RATE_LIMIT", "must be 0 to 1000000, is %g", s.RateLimit)
	f.unlessBetween("RATE_BURST", s.RateBurst, 1, 1_000_000)
	f.when(!(s.AttemptLimit >= 0 && s.AttemptLimit <= 1e6), "ATTEMPT_LIMIT", "must be 0 to 1000000, is %g", s.AttemptLimit)
	if s.OIDCIssuer == "" {
		f.when(s.OIDCAudience != "" || len(s.OIDCRoles) > 0 || s.OIDCOrganizationsClaim != "", "OIDC_ISSUER", "is missing: other settings of an issuer are there")
		return
	}
	err := oidc.CheckURL(s.OIDCIssuer)
	f.when(err != nil, "OIDC_ISSUER", "%v", err)
	f.when(s.OIDCAudience == "", "OIDC_AUDIENCE", "is missing: without it tokens for any other application would do")
	f.when(s.OIDCRolesClaim == "", "OIDC_ROLES_CLAIM", "must not be empty")
	f.when(len(s.OIDCRoles) == 0, "OIDC_ROLES", "is missing: nobody would have a role; give name=role, comma-separated")
	_, err = oidc.ReadRoles(s.OIDCRoles)
	f.when(err != nil, "OIDC_ROLES", "%v", err)
}

func (s settings) validateKafka(f *faults) {
	f.when(len(s.KafkaBrokers) == 0, "KAFKA_BROKERS", "is missing: give host:port, comma-separated")
	for _, broker := range s.KafkaBrokers {
		f.when(!isAddress(broker), "KAFKA_BROKERS", "%q is not host:port", broker)
	}
	f.when(s.KafkaPrefix == "", "KAFKA_PREFIX", "must not be empty")
	f.unlessBetween("KAFKA_REPLICATION_FACTOR", s.KafkaReplicationFactor, 1, 10)
	f.unlessBetween("KAFKA_MIN_IN_SYNC", s.KafkaMinInSync, 1, 10)
	f.when(s.KafkaCreateTopics && s.KafkaMinInSync > s.KafkaReplicationFactor, "KAFKA_MIN_IN_SYNC",
		"is %d, more than %sKAFKA_REPLICATION_FACTOR (%d): topics made so would take no record", s.KafkaMinInSync, prefix, s.KafkaReplicationFactor)
	for name, part := range map[string]kafka.Settings{
		"KAFKA_CA_FILE":   {TLS: s.KafkaTLS, CAFile: s.KafkaCAFile},
		"KAFKA_CERT_FILE": {TLS: s.KafkaTLS, CertFile: s.KafkaCertFile, KeyFile: s.KafkaKeyFile},
		"KAFKA_SASL":      {SASL: s.KafkaSASL},
	} {
		_, err := part.Client("settings")
		f.when(err != nil, name, "%v", err)
	}
	f.when(s.KafkaSASL != "" && s.KafkaUser == "", "KAFKA_USER", "is missing: SASL needs a user")
	f.when(s.KafkaSASL != "" && s.KafkaPassword == "", "KAFKA_PASSWORD", "is missing: SASL needs a password")
}

// validateArchive asks the domain about what a source's settings have too.
func (s settings) validateArchive(roles []role, f *faults) {
	if has(roles, work) || has(roles, serve) && s.Archive != "" {
		err := s.archiveFault()
		f.when(err != nil, "ARCHIVE", "%v", err)
	}
	for name, part := range map[string]source.Settings{
		"ARCHIVE_NETWORKS": {AllowedNetworks: s.ArchiveNetworks},
		"ARCHIVE_CA_FILE":  {CertificateAuthorities: s.archiveAuthorities},
	} {
		part.Name = presetID
		_, err := source.Decide(source.State{}, source.Register{ID: presetID, Disabled: true, Settings: part})
		f.when(err != nil, name, "%v", err)
	}
	if s.ArchiveSpool != "" {
		info, err := os.Stat(s.ArchiveSpool)
		f.when(err != nil || !info.IsDir(), "ARCHIVE_SPOOL", "%q is not a folder that is there", s.ArchiveSpool)
	}
}

// validateSource asks the domain about one setting at a time, since it answers
// with the first fault.
func (s settings) validateSource(f *faults) {
	for name, part := range map[string]source.Settings{
		"SOURCE_TOKEN_URL": {TokenURL: s.SourceTokenURL},
		"SOURCE_DATA_URL":  {DataURL: s.SourceDataURL},
		"SOURCE_NETWORKS":  {AllowedNetworks: s.SourceNetworks},
		"SOURCE_CA_FILE":   {CertificateAuthorities: s.sourceAuthorities},
		"SOURCE_PROFILE":   {Profile: s.SourceProfile},
	} {
		part.Name = presetID
		_, err := source.Decide(source.State{}, source.Register{ID: presetID, Disabled: true, Settings: part})
		f.when(err != nil, name, "%v", err)
	}
	f.when(s.SourceTokenURL == "" && s.SourceDataURL != "", "SOURCE_TOKEN_URL", "is missing: the data request URL needs it")
	f.when(s.SourceDataURL == "" && s.SourceTokenURL != "", "SOURCE_DATA_URL", "is missing: the token request URL needs it")
}

func (s settings) validateWorkers(f *faults) {
	f.unlessBetween("WORKER_DOCUMENTS", s.WorkerDocuments, 1, 1000)
	f.unlessBetween("WORKER_LISTINGS", s.WorkerListings, 1, 100)
	f.unlessBetween("WORKER_MAX_ATTEMPTS", s.WorkerMaxAttempts, 1, 100)
	f.when(s.WorkerLease < 5*time.Second || s.WorkerLease > time.Hour, "WORKER_LEASE", "must be 5s to 1h, is %s", s.WorkerLease)
	f.when(s.WorkerMinBackoff < time.Millisecond || s.WorkerMinBackoff > s.WorkerMaxBackoff, "WORKER_MIN_BACKOFF",
		"must be 1ms or more, and not over %sWORKER_MAX_BACKOFF (%s), is %s", prefix, s.WorkerMaxBackoff, s.WorkerMinBackoff)
}

func isAddress(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && port != ""
}

func (s settings) kafka() kafka.Settings {
	return kafka.Settings{
		Brokers: s.KafkaBrokers, Prefix: s.KafkaPrefix, TLS: s.KafkaTLS, CAFile: s.KafkaCAFile, CertFile: s.KafkaCertFile, KeyFile: s.KafkaKeyFile,
		SASL: s.KafkaSASL, User: s.KafkaUser, Password: s.KafkaPassword, CreateTopics: s.KafkaCreateTopics,
		ReplicationFactor: s.KafkaReplicationFactor, MinInSync: s.KafkaMinInSync, Window: s.KafkaWindow, Instance: s.Instance,
	}
}

func (s settings) workers() workers.Settings {
	return workers.Settings{
		Documents: s.WorkerDocuments, Listings: s.WorkerListings, Lease: s.WorkerLease,
		MaxAttempts: s.WorkerMaxAttempts, MinBackoff: s.WorkerMinBackoff, MaxBackoff: s.WorkerMaxBackoff,
	}
}

func (s settings) limits() rest.Limits {
	return rest.Limits{
		Requests: rest.Rate{PerSecond: s.RateLimit, Burst: s.RateBurst},
		Attempts: rest.Rate{PerSecond: s.AttemptLimit, Burst: int(10 * s.AttemptLimit)},
	}
}

func (s settings) issuer() oidc.Settings {
	return oidc.Settings{
		Issuer: s.OIDCIssuer, Audience: s.OIDCAudience, RolesClaim: s.OIDCRolesClaim, Roles: s.OIDCRoles, OrganizationsClaim: s.OIDCOrganizationsClaim,
	}
}

// deliveries to webhooks wait for a killed worker as long as other work does.
func (s settings) deliveries() deliveries.Settings {
	d := deliveries.Usual
	d.Lease, d.Timeout = s.WorkerLease, min(d.Timeout, s.WorkerLease/2)
	return d
}

// presetID of the one plan that comes preset (数据源): standard-edition imaging.
const presetID = "standard-imaging"

// preset makes that plan known, enabled when the settings say where it is.
func (s settings) preset() source.Register {
	return source.Register{ID: presetID, Disabled: s.SourceTokenURL == "" && s.SourceDataURL == "", Settings: source.Settings{
		Name: "标准版影像 Standard-edition imaging", TokenURL: s.SourceTokenURL, DataURL: s.SourceDataURL, ClientID: s.SourceClientID,
		SecretRef: "env:" + secretVariable, AllowedNetworks: s.SourceNetworks,
		CertificateAuthorities: s.sourceAuthorities, Profile: s.SourceProfile,
	}}
}
