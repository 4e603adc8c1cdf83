package sandbox

import (
	"context"

	"entrepot/privacy"
)

// defaultEpsilon is what a question costs that names neither loss nor accuracy: the smallest default of the
// accounts that it touches, all of which must have one.
func (s *Service) defaultEpsilon(ctx context.Context, spaces []string) (privacy.Epsilon, error) {
	accounts, missing, err := s.accounts(ctx, spaces)
	if err == nil && missing != "" {
		err = noAccount(missing)
	}
	if err != nil {
		return 0, err
	}
	least := privacy.Epsilon(privacy.Unlimited)
	for _, a := range accounts {
		if a.Terms.Default == 0 {
			return 0, &Error{Code: CodeInvalid, Public: "The question names neither ε nor ρ, and the owner of " + a.ID + " has set no default.",
				Hint: "Say how much it may cost, such as loss: {epsilon: 0.1}."}
		}
		least = min(least, a.Terms.Default)
	}
	return least, nil
}
