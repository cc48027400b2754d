// Package deploy_test checks the files that bring Waybill to a machine. No
// container engine is needed: the compose file is loaded by the library that
// engines load it with, and what it names is looked up in the sources.
package deploy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

const settingsPrefix = "WAYBILL_"

func TestComposeRunsEveryRole(t *testing.T) {
	t.Parallel()
	commands := commandsOfWaybill(t)
	var roles []string
	for _, s := range services(t, load(t), "/usr/local/bin/waybill") {
		require.Len(t, s.Command, 1, s.Name)
		require.Contains(t, commands, s.Command[0], "%s runs a command that waybill has", s.Name)
		require.Equal(t, s.Command[0], s.Name, "a service is called by its role")
		roles = append(roles, s.Name)
	}
	slices.Sort(roles)
	require.Equal(t, []string{"project", "relay", "serve", "work"}, roles)
}

func TestComposeUsesSettingsThatExist(t *testing.T) {
	t.Parallel()
	known := settingsOfWaybill(t)
	require.NotEmpty(t, known)
	for _, s := range services(t, load(t), "/usr/local/bin/waybill") {
		for variable, value := range s.Environment {
			require.Contains(t, known, variable, s.Name)
			require.NotNil(t, value, "%s of %s has a value of its own, not the caller's", variable, s.Name)
			require.NotEmpty(t, *value, "%s of %s", variable, s.Name)
		}
		for variable, description := range known {
			required := strings.Contains(description, "(required)") ||
				strings.Contains(description, "(required by workers)") && s.Name == "work"
			if required {
				require.Contains(t, s.Environment, variable, s.Name)
			}
		}
	}
}

// A process that comes first makes the preset source known, with its own
// settings: they must be the same in all.
func TestComposeGivesAllRolesTheSameSource(t *testing.T) {
	t.Parallel()
	all := services(t, load(t), "/usr/local/bin/waybill")
	for _, variable := range []string{"TOKEN_URL", "DATA_URL", "CLIENT_ID", "NETWORKS"} {
		for _, s := range all {
			name := settingsPrefix + "SOURCE_" + variable
			require.Contains(t, s.Environment, name, s.Name)
			require.Equal(t, all[0].Environment[name], s.Environment[name], "%s of %s", name, s.Name)
		}
	}
}

func TestComposePointsTheSourceAtTheSimulator(t *testing.T) {
	t.Parallel()
	project := load(t)
	simulators := services(t, project, "/usr/local/bin/standardsim")
	require.Len(t, simulators, 1)
	work := project.Services["work"]
	for variable, route := range map[string]string{"WAYBILL_SOURCE_TOKEN_URL": "/token", "WAYBILL_SOURCE_DATA_URL": "/data"} {
		require.Equal(t, "http://"+simulators[0].Name+":8090"+route, *work.Environment[variable])
	}
	require.Equal(t, project.Networks["default"].Ipam.Config[0].Subnet, *work.Environment["WAYBILL_SOURCE_NETWORKS"], "requests may reach the simulator's network")
}

func TestComposePublishesOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	published := 0
	for _, s := range load(t).Services {
		require.NotEqual(t, "host", s.NetworkMode, s.Name)
		for _, port := range s.Ports {
			require.Equal(t, "127.0.0.1", port.HostIP, "port %d of %s", port.Target, s.Name)
			published++
		}
	}
	require.Positive(t, published, "the API can be reached")
}

var pinned = regexp.MustCompile(`^[a-z0-9/.-]+:[0-9]+\.[0-9]+(\.[0-9]+)?(-[a-z0-9.]+)?$`)

func TestImagesArePinned(t *testing.T) {
	t.Parallel()
	for _, s := range load(t).Services {
		if s.Build == nil {
			require.Regexp(t, pinned, s.Image, s.Name)
		}
	}
	for _, stage := range dockerfile(t) {
		if stage.from != "scratch" {
			require.Regexp(t, pinned, stage.from)
		}
	}
}

