package vfs

import pebblevfs "github.com/cockroachdb/pebble/v2/vfs"

// Names of the store's interface that its methods have in their signatures.
type (
	pebbleCategory = pebblevfs.DiskWriteCategory
	openOption     = pebblevfs.OpenOption
	fileInfo       = pebblevfs.FileInfo
	diskUsage      = pebblevfs.DiskUsage
)
