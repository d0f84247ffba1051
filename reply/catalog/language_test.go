package catalog

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
)

func TestEnglishIsOfferedFirst(t *testing.T) {
	if all := Languages(); len(all) == 0 || all[0].Tag != "en" {
		t.Errorf("%+v", all)
	}
}

// A language whose folder is there is whole: a half one is a fault that should
// show here, and not by its absence.
func TestLanguagesAreWhole(t *testing.T) {
	folders, err := fs.ReadDir(embedded, "text")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		tag := folder.Name()
		if !slices.ContainsFunc(loadFacts().languages, func(l Language) bool { return l.Tag == tag }) {
			t.Errorf("the language %q is not in data/languages.toml", tag)
		}
		for _, problem := range incomplete(tag) {
			t.Errorf("%s: %s", tag, problem)
		}
		if _, err := readTexts(tag); err != nil {
			t.Error(err)
		}
	}
}

// Nothing is left in English by mistake. Short texts may be the same in two
// languages, as the names of protocols are.
func TestNothingIsLeftInEnglish(t *testing.T) {
	for _, language := range Languages()[1:] {
		for name := range (&texts{}).files() {
			original, err := flatten("text/en/" + name + ".toml")
			if err != nil {
				t.Fatal(err)
			}
			translated, err := flatten("text/" + language.Tag + "/" + name + ".toml")
			if err != nil {
				t.Fatal(err)
			}
			for key, text := range original {
				if translated[key] == text && len(strings.Fields(text)) > 3 {
					t.Errorf("%s %s%s is still in English: %q", language.Tag, name, key, text)
				}
			}
		}
	}
}

func TestDifferencesOfTranslationsAreFound(t *testing.T) {
	original := map[string]string{"/a": "Wait {n} s", "/b": "Text", "/c": "Both {a} and {b}", "/d": "Gone"}
	got := differences(original, map[string]string{"/a": "Warte {m} s", "/b": " ", "/c": "{b} und {a}", "/e": "Mehr"})
	slices.Sort(got)
	want := []string{
		"/a has the places [{m}], but the original has [{n}]", "/b is empty", "/d is missing", "/e is not in the original",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := differences(original, original); len(got) > 0 {
		t.Errorf("the original differs from itself: %q", got)
	}
}

// Places are those that the program fills in.
func TestPlacesAreKnown(t *testing.T) {
	known := []string{"{a}", "{action}", "{b}", "{class}", "{class_a}", "{class_b}", "{code}", "{connection}", "{connection_a}", "{connection_b}", "{date}", "{delay}", "{enhanced}", "{host}", "{id}", "{last}", "{list}", "{n}", "{reasons}", "{retry}", "{retry_a}", "{retry_b}", "{scope}", "{scope_a}", "{scope_b}", "{stages}", "{stages_a}", "{stages_b}", "{text}", "{title}", "{until}", "{url}"}
	for name := range (&texts{}).files() {
		flat, err := flatten("text/en/" + name + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		for key, text := range flat {
			for _, place := range places(text) {
				if !slices.Contains(known, place) {
					t.Errorf("%s%s has the place %s", name, key, place)
				}
			}
			if strings.Count(text, "`")%2 != 0 {
				t.Errorf("%s%s opens a mark of code and does not close it", name, key)
			}
		}
	}
}

func TestWishesAreReadInOrder(t *testing.T) {
	for wish, want := range map[string]string{
		"":                                "",
		"de":                              "de",
		"de_DE.UTF-8":                     "de-DE",
		"sr_RS@latin":                     "sr-RS",
		"fr;q=0.5, de, en;q=0.8":          "de en fr",
		"de;q=0, en":                      "en",
		"de;q=x, en":                      "en",
		strings.Repeat("a,", 30) + "last": strings.TrimSpace(strings.Repeat("a ", 16)),
	} {
		if got := strings.Join(preferred(wish), " "); got != want {
			t.Errorf("%q is read as %q, not %q", wish, got, want)
		}
	}
}

func TestOfferedTags(t *testing.T) {
	all := map[string]*Catalog{"en": {}, "zh-Hans": {}, "pt": {}}
	for tag, want := range map[string]string{
		"en": "en", "EN-us": "en", "pt-BR": "pt", "zh": "zh-Hans", "zh-CN": "zh-Hans", "zh-Hans-SG": "zh-Hans",
		"zh-TW": "", "zh-Hant-HK": "", "C": "", "POSIX": "", "": "", "xx": "",
	} {
		if got := offeredTag(tag, all); got != want {
			t.Errorf("%q: %q, not %q", tag, got, want)
		}
	}
	if c := In("xx", "", "C"); c.Language.Tag != "en" {
		t.Errorf("an unknown wish gives %q", c.Language.Tag)
	}
}
