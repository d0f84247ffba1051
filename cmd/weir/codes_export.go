package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/weirmail/weir/internal/codes"
)

// codesExportCommand writes the web reference as files.
type codesExportCommand struct {
	Folder  string `arg:"" name:"folder" type:"path" help:"Where the files go. It is made if it is not there; files of the same names are overwritten."`
	BaseURL string `name:"base-url" placeholder:"URL" help:"Where the files will be found, such as https://example.net/codes; for canonical links and the sitemap."`
}

// Run exports.
func (c *codesExportCommand) Run(ctx context.Context, w *world) error {
	if u, err := url.Parse(c.BaseURL); c.BaseURL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return &exitError{exitUsage, fmt.Errorf("--base-url: %q is not an address such as https://example.net/codes", c.BaseURL)}
	}
	files, err := codes.Export(ctx, c.Folder, c.BaseURL)
	if errors.Is(err, codes.ErrNoExplainer) {
		fmt.Fprintf(w.stderr, "weir: %v\n", err)
	} else if err != nil {
		return &exitError{exitSpool, fmt.Errorf("exporting the reference: %w", err)}
	}
	fmt.Fprintf(w.stdout, "%d files are in %s\n", files, c.Folder)
	return nil
}
