package relay

import (
	"net/http"
	"net/http/pprof"
)

// withProfiles adds the runtime's profiles to the admin interface: what the
// process spends its time and memory on, and what its goroutines wait for.
// Whoever can open the admin socket may see them.
func withProfiles(admin http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", admin)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	return mux
}
