package verify

import (
	"encoding/json"
	"errors"
	"fmt"

	"tenantry/app/client"
)

// refused demands that the server refused with the status.
func refused(err error, status int) error {
	switch {
	case err == nil:
		return errors.New("it was allowed")
	case isStatus(err, status):
		return nil
	}
	return fmt.Errorf("it was not refused with %d: %w", status, err)
}

func isStatus(err error, status int) bool {
	var e *client.Error
	return errors.As(err, &e) && e.Status == status && e.Code != ""
}

// answered is the error of a call whose answer does not matter.
func answered[T any](_ T, err error) error { return err }

// canonical is JSON with sorted keys and no blanks, or nothing for what is no
// JSON.
func canonical(raw []byte) []byte {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	out, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return out
}