func TestComposeKeepsDataAndComesBack(t *testing.T) {
	t.Parallel()
	project := load(t)
	for service, folders := range map[string][]string{"postgres": {"/var/lib/postgresql"}, "kafka": {"/var/lib/kafka/data"}, "work": {"/archive", "/spool"}, "serve": {"/archive", "/spool"}} {
		volumes := project.Services[service].Volumes
		require.Len(t, volumes, len(folders), service)
		for i, folder := range folders {
			require.Equal(t, types.VolumeTypeVolume, volumes[i].Type, service)
			require.Equal(t, folder, volumes[i].Target, service)
			require.Contains(t, project.Volumes, volumes[i].Source)
		}
	}
	for _, service := range []string{"serve", "work"} {
		require.Equal(t, "/archive", *project.Services[service].Environment["WAYBILL_ARCHIVE"], service)
	}
	require.True(t, project.Services["serve"].Volumes[0].ReadOnly, "whoever looks at files writes none")
	for _, s := range project.Services {
		require.Equal(t, "unless-stopped", s.Restart, s.Name)
		require.NotNil(t, s.Deploy, s.Name)
		require.Positive(t, s.Deploy.Resources.Limits.MemoryBytes, s.Name)
	}
}

func TestComposeStartsServersFirst(t *testing.T) {
	t.Parallel()
	project := load(t)
	for _, server := range []string{"postgres", "kafka"} {
		require.NotNil(t, project.Services[server].HealthCheck, server)
		for _, s := range services(t, project, "/usr/local/bin/waybill") {
			require.Equal(t, types.ServiceConditionHealthy, s.DependsOn[server].Condition, "%s waits for %s", s.Name, server)
		}
	}
	require.Equal(t, "false", *project.Services["kafka"].Environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"], "a topic that appears by itself forgets")
}

func TestOwnImageRunsWithoutPrivileges(t *testing.T) {
	t.Parallel()
	for _, s := range load(t).Services {
		if s.Build == nil {
			continue
		}
		require.Equal(t, "deploy/Dockerfile", s.Build.Dockerfile, s.Name)
		require.True(t, s.ReadOnly, s.Name)
		require.Equal(t, []string{"ALL"}, s.CapDrop, s.Name)
		require.Empty(t, s.User, "%s: the image's own", s.Name)
		for argument := range s.Build.Args {
			require.Contains(t, dockerfile(t)[0].all("ARG"), argument+"="+map[string]string{"VERSION": "dev", "COMMIT": "unknown"}[argument])
		}
	}
}

func TestDockerfileBuildsBothPrograms(t *testing.T) {
	t.Parallel()
	stages := dockerfile(t)
	require.Len(t, stages, 2)
	build, final := stages[0], stages[1]

	version := strings.TrimPrefix(build.from, "golang:")
	require.Equal(t, majorMinor(goVersion(t)), majorMinor(version), "the image is built by go.mod's Go")

	require.Equal(t, "scratch", final.from)
	require.Contains(t, strings.Join(build.all("RUN"), "\n"), "CGO_ENABLED=0 go build -trimpath -ldflags "+linkerFlags(t)+" -o bin/ ./cmd/...")
	copied := strings.Join(final.all("COPY"), "\n")
	for _, program := range []string{"waybill", "standardsim"} {
		require.DirExists(t, path.Join("..", "cmd", program))
		require.Contains(t, copied, "/src/bin/"+program)
	}
	require.Contains(t, copied, "ca-certificates.crt", "TLS needs authorities")
	require.Contains(t, copied, "zoneinfo.zip", "scopes need time zones")
	require.Equal(t, []string{"ZONEINFO=/zoneinfo.zip", "TMPDIR=/spool"}, final.all("ENV"))
	require.Contains(t, copied, "/spool /spool", "a preflight keeps files while it judges them, and the image has no /tmp")
	require.Equal(t, []string{`["/usr/local/bin/waybill"]`}, final.all("ENTRYPOINT"))
	require.Len(t, final.all("USER"), 1)
	require.Regexp(t, `^[1-9][0-9]*:[1-9][0-9]*$`, final.all("USER")[0], "a number, and not root's")
}

// load loads the compose file as an engine does, without the environment of
// whoever runs the test.
func load(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"../docker-compose.yml"}, cli.WithWorkingDirectory(".."))
	require.NoError(t, err)
	project, err := options.LoadProject(t.Context())
	require.NoError(t, err)
	return project
}

