package forgetest

import (
	"errors"
	"io"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// gitPath matches the URLs of the smart protocol.
var gitPath = regexp.MustCompile(`^/(.+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)$`)

// gitRoutes serves Git over HTTP for every repository, by the git command. Its
// operations are git refs, git fetch and git push.
func (f *Forge) gitRoutes() {
	f.mux.HandleFunc("/{path...}", func(w http.ResponseWriter, r *http.Request) {
		m := gitPath.FindStringSubmatch(r.URL.Path)
		if m == nil {
			http.NotFound(w, r)
			return
		}
		name := map[string]string{"info/refs": "git refs", "git-upload-pack": "git fetch", "git-receive-pack": "git push"}[m[2]]
		handler := func(w http.ResponseWriter, r *http.Request) { f.serveGit(w, r, m[1], m[2]) }
		(&route{forge: f, name: name, style: plainStyle(), streams: true, handler: handler}).ServeHTTP(w, r)
	})
}

func (f *Forge) serveGit(w http.ResponseWriter, r *http.Request, name, operation string) {
	repository, moved, ok := f.readable(r, name)
	token := token(r)
	pushes := operation == "git-receive-pack" || r.URL.Query().Get("service") == "git-receive-pack"
	switch {
	case token != "" && !f.known(token), token == "" && (!ok || pushes):
		w.Header().Set("WWW-Authenticate", `Basic realm="Git"`)
		http.Error(w, "authentication is required", http.StatusUnauthorized)
		return
	case !ok:
		http.NotFound(w, r)
		return
	case moved:
		target := "/" + repository.FullName + ".git/" + operation
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		http.Redirect(w, r, target, http.StatusMovedPermanently)
		return
	case pushes && repository.Archived:
		http.Error(w, "this repository is archived", http.StatusForbidden)
		return
	}
	f.backend(w, r, repository, operation)
}

// backend hands a request to git http-backend.
func (f *Forge) backend(w http.ResponseWriter, r *http.Request, repository Repository, operation string) {
	git, err := exec.LookPath("git")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	dir := f.repositories.path(repository.FullName)
	r = r.Clone(r.Context())
	r.URL.Path = "/" + operation
	r.Header.Del("Authorization")
	handler := &cgi.Handler{
		Path: git, Args: []string{"http-backend"}, Dir: dir, Root: "",
		Env: []string{
			"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=ada", "GIT_CONFIG_NOSYSTEM=1",
			"HOME=" + filepath.Dir(dir), "PATH=" + os.Getenv("PATH"), "GIT_PROTOCOL=" + r.Header.Get("Git-Protocol"),
			"GIT_CONFIG_COUNT=2",
			"GIT_CONFIG_KEY_0=uploadpack.allowFilter", "GIT_CONFIG_VALUE_0=true",
			"GIT_CONFIG_KEY_1=uploadpack.allowReachableSHA1InWant", "GIT_CONFIG_VALUE_1=true",
		},
		Stderr: io.Discard,
	}
	if r.ContentLength < 0 { // CGI knows no chunked bodies
		body, n, err := spooled(r.Body)
		if err != nil {
			return
		}
		defer body.Close()
		r.Body, r.ContentLength, r.TransferEncoding = body, n, nil
	}
	handler.ServeHTTP(w, r)
}

// spooled puts a body into a file that has no name, so that the memory of the
// double does not grow with it.
func spooled(from io.Reader) (*os.File, int64, error) {
	file, err := os.CreateTemp("", "forgetest-")
	if err != nil {
		return nil, 0, err
	}
	n, err := io.Copy(file, from)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err = errors.Join(err, os.Remove(file.Name())); err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, n, nil
}
