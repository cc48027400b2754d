package domain

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Cause of failures: what those have in common that are mended in the same way.
// Its detail names no file, number, time or address any more.
type Cause struct {
	Stage      Stage    `json:"stage"`
	Code       string   `json:"code"`
	Category   Category `json:"category"`
	SourceCode string   `json:"sourceCode,omitempty"`
	Detail     string   `json:"detail"`
	Retryable  bool     `json:"retryable"`
	Rule       string   `json:"rule,omitempty"`
	Remedy     string   `json:"remedy"`
}

// Cause of the failure. The names are what its detail may call the case at hand,
// such as the file's.
func (f Failure) Cause(names ...string) Cause {
	return Cause{
		Stage: f.Stage, Code: f.Code, Category: f.Category, SourceCode: f.SourceCode, Detail: Generalized(f.Detail, names...),
		Retryable: f.Retryable, Rule: f.Rule, Remedy: f.Remedy,
	}
}

// Fingerprint is the same for causes of the same stage, code and detail.
func (c Cause) Fingerprint() string {
	told, _ := json.Marshal([]string{string(c.Stage), c.Code, c.SourceCode, c.Detail}) // strings always encode
	sum := sha256.Sum256(told)
	return hex.EncodeToString(sum[:8])
}

// placeholder stands for what differs from case to case. There is one placeholder for
// all of it, so that a file called 17 and one called IMG-17.pdf leave the same.
const placeholder = "<*>"

var (
	// addresses and names of files differ from case to case, whatever they are.
	addresses = regexp.MustCompile(`https?://[^\s"'<>]+|[^\s"'()<>]+\.(?:pdf|ofd|xml|jpe?g|png|tiff?|bmp|heic|zip|docx?|xlsx?|txt)\b`)
	// words may. They are of ASCII letters: a Chinese text has no spaces, and would
	// be one word with all of its numbers.
	words    = regexp.MustCompile(`[0-9A-Za-z](?:[0-9A-Za-z_./:+=%@#-]*[0-9A-Za-z=])?`)
	repeated = regexp.MustCompile(regexp.QuoteMeta(placeholder) + `(?:[-_./:]*` + regexp.QuoteMeta(placeholder) + `)+`)
)

// Generalized is a detail with a placeholder for whatever differs from case to
// case. What is generalized already stays as it is.
func Generalized(detail string, names ...string) string {
	// The longest first: an image number may be a part of a file's name.
	for _, name := range slices.SortedFunc(slices.Values(names), func(a, b string) int { return cmp.Compare(len(b), len(a)) }) {
		detail = withoutName(detail, name)
	}
	for {
		rest := repeated.ReplaceAllString(words.ReplaceAllStringFunc(addresses.ReplaceAllString(detail, placeholder), unlessVarying), placeholder)
		if rest == detail {
			return detail
		}
		detail = rest // where two stood together, one of them may be told only now
	}
}

func unlessVarying(word string) string {
	if isVarying(word) {
		return placeholder
	}
	return word
}

// isVarying tells a number, a time, a digest, an id or an address from a word
// that merely has a digit, such as md5 or utf-8.
func isVarying(word string) bool {
	digits := 0
	for _, r := range word {
		if '0' <= r && r <= '9' {
			digits++
		}
	}
	return digits > 2 || digits > 0 && word[0] <= '9' || digits > 0 && !strings.ContainsFunc(word, unicode.IsLetter)
}

// withoutName puts the placeholder wherever the name stands by itself. Of a name
// that is a number nothing is known: it may be a count.
func withoutName(detail, name string) string {
	if !strings.ContainsFunc(name, unicode.IsLetter) {
		return detail
	}
	var rest strings.Builder
	for {
		before, after, found := strings.Cut(detail, name)
		rest.WriteString(before)
		if !found {
			return rest.String()
		}
		last, _ := utf8.DecodeLastRuneInString(before)
		next, _ := utf8.DecodeRuneInString(after)
		if joins(last) || joins(next) {
			rest.WriteString(name)
		} else {
			rest.WriteString(placeholder)
		}
		detail = after
	}
}

// joins tells that a letter or digit makes one word with what it stands beside.
func joins(r rune) bool { return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
