package identity

import "tenantry/app"

func errTokenInvalid() error {
	return app.Fail(app.ErrUnauthenticated, "token_invalid", "This is not an access token or key of this server. Sign in again.")
}

func errTokenExpired() error {
	return app.Fail(app.ErrUnauthenticated, "token_expired", "The access token has expired. Refresh it, or sign in again.")
}

func errSessionEnded() error {
	return app.Fail(app.ErrUnauthenticated, "session_ended", "This sign-in has ended. Sign in again.")
}

func errSuspended() error {
	return app.Fail(app.ErrForbidden, "organization_suspended", "This organization is suspended. Ask the operator of this server.")
}

func errCredentials() error {
	return app.Fail(app.ErrUnauthenticated, "credentials_invalid", "The email address or the password is wrong.")
}

func errRefreshInvalid() error {
	return app.Fail(app.ErrUnauthenticated, "refresh_invalid", "This is not a refresh token of this server. Sign in again.")
}

func errRefreshReused() error {
	return app.Fail(app.ErrUnauthenticated, "refresh_reused",
		"This refresh token was used before, so somebody may have a copy. The sign-in has been ended. Sign in again.")
}

func errKeyInvalid() error {
	return app.Fail(app.ErrUnauthenticated, "key_invalid", "This operator key is unknown, revoked or expired. Ask for another.")
}

func errTokenRequired() error {
	return app.Fail(app.ErrUnauthenticated, "token_required",
		`Sign in first and send the access token as "Authorization: Bearer …".`)
}
