package documents

import (
	"encoding/base64"
	"encoding/json"

	"tenantry/app"
)

// cursor binds a place in a list to the list: one organization's is worth
// nothing in another's.
type cursor struct {
	Organization app.OrganizationID `json:"o"`
	Type         string             `json:"t,omitempty"`
	After        app.DocumentID     `json:"a"`
}

func encodeCursor(org app.OrganizationID, typ string, after app.DocumentID) string {
	raw, _ := json.Marshal(cursor{org, typ, after}) // strings always marshal
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decodeCursor(org app.OrganizationID, typ, s string) (app.DocumentID, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	var c cursor
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err == nil {
		_, err = app.ParseDocumentID(string(c.After))
	}
	if err != nil || c.Organization != org || c.Type != typ {
		return "", app.Invalid("cursor", "invalid_cursor", "This cursor is not one of this list. Begin again without it.")
	}
	return c.After, nil
}
