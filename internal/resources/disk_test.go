package resources

import (
	"errors"
	"testing"
)

func TestWhatADiskDoesNotCountIsUnavailable(t *testing.T) {
	for _, c := range []struct {
		name                string
		b, bt, f, ft        int64
		err                 error
		noBytes, noFiles    string
		wantBytes, wantLeft float64
	}{
		{"all counted", 10, 100, 3, 30, nil, "", "", 10, 3},
		{"full", 0, 100, 0, 30, nil, "", "", 0, 0},
		{"no limit on files", 10, 100, -1, -1, nil, "", "the file system does not count its files", 10, 0},
		{"nothing counted", -1, -1, -1, -1, nil, "the file system does not count its bytes", "the file system does not count its files", 0, 0},
		{"failed", -1, -1, -1, -1, errors.New("stale handle"), "stale handle", "stale handle", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			bytes, files := NewDisk(func() (int64, int64, int64, int64, error) { return c.b, c.bt, c.f, c.ft, c.err }).Read()
			if bytes.Unavailable != c.noBytes || files.Unavailable != c.noFiles {
				t.Errorf("reasons %q, %q", bytes.Unavailable, files.Unavailable)
			}
			if bytes.Value != c.wantBytes || files.Value != c.wantLeft {
				t.Errorf("left %v, %v", bytes.Value, files.Value)
			}
			if c.noBytes == "" && (bytes.Limit != 100 || bytes.Unit != "bytes" || bytes.Source == "") {
				t.Errorf("bytes without limit, unit or source: %+v", bytes)
			}
		})
	}
}
