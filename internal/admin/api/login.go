package api

import "time"

// Login is how the relay signs in to servers by tokens (OAuth 2.0).
type Login struct {
	// Name is whom it signs in as, Application the [[oauth_app]] by which.
	Name        string `json:"name"`
	Application string `json:"application"`
	// Grant is how tokens are got: "device", "code" or "client".
	Grant string `json:"grant"`
	// Servers are where it signs in.
	Servers []string `json:"servers"`
	// Began is when a person logged in; absent where nobody has to, or that is not
	// known yet.
	Began time.Time `json:"began,omitzero"`
	// TokenExpires is when the token in memory ends; absent where there is none.
	TokenExpires time.Time `json:"token_expires,omitzero"`
	// Ends is when the login ends; absent where the server does not say.
	Ends time.Time `json:"ends,omitzero"`
	// Problem is why there is no new token; absent where all is well. NeedsLogin
	// tells that only a new login helps, Since when it began, Retry when the server
	// is asked again.
	Problem    string    `json:"problem,omitempty"`
	NeedsLogin bool      `json:"needs_login,omitempty"`
	Since      time.Time `json:"since,omitzero"`
	Retry      time.Time `json:"retry,omitzero"`
}
