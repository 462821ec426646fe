package web

import (
	"context"

	"tenantry/app"
)

type codesOutput struct {
	Body struct {
		Items []Code `json:"items" nullable:"false"`
	}
}

func (s *Server) listCodes(context.Context, *struct{}) (*codesOutput, error) {
	out := &codesOutput{}
	out.Body.Items = Codes
	return out, nil
}

type codeRef struct {
	Code string `path:"code"`
}

type codeOutput struct{ Body Code }

func (s *Server) getCode(_ context.Context, in *codeRef) (*codeOutput, error) {
	code, known := findCode(in.Code)
	if !known {
		return nil, app.Fail(app.ErrNotFound, "not_found", "There is no such code. GET /errors lists them.")
	}
	return &codeOutput{code}, nil
}
