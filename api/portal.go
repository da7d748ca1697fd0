package api

import (
	"github.com/greenroom-idp/greenroom/api/notifications"
	"github.com/greenroom-idp/greenroom/api/signals"
	"github.com/greenroom-idp/greenroom/api/usersettings"
)

// A Portal holds the small plugins of the portal. Each may be nil: then its
// routes are not there.
type Portal struct {
	Notifications *notifications.Service
	UserSettings  *usersettings.API
	Signals       *signals.Hub
}
