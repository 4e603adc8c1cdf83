package access

// Decide says whether the policy, and the project where one is named, allow the request. In this order:
// a malformed request is denied; the project must cover the asker, the dataset and the time, and
// Aggregate needs one; a deny rule that applies denies; an allow rule that applies allows; all else is
// denied. It never fails: whatever goes wrong inside denies by "default".
func (e *Enforcer) Decide(r Request) Decision {
	if e == nil {
		return Decision{Rule: byDefault, Reason: "no policy is in force", PreThreshold: 1}
	}
	if problem := e.problem(r); problem != "" {
		return e.deny(byDefault, problem)
	}
	if r.Project.isZero() {
		if r.Action == Aggregate {
			return e.deny(byProject, "a question needs a project")
		}
	} else if refusal := r.Project.refusal(r); refusal != "" {
		return e.deny(byProject, refusal)
	}
	if len(e.rows) == 0 {
		return e.deny(byDefault, "the policy has no rules, so it allows nobody")
	}
	return e.verdict(newQuestion(r))
}

// Visible says whether the asker may see that the dataset exists, and its declaration: whether some
// rule lets it see metadata (or ask, which includes it) in the request's project, or without naming
// one. Action, cost and the project's purpose do not matter unless they matter to that. To an asker to
// whom it says no, answer as if the dataset did not exist.
func (e *Enforcer) Visible(r Request) bool {
	r.Action, r.EpsilonPico = Metadata, 0
	if e.Decide(r).Allowed {
		return true
	}
	r.Project = Project{}
	return e.Decide(r).Allowed
}

// verdict asks Casbin, and trusts an allow only together with the rule that gave it: an enforcer that
// was switched off allows everything, but names none.
func (e *Enforcer) verdict(q *question) Decision {
	allowed, row, err := e.casbin.EnforceEx(q)
	switch {
	case err != nil:
		return e.deny(byDefault, "the policy could not be evaluated")
	case allowed && len(row) == columns && Effect(row[columnEffect]) == Allow:
		return Decision{Allowed: true, Rule: row[columnRule], Reason: e.sentence(q, row), PreThreshold: e.preThreshold}
	case allowed:
		return e.deny(byDefault, "the policy could not be evaluated")
	case len(row) == columns && Effect(row[columnEffect]) == Deny:
		return e.deny(row[columnRule], e.sentence(q, row))
	}
	return e.deny(byDefault, e.nearest(q))
}

func (e *Enforcer) deny(rule, reason string) Decision {
	return Decision{Rule: rule, Reason: reason, PreThreshold: e.preThreshold}
}

// problem returns why the request is not one, "" if it is. It quotes nothing of the request, of which
// nothing has been checked yet.
func (e *Enforcer) problem(r Request) string {
	if problem := r.Principal.problem(); problem != "" {
		return problem
	}
	switch {
	case r.Dataset != e.dataset:
		return "the request is about another dataset than the policy"
	case !KnownJurisdiction(r.Jurisdiction):
		return "the asker's jurisdiction is unknown"
	case !r.Action.Known():
		return "the action is unknown"
	case r.EpsilonPico < 0:
		return "the cost is negative"
	case r.Time.IsZero():
		return "the time of the request is missing"
	}
	return ""
}

// newQuestion turns a request that was found well-formed into what the clauses read.
func newQuestion(r Request) *question {
	q := &question{
		organisation: []string{r.Principal.Organisation},
		jurisdiction: []string{r.Jurisdiction},
		action:       []string{string(r.Action)},
		time:         r.Time,
		epsilon:      Pico(r.EpsilonPico),
	}
	for _, role := range r.Principal.Roles {
		q.roles = append(q.roles, string(role))
	}
	q.allowedBy, q.deniedBy = q.action, q.action
	both := []string{string(Metadata), string(Aggregate)}
	if r.Action == Metadata {
		q.allowedBy = both
	} else {
		q.deniedBy = both
	}
	if !r.Project.isZero() {
		q.project = []string{r.Project.ID}
		q.purposes = withBroader(r.Project.Purpose)
	}
	return q
}
