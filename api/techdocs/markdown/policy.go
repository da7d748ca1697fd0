package markdown

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/microcosm-cc/bluemonday"
)

var (
	oneID     = regexp.MustCompile(`^[^\s"'<>&]{1,256}$`)
	someWords = regexp.MustCompile(`^[\p{L}\p{N}\s_:./+#-]{1,512}$`)
	aSize     = regexp.MustCompile(`^[0-9]{1,5}(\.[0-9]{1,3})?(px|%|em|rem)?$`)
	aNumber   = regexp.MustCompile(`^[0-9]{1,6}$`)
	aTabName  = regexp.MustCompile(`^__tabbed_[0-9]+(_[0-9]+)?$`)
	aligned   = regexp.MustCompile(`^(?i)(left|right|center|justify|top|middle|bottom|baseline)$`)
	scopes    = regexp.MustCompile(`^(?i)(row|col|rowgroup|colgroup)$`)
	choosers  = regexp.MustCompile(`^(radio|checkbox)$`)
	targets   = regexp.MustCompile(`^_blank$`)
	yes       = regexp.MustCompile(`^(|true|checked|disabled|open)$`)
)

// newPolicy says what HTML may hold. Whatever is not named here is left out,
// with what is inside of script, style and the like.
func newPolicy(frameHosts []string) *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("a", "abbr", "b", "bdi", "bdo", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del",
		"details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins",
		"kbd", "label", "li", "mark", "ol", "p", "picture", "pre", "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span",
		"strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
		"audio", "video", "source")
	p.AllowNoAttrs().OnElements("a", "span", "picture", "label", "source", "figure", "audio", "video")
	p.AllowAttrs("class").Matching(someWords).Globally()
	p.AllowAttrs("id").Matching(oneID).Globally()
	p.AllowAttrs("title", "aria-label", "aria-hidden", "alt", "lang", "role").Globally()
	p.AllowAttrs("dir").Matching(bluemonday.Direction).Globally()
	p.AllowAttrs("align").Matching(aligned).OnElements("p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "img", "table", "tr", "td", "th", "col", "caption")
	p.AllowAttrs("valign").Matching(aligned).OnElements("tr", "td", "th")
	p.AllowAttrs("width", "height").Matching(aSize).OnElements("img", "table", "td", "th", "col", "video", "source")
	p.AllowAttrs("colspan", "rowspan", "span").Matching(aNumber).OnElements("td", "th", "col", "colgroup")
	p.AllowAttrs("scope").Matching(scopes).OnElements("th", "td")
	p.AllowAttrs("start", "value").Matching(aNumber).OnElements("ol", "li")
	p.AllowAttrs("reversed", "type").Matching(someWords).OnElements("ol")
	p.AllowAttrs("datetime").Matching(someWords).OnElements("time")
	p.AllowAttrs("open").Matching(yes).OnElements("details")
	p.AllowAttrs("controls", "loop", "muted", "autoplay").Matching(yes).OnElements("audio", "video")
	p.AllowAttrs("loading", "decoding").Matching(someWords).OnElements("img")
	p.AllowAttrs("data-tabs").Matching(someWords).OnElements("div")

	// Tabs and task lists are buttons that nobody can send.
	p.AllowElements("input")
	p.AllowAttrs("type").Matching(choosers).OnElements("input")
	p.AllowAttrs("checked", "disabled").Matching(yes).OnElements("input")
	p.AllowAttrs("name").Matching(aTabName).OnElements("input")
	p.AllowAttrs("for").Matching(oneID).OnElements("label")

	allowURLs(p)
	allowFrames(p, frameHosts)
	return p
}

func allowURLs(p *bluemonday.Policy) {
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("name").Matching(oneID).OnElements("a")
	p.AllowAttrs("download").OnElements("a")
	p.AllowAttrs("target").Matching(targets).OnElements("a")
	p.AllowAttrs("src").OnElements("img", "audio", "video", "source")
	p.AllowAttrs("poster").OnElements("video")
	p.AllowAttrs("media").Matching(regexp.MustCompile(`^[\w\s():.-]{1,100}$`)).OnElements("source")
	p.AllowAttrs("cite").OnElements("blockquote", "q", "del", "ins")
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.AllowURLSchemeWithCustomPolicy("data", isPicture)
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.RequireNoReferrerOnFullyQualifiedLinks(true)
}

// aPicture matches what data URLs may hold; vector graphics could hold scripts.
var aPicture = regexp.MustCompile(`^image/(png|gif|jpeg|webp);base64,[A-Za-z0-9+/=]*$`)

func isPicture(u *url.URL) bool {
	return u.RawQuery == "" && u.Fragment == "" && aPicture.MatchString(u.Opaque)
}

// allowFrames lets frames of some hosts through, without rights.
func allowFrames(p *bluemonday.Policy, hosts []string) {
	if len(hosts) == 0 {
		return
	}
	p.AllowElements("iframe")
	p.AllowAttrs("src").Matching(frameSource(hosts)).OnElements("iframe")
	p.AllowAttrs("width", "height").Matching(aSize).OnElements("iframe")
	p.AllowAttrs("allowfullscreen").Matching(regexp.MustCompile(`^(|true|allowfullscreen)$`)).OnElements("iframe")
}

// frameSource matches https URLs of the hosts.
func frameSource(hosts []string) *regexp.Regexp {
	quoted := slices.Clone(hosts)
	for i, h := range quoted {
		if u, err := url.Parse(h); err == nil && u.Host != "" {
			h = u.Host
		}
		quoted[i] = regexp.QuoteMeta(strings.ToLower(h))
	}
	return regexp.MustCompile(`^(?i)https://(` + strings.Join(quoted, "|") + `)(/|\?|#|$)`)
}
