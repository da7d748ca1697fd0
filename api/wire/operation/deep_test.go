package operation

import (
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
)

func read(o *Operation, rawQuery string) (*Input, error) {
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest("GET", "/", nil)
	c.Request.URL.RawQuery = rawQuery
	return o.Read(c)
}

func TestMembers(t *testing.T) {
	o := &Operation{Query: []Parameter{{Name: "filters", Kind: Deep}}}
	for _, tc := range []struct {
		name, query string
		want        []Member
		fault       string
	}{
		{"none", "", nil, ""},
		{"one", "filters[kind]=API", []Member{{"kind", []string{"API"}}}, ""},
		{"encoded, as browsers do", "filters%5Bkind%5D=A%20B&filters%5Bowner%5D=x+y", []Member{{"kind", []string{"A B"}}, {"owner", []string{"x y"}}}, ""},
		{"lists in all forms", "filters[a]=1&filters[a]=2&filters[a][]=3&filters[a][0]=4&filters[a][99]=5", []Member{{"a", []string{"1", "2", "3", "4", "5"}}}, ""},
		{"an empty value", "filters[a]=", []Member{{"a", []string{""}}}, ""},
		{"names with signs", "filters[metadata.x-y/z]=1", []Member{{"metadata.x-y/z", []string{"1"}}}, ""},
		{"what is deeper is left out", "filters[a][b]=1&filters[a][b][c]=2&filters[d][0][1]=3&filters[e]=4", []Member{{"e", []string{"4"}}}, ""},
		{"what is no bracket is left out", "filters[a]x=1&filters[a][0]x=2&filters[a]=3", []Member{{"a", []string{"3"}}}, ""},
		{"a text beside is left out", "filters[a]=1&filters=2", []Member{{"a", []string{"1"}}}, ""},
		{"a text", "filters=2", nil, "request/query/filters must be object"},
		{"a list", "filters[]=2", nil, "request/query/filters must be object"},
		{"a bracket that does not close is another name", "filters[a=2", nil, "Unknown query parameter 'filters[a'"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in, err := read(o, tc.query)
			if tc.fault != "" {
				require.EqualError(t, err, tc.fault)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, in.Members("filters"))
		})
	}
}

func TestLenient(t *testing.T) {
	o := &Operation{Lenient: true, Query: []Parameter{{Name: "a"}, {Name: "n", Kind: Integer}}}
	in, err := read(o, "a=&b=1&c[d]=2")
	require.NoError(t, err, "neither unknown names nor empty values are faults")
	require.Equal(t, "", in.Text("a"))
	_, err = read(o, "n=")
	require.EqualError(t, err, "request/query/n must be integer", "an empty value is no number")
	_, err = read(&Operation{Query: o.Query}, "a=")
	require.EqualError(t, err, "Empty value found for query parameter 'a'", "elsewhere it is one")
	described := o.describe().Value("parameters").([]any)
	require.Len(t, described, 2)
}
