package profile

import (
	"reflect"
	"slices"
	"strings"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/rules"
)

// Targets that documents are brought to. Both keep the files in the archive;
// with TargetFlagship a document is also filed there.
const (
	TargetArchive  = "archive"
	TargetFlagship = "flagship"
)

var targets = []string{TargetArchive, TargetFlagship}

const maxDescription = 2000 // bytes

// Settings of a profile: what the rules go by, and the target. Secrets stand
// here by reference only.
type Settings struct {
	Description string `json:"description,omitempty"`
	rules.Criteria
	Target         string          `json:"target"`
	FlagshipTarget *FlagshipTarget `json:"flagshipTarget,omitempty"` // where it is; used while Target says so
}

// withDefaults are the settings as they are kept.
func (s Settings) withDefaults() Settings {
	s.Criteria = s.WithDefaults()
	if s.Target == "" {
		s.Target = TargetArchive
	}
	s.FlagshipTarget = s.FlagshipTarget.withDefaults()
	return s
}

func (s Settings) equal(other Settings) bool { return reflect.DeepEqual(s, other) }

// validate refuses settings that cannot work, naming the field.
func (s Settings) validate() error {
	if len(s.Description) > maxDescription {
		return domain.RefuseInvalid("description", "out-of-range", "a description has %d bytes at most, got %d", maxDescription, len(s.Description))
	}
	if !slices.Contains(targets, s.Target) {
		return domain.RefuseInvalid("target", "choice-unknown", "%q is not one of %s", domain.TruncateTo(s.Target, 100), strings.Join(targets, ", "))
	}
	if s.FlagshipTarget != nil {
		if err := s.FlagshipTarget.validate(); err != nil {
			return err
		}
	} else if s.Target == TargetFlagship {
		return domain.RefuseInvalid("flagshipTarget", "target-missing", "the target flagship needs flagshipTarget, which says where it is and who Waybill is there")
	}
	return s.Validate()
}
