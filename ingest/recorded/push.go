package recorded

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

const (
	advertisement = "/info/refs"
	receivePack   = "/git-receive-pack"
	zeroID        = "0000000000000000000000000000000000000000"
)

// push answers the two requests of a push: what the repository has, which is
// nothing, and the taking of what is sent.
func (e Exchange) push(req *http.Request, body []byte) (answer *http.Response, done bool, why string) {
	if !strings.EqualFold(e.URL.Scheme, req.URL.Scheme) || !strings.EqualFold(e.URL.Host, req.URL.Host) {
		return nil, false, ""
	}
	headers := http.Header{"Cache-Control": {"no-cache"}}
	switch path, service := strings.CutPrefix(req.URL.Path, e.URL.Path); {
	case !service:
		return nil, false, ""
	case path == advertisement && req.Method == http.MethodGet && req.URL.Query().Get("service") == "git-receive-pack":
		headers.Set("Content-Type", "application/x-git-receive-pack-advertisement")
		text := packet("# service=git-receive-pack\n") + "0000" + packet(zeroID+" capabilities^{}\x00report-status delete-refs ofs-delta\n") + "0000"
		return respond(http.StatusOK, headers, []byte(text)), false, ""
	case path == receivePack && req.Method == http.MethodPost:
		refs, err := pushedRefs(body)
		if err != nil {
			return nil, false, err.Error()
		}
		if e.Branch != "" && (len(refs) != 1 || refs[0] != "refs/heads/"+e.Branch) {
			return nil, false, fmt.Sprintf("the push is to %s, recorded is refs/heads/%s", strings.Join(refs, ", "), e.Branch)
		}
		headers.Set("Content-Type", "application/x-git-receive-pack-result")
		text := packet("unpack ok\n")
		for _, ref := range refs {
			text += packet("ok " + ref + "\n")
		}
		return respond(http.StatusOK, headers, []byte(text+"0000")), true, ""
	}
	return nil, false, ""
}

// packet writes a line of Git's protocol: its length in hexadecimal, and the
// text.
func packet(text string) string { return fmt.Sprintf("%04x%s", len(text)+4, text) }

// pushedRefs reads which refs a push is about, from the lines before the pack:
// the old id, the new one, and the name.
func pushedRefs(body []byte) (refs []string, err error) {
	for {
		if len(body) < 4 {
			return nil, fmt.Errorf("the push cannot be read")
		}
		n, err := strconv.ParseUint(string(body[:4]), 16, 16)
		if err != nil || int(n) > len(body) || n > 0 && n < 4 {
			return nil, fmt.Errorf("the push cannot be read")
		}
		if n == 0 {
			return refs, nil
		}
		line, _, _ := bytes.Cut(body[4:n], []byte{0})
		parts := strings.Fields(string(line))
		if len(parts) != 3 {
			return nil, fmt.Errorf("the push cannot be read")
		}
		refs, body = append(refs, parts[2]), body[n:]
	}
}
