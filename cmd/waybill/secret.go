package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/adapters/secrets"
)

// maxSecretInput in bytes. Encrypted it is a third longer, and must be short
// enough to be read again (64 KiB).
const maxSecretInput = 32 << 10

func secretCommand() *cobra.Command {
	c := &cobra.Command{Use: "secret", Short: "Secrets that settings name by reference"}
	c.AddCommand(&cobra.Command{
		Use: "encrypt", Short: "Encrypt a secret from standard input, for an encrypted: reference", Args: cobra.NoArgs,
		Long: "Reads a secret from standard input and prints it encrypted by the keeper of " + prefix + "SECRETS_KEEPER. Put that into a file or an environment variable, and name it as encrypted:file:/path or encrypted:env:NAME.",
		RunE: func(c *cobra.Command, _ []string) error {
			content, err := io.ReadAll(io.LimitReader(c.InOrStdin(), maxSecretInput+1))
			if err != nil {
				return fmt.Errorf("read the secret: %w", err)
			}
			secret := strings.TrimSpace(string(content))
			if secret == "" || len(content) > maxSecretInput {
				return errors.New("give a secret of 32 KiB at most on standard input")
			}
			keeper, err := secrets.Open(c.Context(), os.Getenv(prefix+"SECRETS_KEEPER"))
			if err != nil {
				return err
			}
			defer func() { _ = keeper.Close() }()
			encrypted, err := keeper.Encrypt(c.Context(), secret)
			if err == nil {
				fmt.Fprintln(c.OutOrStdout(), encrypted)
			}
			return err
		},
	})
	return c
}
