package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tenantry/app/client"
)

func newOperator(g *globals) *cobra.Command {
	var at target
	key := &cobra.Command{Use: "key", Aliases: []string{"keys"}, Short: "Make, list and revoke operator keys",
		Long: `An operator key may do what operators may, on every organization. The first one
is printed by the first start of the server. Whoever can read the data folder
can make another, so losing one is no disaster.`}
	key.AddCommand(newKeyCreate(g, &at), newKeyList(g, &at), newKeyRevoke(g, &at))
	cmd := &cobra.Command{Use: "operator", Short: "Manage who operates this installation"}
	at.flags(cmd)
	cmd.AddCommand(key)
	return cmd
}

func newKeyCreate(g *globals, at *target) *cobra.Command {
	var out output
	var name string
	var lives time.Duration
	cmd := &cobra.Command{
		Use:   "create --name NAME",
		Short: "Make an operator key; it is shown this once",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if name == "" {
				return usageError(cmd, errors.New("say whose the key is, or what for, with --name"))
			}
			var expires time.Time
			switch {
			case lives < 0:
				return usageError(cmd, fmt.Errorf("--expires is %s; it must be ahead, such as 720h", lives))
			case lives > 0:
				expires = time.Now().Add(lives)
			}
			c, closed, err := at.connect(cmd, g, true)
			if err != nil {
				return err
			}
			defer closed()
			made, err := c.CreateOperatorKey(cmd.Context(), name, expires)
			if err != nil {
				return err
			}
			if out.json() {
				return writeJSON(cmd.OutOrStdout(), made)
			}
			_, _ = fmt.Fprintln(cmd.ErrOrStderr(), "The key is shown this once. Keep it in a safe place.")
			_, err = fmt.Fprintln(cmd.OutOrStdout(), made.Key)
			return err
		},
	}
	out.flag(cmd)
	cmd.Flags().StringVar(&name, "name", "", "whose the key is, or what for")
	cmd.Flags().DurationVar(&lives, "expires", 0, "how long the key is good, such as 720h (default: until it is revoked)")
	return cmd
}

func newKeyList(g *globals, at *target) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List operator keys",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			keys, err := c.OperatorKeys(cmd.Context())
			if err != nil {
				return err
			}
			if out.json() {
				return writeJSON(cmd.OutOrStdout(), keys)
			}
			rows := [][]string{{"NAME", "STATE", "CREATED", "LAST USED", "ID"}}
			for _, k := range keys {
				rows = append(rows, []string{k.Name, keyState(k, time.Now()), k.CreatedAt.Format(time.DateOnly), day(k.LastUsedAt), k.ID})
			}
			return writeTable(cmd.OutOrStdout(), rows)
		},
	}
	out.flag(cmd)
	return cmd
}

func day(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Format(time.DateOnly)
}

func keyState(k client.OperatorKey, now time.Time) string {
	switch {
	case k.RevokedAt != nil:
		return "revoked"
	case k.ExpiresAt != nil && !now.Before(*k.ExpiresAt):
		return "expired"
	case k.ExpiresAt != nil:
		return "until " + k.ExpiresAt.Format(time.DateOnly)
	}
	return "good"
}

func newKeyRevoke(g *globals, at *target) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke KEY",
		Short: "Make an operator key worthless at once; KEY is its name or its id",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			keys, err := c.OperatorKeys(cmd.Context())
			if err != nil {
				return err
			}
			for _, k := range keys {
				if k.ID != strings.ToLower(args[0]) && k.Name != args[0] || k.RevokedAt != nil {
					continue
				}
				if err := c.RevokeOperatorKey(cmd.Context(), k.ID); err != nil {
					return err
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "The key %s (%s) is revoked.\n", harmless(k.Name), k.ID)
				return err
			}
			return fail(exitFailed, fmt.Errorf("there is no operator key %q that is good", args[0]), `"tenantry operator key list" shows which there are.`)
		},
	}
}
