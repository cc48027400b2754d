package profile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/profile"
)

func flagshipTarget(change ...func(*profile.FlagshipTarget)) profile.Settings {
	target := profile.FlagshipTarget{
		URL: "https://flagship.example/ierp", AppID: "waybill", SecretRef: "env:FLAGSHIP_SECRET", TenantID: "t", AccountID: "1", User: "imaging",
	}
	for _, c := range change {
		c(&target)
	}
	return profile.Settings{Target: profile.TargetFlagship, FlagshipTarget: &target}
}

func TestAFlagshipTargetIsKeptWithItsDefaults(t *testing.T) {
	t.Parallel()
	past := named("filing").After(t, profile.Register{Name: "filing", Settings: flagshipTarget(func(f *profile.FlagshipTarget) { f.AllowedNetworks = []string{} })})
	kept := past.State().Settings.FlagshipTarget
	require.Equal(t, "UserName", kept.UserType)
	require.Equal(t, "zh_CN", kept.Language)
	require.Equal(t, 8, kept.Concurrency)
	require.EqualValues(t, 16<<20, kept.MaxFileBytes)
	past.When(profile.Reconfigure{Settings: flagshipTarget()}).ThenNothing()
	// Nobody files while the target is the archive, and its settings may wait.
	waiting := flagshipTarget()
	waiting.Target = profile.TargetArchive
	past.When(profile.Reconfigure{Settings: waiting}).Then(profile.Reconfigured{Settings: given(func(s *profile.Settings) { s.FlagshipTarget = kept })})
}

func TestAFlagshipTargetThatCannotWork(t *testing.T) {
	t.Parallel()
	named("filing").Given(t).When(profile.Register{Name: "filing", Settings: profile.Settings{Target: profile.TargetFlagship}}).ThenRefused(domain.Invalid, "target-missing")
	for name, c := range map[string]struct {
		change      func(*profile.FlagshipTarget)
		field, code string
	}{
		"no address":   {func(f *profile.FlagshipTarget) { f.URL = "" }, "url", "url-invalid"},
		"no http":      {func(f *profile.FlagshipTarget) { f.URL = "ftp://flagship.example" }, "url", "url-invalid"},
		"a user":       {func(f *profile.FlagshipTarget) { f.URL = "https://u:p@flagship.example" }, "url", "url-invalid"},
		"a query":      {func(f *profile.FlagshipTarget) { f.URL = "https://flagship.example?access_token=1" }, "url", "url-invalid"},
		"open http":    {func(f *profile.FlagshipTarget) { f.URL = "http://flagship.example" }, "url", "url-invalid"},
		"no app":       {func(f *profile.FlagshipTarget) { f.AppID = "" }, "appId", "out-of-range"},
		"no account":   {func(f *profile.FlagshipTarget) { f.AccountID = "" }, "accountId", "out-of-range"},
		"a long user":  {func(f *profile.FlagshipTarget) { f.User = strings.Repeat("u", 201) }, "user", "out-of-range"},
		"a secret":     {func(f *profile.FlagshipTarget) { f.SecretRef = "s3cret" }, "secretRef", "secret-reference-invalid"},
		"a network":    {func(f *profile.FlagshipTarget) { f.AllowedNetworks = []string{"here"} }, "allowedNetworks", "network-invalid"},
		"networks":     {func(f *profile.FlagshipTarget) { f.AllowedNetworks = make([]string, 101) }, "allowedNetworks", "too-many"},
		"a long code":  {func(f *profile.FlagshipTarget) { f.Resource = strings.Repeat("r", 51) }, "resource", "out-of-range"},
		"a crowd":      {func(f *profile.FlagshipTarget) { f.Concurrency = 101 }, "concurrency", "out-of-range"},
		"nothing":      {func(f *profile.FlagshipTarget) { f.MaxFileBytes = -1 }, "maxFileBytes", "out-of-range"},
		"too much":     {func(f *profile.FlagshipTarget) { f.MaxFileBytes = 2 << 30 }, "maxFileBytes", "out-of-range"},
		"no authority": {func(f *profile.FlagshipTarget) { f.CertificateAuthorities = "mine" }, "certificateAuthorities", "certificate-authorities-invalid"},
	} {
		refused := named("filing").Given(t).When(profile.Register{Name: "filing", Settings: flagshipTarget(c.change)})
		refused.ThenRefused(domain.Invalid, c.code)
		var refusal *domain.Refusal
		require.ErrorAs(t, refused.Err, &refusal, name)
		require.Equal(t, c.field, strings.TrimPrefix(refusal.Field, "flagshipTarget."), name)
	}
}
