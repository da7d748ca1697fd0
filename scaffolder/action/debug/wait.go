package debug

import (
	"context"
	"fmt"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

// longest is how long debug:wait waits at most.
const longest = 10 * time.Minute

type waitInput struct {
	Minutes      float64 `json:"minutes,omitempty" doc:"How many minutes to wait"`
	Seconds      float64 `json:"seconds,omitempty" doc:"How many seconds to wait"`
	Milliseconds float64 `json:"milliseconds,omitempty" doc:"How many milliseconds to wait"`
}

func wait() action.Action {
	return action.New(action.Spec{
		ID:          "debug:wait",
		Description: "Waits for the sum of the given times, ten minutes at most.",
		Repeatable:  true,
		Examples: []action.Example{{
			Description: "Wait for half a minute",
			Example:     "steps:\n  - id: wait\n    name: Wait for the pipeline\n    action: debug:wait\n    input:\n      seconds: 30\n",
		}, {
			Description: "Wait for a minute and a half",
			Example:     "steps:\n  - id: wait\n    name: Wait for the cluster\n    action: debug:wait\n    input:\n      minutes: 1\n      seconds: 30\n",
		}, {
			Description: "Wait for a moment",
			Example:     "steps:\n  - id: wait\n    name: Wait\n    action: debug:wait\n    input:\n      milliseconds: 200\n",
		}},
	}, runWait)
}

func runWait(ctx context.Context, _ *action.Context, in waitInput) error {
	seconds := in.Minutes*60 + in.Seconds + in.Milliseconds/1000
	if seconds > longest.Seconds() {
		return catalog.NewError(catalog.NameError, fmt.Sprintf(
			"Waiting duration is longer than the maximum threshold of %d hours, %d minutes, %d seconds",
			int(longest.Hours()), int(longest.Minutes())%60, int(longest.Seconds())%60))
	}
	if seconds <= 0 {
		return nil
	}
	timer := time.NewTimer(time.Duration(seconds * float64(time.Second)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
