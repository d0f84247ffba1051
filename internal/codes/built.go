//go:build !js

package codes

import "embed"

// built holds the explainer for browsers, where "make explainer" has built it.
//
//go:embed built
var built embed.FS
