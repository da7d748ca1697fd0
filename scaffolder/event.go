package scaffolder

import (
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// LogBody returns the body of a log event. The step and the status may be "".
func LogBody(message, stepID string, status Status) []byte {
	o := jsonvalue.NewObject(jsonvalue.Member{Key: "message", Value: message})
	if stepID != "" {
		o.Set("stepId", stepID)
	}
	if status != "" {
		o.Set("status", string(status))
	}
	return jsonvalue.Append(nil, o)
}

// CompletedBody returns the body of the completion of a task that succeeded.
func CompletedBody(output any) []byte {
	return jsonvalue.Append(nil, jsonvalue.NewObject(
		jsonvalue.Member{Key: "message", Value: "Run completed with status: completed"},
		jsonvalue.Member{Key: "output", Value: output},
	))
}

// FailedBody returns the body of the completion of a task that failed.
func FailedBody(err *catalog.Error) []byte {
	return jsonvalue.Append(nil, jsonvalue.NewObject(
		jsonvalue.Member{Key: "message", Value: "Run completed with status: failed"},
		jsonvalue.Member{Key: "error", Value: jsonvalue.NewObject(
			jsonvalue.Member{Key: "name", Value: err.Name},
			jsonvalue.Member{Key: "message", Value: err.Message},
		)},
	))
}

// CancelledBody returns the body of the event that says that somebody wants a
// task to end. The step is the last that the log tells of, "" for none.
func CancelledBody(stepID string) []byte {
	var id any = stepID
	text := stepID
	if stepID == "" {
		id, text = 0.0, "0"
	}
	return jsonvalue.Append(nil, jsonvalue.NewObject(
		jsonvalue.Member{Key: "message", Value: "Step " + text + " has been cancelled."},
		jsonvalue.Member{Key: "stepId", Value: id},
		jsonvalue.Member{Key: "status", Value: string(Cancelled)},
	))
}

// RecoveredBody returns the body of the event that says that a task runs once
// more.
func RecoveredBody(strategy string) []byte {
	return jsonvalue.Append(nil, jsonvalue.NewObject(jsonvalue.Member{Key: "recoverStrategy", Value: strategy}))
}
