package searchapi

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// A page is a place in a result: the number of a page, from 0. One that a
// cursor does not make sense of is nowhere: the result is there, and the page
// is empty.
type page struct {
	number  int
	nowhere bool
}

// maxPage is the last page that can be asked for.
const maxPage = 1 << 24

// parseCursor reads a cursor, which is the number of a page in base64; the
// empty one is the first page.
func parseCursor(cursor string) page {
	if cursor == "" {
		return page{}
	}
	decoded, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(cursor, "="))
	if err != nil {
		return page{nowhere: true}
	}
	n, err := strconv.ParseUint(string(decoded), 10, 32)
	if err != nil || n > maxPage {
		return page{nowhere: true}
	}
	return page{number: int(n)}
}

// cursor returns the cursor of a page.
func cursor(number int) string {
	return base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(number)))
}
