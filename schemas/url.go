package schemas

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// specialSchemes are those whose URLs have a host by rule; browsers know them
// by heart.
var specialSchemes = map[string]bool{"http": true, "https": true, "ws": true, "wss": true, "ftp": true, "file": true}

// isURL tells whether s is an absolute URL for a browser, which forgives more
// than RFC 3986 does: blanks around it, line breaks inside, backslashes, and
// nearly anything after the host.
func isURL(s string) bool {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
	scheme, rest, found := strings.Cut(s, ":")
	if !found || !isScheme(scheme) {
		return false
	}
	scheme = strings.ToLower(scheme)
	switch {
	case !specialSchemes[scheme]:
		authority, ok := strings.CutPrefix(rest, "//")
		return !ok || isOpaqueAuthority(until(authority, "/?#"))
	case scheme == "file":
		return isFileHost(rest)
	}
	return isAuthority(until(strings.TrimLeft(rest, `/\`), `/\?#`))
}

func isScheme(s string) bool {
	for i := range len(s) {
		letter := s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z'
		if !letter && (i == 0 || !(s[i] >= '0' && s[i] <= '9' || strings.IndexByte("+-.", s[i]) >= 0)) {
			return false
		}
	}
	return s != ""
}

func until(s, any string) string {
	if i := strings.IndexAny(s, any); i >= 0 {
		return s[:i]
	}
	return s
}

// isAuthority checks [user[:password]@]host[:port].
func isAuthority(s string) bool {
	host, port := splitAuthority(s)
	return host != "" && isPort(port) && isHost(host)
}

func isOpaqueAuthority(s string) bool {
	host, port := splitAuthority(s)
	if host == "" {
		// Neither a user nor a port goes without a host.
		return s == ""
	}
	if strings.HasPrefix(host, "[") {
		return isPort(port) && isHost(host)
	}
	return isPort(port) && !strings.ContainsAny(host, "\x00 #/:<>?@[\\]^|")
}

// splitAuthority leaves out user and password; port is without its colon.
func splitAuthority(s string) (host, port string) {
	s = s[strings.LastIndexByte(s, '@')+1:]
	i := strings.IndexByte(s, ':')
	if strings.HasPrefix(s, "[") {
		i = strings.IndexByte(s, ']') + 1
		if i == 0 || i == len(s) {
			return s, ""
		}
		if s[i] != ':' {
			return s, "none" // something follows the bracket
		}
	}
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i+1:]
}

func isPort(s string) bool {
	if s == "" {
		return true
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return err == nil && n <= 65535
}

func isFileHost(rest string) bool {
	if len(rest) < 2 || strings.IndexByte(`/\`, rest[0]) < 0 || strings.IndexByte(`/\`, rest[1]) < 0 {
		return true // a path
	}
	host := until(rest[2:], `/\?#`)
	drive := len(host) == 2 && host[0]|0x20 >= 'a' && host[0]|0x20 <= 'z' && (host[1] == ':' || host[1] == '|')
	return host == "" || drive || isHost(host)
}

// isHost checks the host of a scheme in which hosts are names or addresses.
func isHost(s string) bool {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		return ok && err == nil && addr.Is6() && addr.Zone() == ""
	}
	decoded, err := url.PathUnescape(s)
	if err != nil || !utf8.ValidString(decoded) {
		// A stray percent sign is taken as it is, and then forbidden.
		return false
	}
	if decoded, err = toASCII(decoded); err != nil {
		return false
	}
	for _, r := range decoded {
		if r <= ' ' || r == 0x7f || strings.ContainsRune(`#/:<>?@[\]^|%`, r) {
			return false
		}
	}
	return decoded != "" && (!endsInNumber(decoded) || isIPv4(decoded))
}

// names is how browsers read names that are not plain ASCII.
var names = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.CheckHyphens(false),
	idna.CheckJoiners(true), idna.StrictDomainName(false))

// toASCII writes a host in the letters of the domain name system. Most hosts
// are in them.
func toASCII(host string) (string, error) {
	plain := strings.IndexFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
	if plain && !strings.Contains(strings.ToLower(host), "xn--") {
		return host, nil
	}
	return names.ToASCII(host)
}

// endsInNumber tells whether the last part of a host makes it an address.
func endsInNumber(host string) bool {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	last := parts[len(parts)-1]
	if last != "" && strings.Trim(last, "0123456789") == "" {
		return true
	}
	_, ok := ipv4Number(last)
	return ok
}

// isIPv4 reads an address as browsers do: up to four numbers, also octal and
// hexadecimal, of which the last fills what is left.
func isIPv4(host string) bool {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(parts) > 4 {
		return false
	}
	for i, part := range parts {
		n, ok := ipv4Number(part)
		limit := uint64(256)
		if i == len(parts)-1 {
			limit = 1 << (8 * (5 - len(parts)))
		}
		if !ok || n >= limit {
			return false
		}
	}
	return true
}

func ipv4Number(s string) (uint64, bool) {
	radix := 10
	switch {
	case s == "":
		return 0, false
	case len(s) >= 2 && (s[:2] == "0x" || s[:2] == "0X"):
		s, radix = s[2:], 16
	case len(s) >= 2 && s[0] == '0':
		s, radix = s[1:], 8
	}
	if s == "" {
		return 0, true
	}
	if strings.ContainsAny(s, "_+-") {
		return 0, false
	}
	n, err := strconv.ParseUint(s, radix, 64)
	return n, err == nil
}