// services that run a program of the image.
func services(t *testing.T, project *types.Project, program string) []types.ServiceConfig {
	t.Helper()
	var found []types.ServiceConfig
	final := dockerfile(t)[1]
	for _, s := range project.Services {
		runs := ""
		if s.Build != nil {
			runs = strings.Trim(final.all("ENTRYPOINT")[0], `[]"`)
		}
		if len(s.Entrypoint) > 0 {
			runs = s.Entrypoint[0]
		}
		if runs == program {
			found = append(found, s)
		}
	}
	require.NotEmpty(t, found)
	return found
}

// settingsOfWaybill are the variables that the settings' tags name, with their
// descriptions, and the one that the preset source's secret is read from.
func settingsOfWaybill(t *testing.T) map[string]string {
	t.Helper()
	known := map[string]string{}
	ast.Inspect(parse(t, "../cmd/waybill/settings.go"), func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			if n.Tag == nil {
				return true
			}
			text, err := strconv.Unquote(n.Tag.Value)
			require.NoError(t, err)
			if name := reflect.StructTag(text).Get("env"); name != "" {
				known[settingsPrefix+name] = reflect.StructTag(text).Get("desc")
			}
		case *ast.ValueSpec:
			if n.Names[0].Name == "secretVariable" {
				name := n.Values[0].(*ast.BinaryExpr).Y.(*ast.BasicLit).Value
				known[settingsPrefix+strings.Trim(name, `"`)] = "a secret"
			}
		}
		return true
	})
	return known
}

// commandsOfWaybill are the roles that its command line knows.
func commandsOfWaybill(t *testing.T) (names []string) {
	t.Helper()
	ast.Inspect(parse(t, "../cmd/waybill/main.go"), func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if function, ok := call.Fun.(*ast.Ident); ok && function.Name == "roleCommand" {
			names = append(names, strings.Trim(call.Args[0].(*ast.BasicLit).Value, `"`))
		}
		return true
	})
	return names
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	return parsed
}

// stage of the Dockerfile, with its instructions in order.
type stage struct {
	from         string
	instructions [][2]string
}

// all arguments of one kind of instruction.
func (s stage) all(instruction string) (arguments []string) {
	for _, i := range s.instructions {
		if i[0] == instruction {
			arguments = append(arguments, i[1])
		}
	}
	return arguments
}

func dockerfile(t *testing.T) (stages []stage) {
	t.Helper()
	for line := range strings.Lines(strings.ReplaceAll(read(t, "Dockerfile"), "\\\n", "")) {
		instruction, argument, ok := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case !ok, instruction == "#":
		case instruction == "FROM":
			stages = append(stages, stage{from: strings.Fields(argument)[0]})
		default:
			last := &stages[len(stages)-1]
			last.instructions = append(last.instructions, [2]string{instruction, argument})
		}
	}
	return stages
}

// linkerFlags are the Makefile's, in the Dockerfile's notation.
func linkerFlags(t *testing.T) string {
	t.Helper()
	flags := regexp.MustCompile(`(?m)^LDFLAGS := (.+)$`).FindStringSubmatch(read(t, "../Makefile"))
	require.NotNil(t, flags)
	return `"` + strings.NewReplacer("(", "{", ")", "}").Replace(flags[1]) + `"`
}

func goVersion(t *testing.T) string {
	t.Helper()
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, "../go.mod"))
	require.NotNil(t, version)
	return version[1]
}

func majorMinor(version string) string {
	return strings.Join(strings.SplitN(version, ".", 3)[:2], ".")
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(content)
}
