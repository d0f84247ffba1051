package conformance

import (
	"embed"
	"io/fs"
)

//go:embed dialogues/*.txt
var files embed.FS

// Dialogues returns the dialogues of this folder. Errors are as those of [Load].
func Dialogues() ([]*Dialogue, error) {
	folder, err := fs.Sub(files, "dialogues")
	if err != nil {
		return nil, err
	}
	return Load(folder)
}
