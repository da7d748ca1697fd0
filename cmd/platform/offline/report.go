package offline

// A Report says what is wrong with some files.
type Report struct {
	Files   []File  `json:"files"`
	Summary Summary `json:"summary"`
}

// Summary counts.
type Summary struct {
	Files    int `json:"files"`
	Invalid  int `json:"invalidFiles"`
	Entities int `json:"entities"`
	Errors   int `json:"errors"`
}

// A File is what was found in one file.
type File struct {
	Path     string   `json:"path"`
	Valid    bool     `json:"valid"`
	Entities []Entity `json:"entities"`
	Errors   []Fault  `json:"errors"`
	// Notes say what was not judged, as a URL that was not read.
	Notes []string `json:"notes"`
}

// An Entity is one document of a file.
type Entity struct {
	Line int    `json:"line"` // where the document starts, from 1
	Ref  string `json:"entityRef"`
}

// A Fault is a reason why the catalog would refuse a file.
type Fault struct {
	Line    int    `json:"line"`                // from 1
	Ref     string `json:"entityRef,omitempty"` // of the entity, where it has one
	Name    string `json:"name"`                // of the error, such as InputError
	Message string `json:"message"`
}

func (r *Report) add(f File) {
	f.Valid = len(f.Errors) == 0
	r.Files = append(r.Files, f)
	r.Summary.Files++
	r.Summary.Entities += len(f.Entities)
	r.Summary.Errors += len(f.Errors)
	if !f.Valid {
		r.Summary.Invalid++
	}
}
