package jsregexp

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

func find(t *testing.T, pattern, flags, text string) string {
	t.Helper()
	re, err := Compile(pattern, flags)
	require.NoError(t, err)
	in := utf16.Encode([]rune(text))
	m, err := re.Find(in, 0, false, nil)
	require.NoError(t, err)
	if m == nil {
		return "no match"
	}
	var out []string
	for i := 0; i < len(m); i += 2 {
		if m[i] < 0 {
			out = append(out, "-")
			continue
		}
		out = append(out, fmt.Sprintf("%q", string(utf16.Decode(in[m[i]:m[i+1]]))))
	}
	return fmt.Sprintf("%d:%s", m[0], strings.Join(out, ","))
}

func TestFind(t *testing.T) {
	for _, c := range []struct{ name, pattern, flags, text, want string }{
		{"literal", "b", "", "abc", `1:"b"`},
		{"choice takes the first", "a|ab", "", "abc", `0:"a"`},
		{"greedy", "a+", "", "caaat", `1:"aaa"`},
		{"lazy", "a+?", "", "caaat", `1:"a"`},
		{"lazy until", "<(.*?)>", "", "<a><b>", `0:"<a>","a"`},
		{"counts", "a{2,3}", "", "aaaa", `0:"aaa"`},
		{"brace that is no quantifier", "a{,3}", "", "a{,3}", `0:"a{,3}"`},
		{"groups forget in loops", "(?:(a)|b)*", "", "ab", `0:"ab",-`},
		{"groups in nested loops", "(z)((a+)?(b+)?(c))*", "", "zaacbbbcac", `0:"zaacbbbcac","z","ac","a",-,"c"`},
		{"empty round stops", "(a*)*", "", "b", `0:"",-`},
		{"empty round after one", "(a*)*", "", "aab", `0:"aa","aa"`},
		{"lower bound with empty rounds", "(?:a?){3}b", "", "ab", `0:"ab"`},
		{"back reference", `(\w)\1`, "", "foo", `1:"oo","o"`},
		{"back reference to nothing", `(a)?\1b`, "", "b", `0:"b",-`},
		{"reference before its group", `\1(a)`, "", "a", `0:"a","a"`},
		{"octal", `\101`, "", "A", `0:"A"`},
		{"named", `(?<y>\d{4})-\k<y>`, "", "2024-2024", `0:"2024-2024","2024"`},
		{"k without names", `\k<a>`, "", "k<a>", `0:"k<a>"`},
		{"look ahead", "a(?=b)", "", "acab", `2:"a"`},
		{"negative look ahead", "a(?!c)", "", "acab", `2:"a"`},
		{"look ahead captures", "(?=(a+))a*b\\1", "", "baaabac", `3:"aba","a"`},
		{"look behind", "(?<=-)b", "", "b-b", `2:"b"`},
		{"look behind goes backwards", `(?<=(\d+)(\d+))$`, "", "1053", `4:"","1","053"`},
		{"negative look behind", "(?<!a)b", "", "abb", `2:"b"`},
		{"word boundary", `\bfoo\b`, "", "afoo foo", `5:"foo"`},
		{"word boundary is ASCII", `é\b`, "", "éa", `0:"é"`},
		{"dollar is the end", "a$", "", "a\n", "no match"},
		{"multiline", "^b$", "m", "a\nb\r\nc", `2:"b"`},
		{"dot and line ends", "a.b", "", "a\u2028b", "no match"},
		{"dot is one unit", "^.$", "", "😀", "no match"},
		{"two units", "^..$", "", "😀", `0:"😀"`},
		{"class", "[^a-c]", "", "abcd", `3:"d"`},
		{"empty class", "[]", "", "a", "no match"},
		{"any class", "[^]", "", "\n", `0:"\n"`},
		{"dash at the end", "[a-]+", "", "-a-", `0:"-a-"`},
		{"dash beside a set", `[\w-.]+`, "", "a-.", `0:"a-."`},
		{"backspace", `[\b]`, "", "\b", `0:"\b"`},
		{"ignore case", "STRASSE", "i", "strasse", `0:"strasse"`},
		{"ignore case in classes", "[a-z]+", "i", "ABc", `0:"ABc"`},
		{"ignore case beyond ASCII", "é", "i", "É", `0:"É"`},
		{"long s is no s", `\w`, "i", "ſ", "no match"},
		{"Kelvin is no k", "k", "i", "\u212a", "no match"},
		{"white space", `\s+`, "", "a\u00a0\ufeff b", "1:\"\\u00a0\\ufeff \""},
		{"control", `\cJ`, "", "\n", `0:"\n"`},
		{"hex and unicode", `\x41\u0042`, "", "AB", `0:"AB"`},
		{"identity escapes", `\-\/\u\x`, "", "-/ux", `0:"-/ux"`},
		{"repeated look ahead", "(?=a)*b", "", "b", `0:"b"`},
		{"closing brackets", "]}", "", "]}", `0:"]}"`},
		{"quantified group", "(ab){2}", "", "ababab", `0:"abab","ab"`},
		{"lazy group", "(?:ab)+?c", "", "ababc", `0:"ababc"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, find(t, c.pattern, c.flags, c.text))
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, c := range []struct{ name, pattern, flags string }{
		{"open group", "(", ""}, {"closed group", ")", ""}, {"open class", "[", ""},
		{"nothing to repeat", "*", ""}, {"two quantifiers", "a**", ""}, {"braces first", "{1}", ""},
		{"numbers out of order", "a{2,1}", ""}, {"range out of order", "[b-a]", ""},
		{"backslash at the end", `\`, ""}, {"unknown group", "(?a)", ""}, {"two equal names", "(?<a>.)(?<a>.)", ""},
		{"reference to no name", `(?<a>.)\k<b>`, ""}, {"repeated look-behind", "(?<=a)*", ""},
		{"repeated assertion", "^*", ""}, {"doubled flag", "a", "gg"}, {"unknown flag", "a", "u"},
		{"deep nesting", strings.Repeat("(", 300) + strings.Repeat(")", 300), ""},
		{"too long", strings.Repeat("a", MaxSource+1), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Compile(c.pattern, c.flags)
			require.Error(t, err)
		})
	}
}

func TestSticky(t *testing.T) {
	re, err := Compile("b", "y")
	require.NoError(t, err)
	in := utf16.Encode([]rune("abb"))
	m, err := re.Find(in, 0, true, nil)
	require.NoError(t, err)
	require.Nil(t, m)
	m, err = re.Find(in, 1, true, nil)
	require.NoError(t, err)
	require.Equal(t, []int{1, 2}, m)
}

// Patterns that take exponentially long end when the caller says so, and
// those that need much memory by themselves.
func TestCatastrophes(t *testing.T) {
	late := errors.New("late")
	for _, pattern := range []string{"(a+)+$", "(a|a)*b", "(.*)*x", "(?:a?){40}a{40}$", "(x+x+)+y", `^(.*)(.*)\1\2y`} {
		t.Run(pattern, func(t *testing.T) {
			re, err := Compile(pattern, "")
			require.NoError(t, err)
			in := utf16.Encode([]rune(strings.Repeat("a", 60) + strings.Repeat("x", 60) + "!"))
			stop := time.Now().Add(200 * time.Millisecond)
			start := time.Now()
			_, err = re.Find(in, 0, false, func() error {
				if time.Now().After(stop) {
					return late
				}
				return nil
			})
			if err != nil {
				require.True(t, errors.Is(err, late) || errors.Is(err, ErrTooComplex), err)
			}
			require.Less(t, time.Since(start), 5*time.Second)
		})
	}
	re, err := Compile("(?:(a)|b)*c", "")
	require.NoError(t, err)
	_, err = re.Find(utf16.Encode([]rune(strings.Repeat("ab", 1<<20))), 0, true, nil)
	require.ErrorIs(t, err, ErrTooComplex)
}

// Long comparisons count, not only instructions: without that this search asks
// its caller some sixty times in all.
func TestLongComparisonsAsk(t *testing.T) {
	re, err := Compile(`^(.*)\1$`, "")
	require.NoError(t, err)
	enough, asked := errors.New("enough"), 0
	_, err = re.Find(utf16.Encode([]rune(strings.Repeat("a", 1<<18)+"b")), 0, true, func() error {
		if asked++; asked == 1000 {
			return enough
		}
		return nil
	})
	require.ErrorIs(t, err, enough)
}
