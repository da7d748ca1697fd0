package jsonschema

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks/jsregexp"
)

// hasFormat tells whether a text has a format; formats that nobody knows hold
// every text. The dates only look like dates: 2023-02-31 is one.
func hasFormat(s, format string) bool {
	switch format {
	case "ipv4", "ip-address":
		return isIPv4(s)
	case "ipv6":
		address, err := netip.ParseAddr(strings.TrimSpace(s))
		return err == nil && address.Is6()
	case "hostname", "host-name":
		return len(s) <= 255 && hostname.MatchString(s)
	case "regex", "regexp", "pattern":
		_, err := jsregexp.Compile(s, "")
		return err == nil
	case "utc-millisec":
		f, err := strconv.ParseFloat(s, 64)
		return err == nil && f == float64(int64(f))
	case "color":
		return isColor(s)
	}
	if re := formatPattern(format); re != nil {
		return re.MatchString(s)
	}
	return true
}

const (
	clock  = `(?:[01]\d|2[0-4]):[0-5]\d:(?:[0-5]\d|60)`
	day    = `\d{4}-(?:0\d|1[0-2])-(?:0[1-9]|[12]\d|3[01])`
	offset = `(?:[zZ]|[+-][0-5]\d:(?:[0-5]\d|60))`
	atom   = `[\w!#$%&'*+\-/=?^` + "`" + `{|}~]+`
	name   = `[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?`
	octet  = `(?:25[0-5]|2[0-4]\d|[01]?\d{1,2})`
	token  = `(?:[!-$&-;=?-Z_a-z~]|%[0-9A-Fa-f]{2})`
)

var (
	hostname   = regexp.MustCompile(`^` + name + `(?:\.` + name + `)*\.?$`)
	ipv4       = regexp.MustCompile(`^(?:` + octet + `\.){3}` + octet + `$`)
	dateTime   = regexp.MustCompile(`^` + day + `[tT ]` + clock + `(?:\.\d+)?` + offset + `$`)
	date       = regexp.MustCompile(`^` + day + `$`)
	timeOfDay  = regexp.MustCompile(`^` + clock + `$`)
	duration   = regexp.MustCompile(`(?i)P(?:\d+[DWMY]|T\d+[HMS])`)
	email      = regexp.MustCompile(`^` + atom + `(?:\.` + atom + `)*@(?:(?:` + name + `\.)+` + name + `|\[(?:` + octet + `\.){3}` + octet + `\])$`)
	idnEmail   = regexp.MustCompile(`^[^\s@"(),:;<>\[\\\]]+@[^\s@"(),:;<>\\]+$`)
	uri        = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:\S*$`)
	reference  = regexp.MustCompile(`^(?:` + token + `|\[[0-9A-Fa-fvV:.]+\])*(?:#` + token + `*)?$`)
	iriRef     = regexp.MustCompile(`^[^\s"<>\\^` + "`" + `{|}]*$`)
	uuid       = regexp.MustCompile(`(?i)^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	pointer    = regexp.MustCompile(`^(?:/(?:[^/~]|~[01])*)*$`)
	relPointer = regexp.MustCompile(`^\d+(?:#|(?:/(?:[^/~]|~[01])*)*)$`)
	style      = regexp.MustCompile(`[^\r\n\t ][^:]*:`)
	phone      = regexp.MustCompile(`^\+(?:\d ?){6,14}\d$`)
	alpha      = regexp.MustCompile(`^[a-zA-Z]+$`)
	alphanum   = regexp.MustCompile(`^[a-zA-Z0-9]+$`)
)

func formatPattern(format string) *regexp.Regexp {
	switch format {
	case "date-time":
		return dateTime
	case "date":
		return date
	case "time":
		return timeOfDay
	case "duration":
		return duration
	case "email":
		return email
	case "idn-email":
		return idnEmail
	case "uri", "iri":
		return uri
	case "uri-reference":
		return reference
	case "iri-reference":
		return iriRef
	case "uuid":
		return uuid
	case "json-pointer":
		return pointer
	case "relative-json-pointer":
		return relPointer
	case "style":
		return style
	case "phone":
		return phone
	case "alpha":
		return alpha
	case "alphanumeric":
		return alphanum
	}
	return nil
}

func isIPv4(s string) bool { return ipv4.MatchString(s) }

var (
	hexColor = regexp.MustCompile(`^#?(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$`)
	rgbColor = regexp.MustCompile(`^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$`)
	percents = regexp.MustCompile(`^rgb\(\s*(?:\d?\d|100)%\s*,\s*(?:\d?\d|100)%\s*,\s*(?:\d?\d|100)%\s*\)$`)
)

// isColor knows colours as CSS 2.1 writes them.
func isColor(s string) bool {
	switch s {
	case "aqua", "black", "blue", "fuchsia", "gray", "green", "lime", "maroon", "navy",
		"olive", "orange", "purple", "red", "silver", "teal", "white", "yellow":
		return true
	}
	if m := rgbColor.FindStringSubmatch(s); m != nil {
		for _, part := range m[1:] {
			if n, err := strconv.Atoi(part); err != nil || n > 255 || len(part) > 1 && part[0] == '0' {
				return false
			}
		}
		return true
	}
	return hexColor.MatchString(s) || percents.MatchString(s)
}
