package web

import (
	"context"
	"net/http"
	"net/url"

	"tenantry/app/identity"
)

type loginInput struct {
	Body struct {
		Email        string `json:"email"`
		Password     string `json:"password"`
		Organization string `json:"organization,omitempty" doc:"Id or slug of the one to sign in to; needed by members of several."`
	}
}

// tokensView is a sign-in as /v1 shows it.
type tokensView struct {
	AccessToken  string             `json:"access_token" doc:"Send it as \"Authorization: Bearer …\"."`
	TokenType    string             `json:"token_type" enum:"bearer"`
	ExpiresIn    int                `json:"expires_in" doc:"Seconds that the access token lives."`
	RefreshToken string             `json:"refresh_token" doc:"Good for one POST /v1/auth/refresh."`
	UserID       string             `json:"user_id" format:"uuid"`
	SessionID    string             `json:"session_id" format:"uuid"`
	Role         string             `json:"role" enum:"owner,admin,member,viewer"`
	Organization organizationChoice `json:"organization" doc:"The one that was signed in to."`
}

type tokensOutput struct{ Body *tokensView }

func tokensOut(in identity.SignIn, err error) (*tokensOutput, error) {
	if err != nil {
		return nil, err
	}
	return &tokensOutput{&tokensView{
		AccessToken: in.AccessToken, TokenType: "bearer", ExpiresIn: int(in.ExpiresIn.Seconds()),
		RefreshToken: in.RefreshToken, UserID: string(in.UserID), SessionID: string(in.SessionID), Role: string(in.Role),
		Organization: organizationChoice{
			ID: string(in.Organization.ID), Name: in.Organization.Name, Slug: in.Organization.Slug,
		},
	}}, nil
}

func (s *Server) login(ctx context.Context, in *loginInput) (*tokensOutput, error) {
	return tokensOut(s.services.Identity.Login(ctx, identity.LoginInput{
		Email: in.Body.Email, Password: in.Body.Password, Organization: in.Body.Organization,
	}))
}

type refreshInput struct {
	Body struct {
		RefreshToken string `json:"refresh_token"`
	}
}

func (s *Server) refresh(ctx context.Context, in *refreshInput) (*tokensOutput, error) {
	return tokensOut(s.services.Identity.Refresh(ctx, in.Body.RefreshToken))
}

func (s *Server) logout(ctx context.Context, in *refreshInput) (*struct{}, error) {
	return nil, s.services.Identity.Logout(ctx, in.Body.RefreshToken)
}

type jwksOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         identity.JWKS
}

func (s *Server) jwks(ctx context.Context, _ *struct{}) (*jwksOutput, error) {
	set, err := s.services.Identity.JWKS(ctx)
	return &jwksOutput{CacheControl: "public, max-age=60", Body: set}, err
}

// seedLoginView documents the JSON body of POST /admin/login. The form is
// that of RFC 6749, 4.3.2.
type seedLoginView struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

type seedTokensView struct {
	AccessToken      string `json:"access_token"`
	TokenType        string `json:"token_type" enum:"bearer"`
	ExpiresIn        int    `json:"expires_in"`
	RefreshToken     string `json:"refresh_token"`
	AdminID          string `json:"admin_id"`
	OrganizationID   string `json:"organization_id"`
	OrganizationName string `json:"organization_name"`
}

type seedLoginOutput struct{ Body *seedTokensView }

func (s *Server) seedLogin(ctx context.Context, _ *struct{}) (*seedLoginOutput, error) {
	c := callOf(ctx)
	login, p := c.seedCredentials()
	if p != nil {
		return nil, p
	}
	in, err := s.services.Identity.Login(ctx, login)
	if err != nil {
		return nil, err
	}
	return &seedLoginOutput{&seedTokensView{
		AccessToken: in.AccessToken, TokenType: "bearer", ExpiresIn: int(in.ExpiresIn.Seconds()),
		RefreshToken: in.RefreshToken, AdminID: string(in.UserID),
		OrganizationID: string(in.Organization.ID), OrganizationName: in.Organization.Name,
	}}, nil
}

// seedCredentials reads the JSON body or the form.
func (c *call) seedCredentials() (identity.LoginInput, *Problem) {
	body := c.fiber.Request().Body()
	if bodyType(c.fiber.Request().Header.ContentType()) == formType {
		return parseLoginForm(body)
	}
	var in struct {
		Email    *string `json:"email"`
		Password *string `json:"password"`
	}
	if err := readLoose(body, &in); err != nil {
		return identity.LoginInput{}, problemOf(err)
	}
	return loginOf("email", in.Email, in.Password)
}

// parseLoginForm reads the form of RFC 6749, 4.3.2.
func parseLoginForm(body []byte) (identity.LoginInput, *Problem) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return identity.LoginInput{}, newProblem(http.StatusBadRequest, "bad_request", "The body is not a form.")
	}
	value := func(name string) *string {
		if !form.Has(name) {
			return nil
		}
		s := form.Get(name)
		return &s
	}
	return loginOf("username", value("username"), value("password"))
}

// loginOf names what is missing; the address stands in the field emailName.
func loginOf(emailName string, email, password *string) (identity.LoginInput, *Problem) {
	p := newProblem(http.StatusUnprocessableEntity, "invalid", "Email address and password are required.")
	missing := func(name string, value *string) {
		if value == nil {
			p.Errors = append(p.Errors, InvalidField{Location: name, Code: "required", Message: "This field is required."})
		}
	}
	missing(emailName, email)
	missing("password", password)
	if len(p.Errors) > 0 {
		return identity.LoginInput{}, p
	}
	return identity.LoginInput{Email: *email, Password: *password}, nil
}
