package certificate

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/fsnotify/fsnotify"
)

// watch is the folders in which a change may be one of the files. Folders are
// watched and not files: a file is replaced by another that is renamed, and a
// Kubernetes volume by a link that leads to another folder.
type watch struct {
	watcher *fsnotify.Watcher // nil where there are none to be had
	fault   func(error)
	failed  map[string]bool
}

// watch begins to watch. Where the system has no watchers left the files are read
// from time to time still.
func (k *Keeper) watch() *watch {
	w := &watch{fault: k.options.Fault, failed: map[string]bool{}}
	paths := k.paths()
	if len(paths) == 0 {
		return w
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		w.fault(fmt.Errorf("watching the certificates, which are looked at every %v instead: %w", k.options.LookAnyway, err))
		return w
	}
	w.watcher = watcher
	w.follow(paths)
	return w
}

// changes gives something when a folder has changed.
func (w *watch) changes() <-chan fsnotify.Event {
	if w.watcher == nil {
		return nil
	}
	return w.watcher.Events
}

// overflows gives something when there were too many changes to tell of.
func (w *watch) overflows() <-chan error {
	if w.watcher == nil {
		return nil
	}
	return w.watcher.Errors
}

// follow watches the folders of the files as they are now.
func (w *watch) follow(paths []string) {
	if w.watcher == nil {
		return
	}
	for _, path := range paths {
		for _, folder := range foldersOf(path) {
			// To add one that is watched changes nothing, unless it is another
			// one by the same name.
			err := w.watcher.Add(folder)
			if err != nil && !w.failed[folder] {
				w.fault(fmt.Errorf("watching the folder of a certificate: %w", err))
			}
			w.failed[folder] = err != nil
		}
	}
}

// mostLinks bounds how many links are followed: more go in a circle.
const mostLinks = 16

// foldersOf lists the folders in which a change may lead a path elsewhere: that of
// the file, and of each link on the way to it.
func foldersOf(path string) []string {
	var folders []string
	for range mostLinks {
		if folder := filepath.Dir(path); !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
		to, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	return folders
}

// close ends the watch.
func (w *watch) close() {
	if w.watcher != nil {
		w.watcher.Close()
	}
}
