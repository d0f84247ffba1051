package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/weirmail/weir/internal/admin/api"
	"github.com/weirmail/weir/internal/config"
)

// socketFlags say which running relay is meant.
type socketFlags struct {
	Socket string `help:"The Unix socket of the relay. Without it, the one of the configuration, or else that of \"weir serve --dev\"." placeholder:"PATH"`
	Config string `help:"The configuration file that names the socket." placeholder:"FILE" short:"c"`
}

// client returns a client of the relay that is meant.
func (f *socketFlags) client(w *world) (*api.Client, error) {
	path, err := f.path(w)
	if err != nil {
		return nil, err
	}
	return api.New(path), nil
}

func (f *socketFlags) path(w *world) (string, error) {
	if f.Socket != "" {
		return f.Socket, nil
	}
	from := configFlags{Config: f.Config}
	cfg, _, err := from.load(w, nil)
	if err != nil {
		return "", &exitError{exitConfig, fmt.Errorf("the configuration, which names the relay's socket, cannot be taken: name it with --socket\n%w", err)}
	}
	if f.Config == "" && !exists(cfg.Admin.Socket) {
		if dev := config.Dev(devFolder()).Admin.Socket; exists(dev) {
			return dev, nil
		}
	}
	return cfg.Admin.Socket, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// apiError gives an error of the relay's interface its exit code.
func apiError(err error) error {
	if err == nil {
		return nil
	}
	var connect *api.ConnectError
	var problem *api.Problem
	switch {
	case errors.As(err, &connect):
		code := exitUnavailable
		if errors.Is(err, os.ErrPermission) {
			code = exitDenied
		}
		return &exitError{code, err}
	case errors.As(err, &problem) && problem.Type == api.ProblemNotFound:
		return &exitError{exitNoInput, err}
	case errors.As(err, &problem) && problem.Type == api.ProblemBadRequest:
		return &exitError{exitUsage, err}
	}
	return &exitError{exitTryAgain, err}
}
