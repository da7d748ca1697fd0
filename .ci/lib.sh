# Shared by the scripts that start the built binary. Sourced, not run.

# die MESSAGE... ends the script with status 1.
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# need_free_port PORT WHAT ends the script if something listens on PORT.
need_free_port() {
  if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
    die "port $1 is taken, and $2 needs it: stop what listens there and try again"
  fi
}

# start_platform LOG ARGS... starts the binary and waits until it is ready. The
# caller has set $base; $server is its process id.
start_platform() {
  local log=$1; shift
  ./bin/platform serve "$@" >"$log" 2>&1 &
  server=$!
  for _ in $(seq 300); do
    if [ "$(curl -s -o /dev/null -w '%{http_code}' "$base/.backstage/health/v1/readiness")" = 200 ]; then return; fi
    kill -0 "$server" 2>/dev/null || { cat "$log" >&2; die "the server ended during its start, see above"; }
    sleep 0.1
  done
  cat "$log" >&2
  die "the server was not ready after 30 s, see its log above"
}

# stop_platform ends the server as an operator would, and fails if it does not
# end well.
stop_platform() {
  kill -TERM "$server"
  wait "$server" || die "the server ended with status $? after SIGTERM"
  server=
}
